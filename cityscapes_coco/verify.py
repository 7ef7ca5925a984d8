"""A COCO file held against the maps that it was made from.

Nothing here uses the converter's way to an instance: a map is cut into runs down its columns, as
pycocotools does it, and masks are compared as pycocotools' RLEs of the whole frame. That makes it
both independent and quick.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from tqdm import tqdm

from cityscapes_coco.dataset import LAYOUTS, Dataset, Layout, find_dataset, list_frames
from cityscapes_coco.decoding import Rle, from_runs, to_rle
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.instances import read_id_map
from cityscapes_coco.labels import LABELS
from cityscapes_coco.reading import group_by_image, read_coco

_NAMES = {label.id: label.name for label in LABELS if label.has_instances}

_REQUIRED = ("info", "licenses", "images", "annotations", "categories")
_REQUIRED_OF = {
    "categories": ("id", "name"),
    "images": ("id", "file_name", "width", "height"),
    "annotations": ("id", "image_id", "category_id", "iscrowd", "area", "bbox"),
}


class _Published(NamedTuple):
    frames: int
    slack: int
    totals: dict[str, int]


# How many instances the real fine annotations have, groups not counted, in how many frames. Those
# of train are known to a hundred only, those of val were counted from the polygons: `slack` is what
# a count may be off by, beside one in fifty.
_PUBLISHED = {
    "train": _Published(
        frames=2975,
        slack=50,
        totals={
            "person": 17_900,
            "rider": 1_800,
            "car": 26_900,
            "truck": 500,
            "bus": 400,
            "train": 200,
            "motorcycle": 700,
            "bicycle": 3_700,
        },
    ),
    "val": _Published(
        frames=500,
        slack=5,
        totals={
            "person": 3_399,
            "car": 4_656,
            "truck": 93,
            "bus": 98,
            "train": 23,
            "motorcycle": 149,
            "bicycle": 1_169,
        },
    ),
}

_GROUP = " group"  # what sets the row of a class's groups apart from that of its instances

# The most culprits that are named for one kind of fault.
_NAMED = 3


@dataclass
class ClassCount:
    """What became of the instances of one class; `ious` is the sum over the inexact ones.

    `unexpected` counts the annotations that no instance in the maps stands behind.
    """

    in_maps: int = 0
    exact: int = 0
    inexact: int = 0
    ious: float = 0.0
    lost: int = 0
    unexpected: int = 0


@dataclass
class Report:
    """What the comparison found.

    `classes` counts class by class, groups apart. `faults` counts by kind, and `culprits` has a
    line about each of the first few of a kind. `left_out` counts what the file does not claim to
    hold: classes that it does not name, groups if it has none, and what is smaller than it says.
    `skipped` are frames of which the file itself says that they could not be read; `imageless`
    those that have no photograph of the sets that it names.
    """

    path: Path
    frames: int = 0
    classes: dict[str, ClassCount] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    culprits: dict[str, list[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    imageless: int = 0
    boxes_only: bool = False
    far_from_published: list[str] = field(default_factory=list)

    def blame(self, fault: str, culprit: str) -> None:
        self.faults[fault] += 1
        named = self.culprits.setdefault(fault, [])
        if len(named) < _NAMED:
            named.append(culprit)


class _Options(NamedTuple):
    """What a file of ours says of how it was made; the defaults go for all others."""

    images: Sequence[str] = ()
    crowd: str = "drop"
    min_area: int = 0


class _Source(NamedTuple):
    """An instance or group in a map; `bbox` is [x, y, width, height]."""

    name: str
    is_group: bool
    rle: Rle
    area: int
    bbox: list[int]


class _Claim(NamedTuple):
    """An annotation; `name` is None without a class of Cityscapes, `rle` None without a mask."""

    annotation: dict[str, Any]
    name: str | None
    is_group: bool
    rle: Rle | None


def verify_file(path: Path, datadir: Path) -> Report:
    """Compare every annotation of the COCO file at `path` with the maps in `datadir`.

    Maps and masks are held for one frame at a time. Raises DatasetError if the file cannot be read
    or none of its images has a map.
    """
    coco = read_coco(path)
    options = _read_options(coco)
    layout = _find_layout(coco)
    dataset = find_dataset(datadir, layout)
    maps = _find_maps(dataset)
    images = [(image, _map_name(image, layout)) for image in coco["images"]]
    if not any(name in maps for _, name in images):
        raise DatasetError(
            dataset.folder,
            f"has no map of the {len(images)} images in {path}; expected"
            f" {layout.annotations}/<split>/<city>/<frame>{layout.map_suffix}",
        )

    report = Report(path)
    have_mask = [bool(annotation.get("segmentation")) for annotation in coco["annotations"]]
    report.boxes_only = bool(have_mask) and not any(have_mask)
    _check_fields(coco, report)
    _check_ids(coco, report)
    _check_frames(coco, Counter(name for _, name in images), maps, dataset, options.images, report)
    names = {category.get("id"): category.get("name") for category in coco["categories"]}
    with_groups = options.crowd == "keep" or any(
        annotation.get("iscrowd") for annotation in coco["annotations"]
    )
    expected = [
        _row(name, is_group)
        for is_group in ((False, True) if with_groups else (False,))
        for name in _NAMES.values()
        if name in names.values()
    ]
    report.classes = {row: ClassCount() for row in expected}
    annotations = group_by_image(coco["annotations"])
    for image, name in tqdm(images, desc="verify", unit="frame", disable=None):
        if name not in maps:
            report.blame("image without a map", f"{image.get('file_name')}: no {name}")
            continue
        try:
            id_map = read_id_map(maps[name])
        except DatasetError as error:
            report.blame("map that cannot be read", str(error))
            continue
        report.frames += 1
        where = name.removesuffix(layout.map_suffix)
        _check_size(image, id_map.shape, where, report)
        claims = [
            _claim(annotation, names, id_map.shape, where, report)
            for annotation in annotations.get(image.get("id"), [])
        ]
        _compare_frame(claims, _find_sources(id_map), expected, options.min_area, where, report)
    splits = {Path(maps[name]).parts[-3] for _, name in images if name in maps}
    if layout.annotations == "gtFine" and len(splits) == 1 and not options.min_area:
        totals = {name: count.in_maps for name, count in report.classes.items()}
        report.far_from_published = compare_with_published(splits.pop(), report.frames, totals)
    return report


def compare_with_published(split: str, frames: int, totals: Mapping[str, int]) -> list[str]:
    """Return a line for each class of which a full split of the real fine annotations has a far
    different number of instances than `totals`; none if `frames` are not a full split."""
    published = _PUBLISHED.get(split)
    if published is None or frames != published.frames:
        return []
    return [
        f"{totals[name]} {name}, published {expected}"
        for name, expected in published.totals.items()
        if name in totals and abs(totals[name] - expected) > published.slack + expected / 50
    ]


def describe(report: Report) -> str:
    """Return a report as a table and what follows from it, ready to be printed."""
    lines = [f"{report.path}, held against its maps ({report.frames})"]
    lines.append(
        f"  {'class':<16}{'in maps':>8}{'exact':>8}{'inexact':>9}{'mean IoU':>10}{'lost':>7}"
        f"{'unexpected':>12}"
    )
    for name, count in report.classes.items():
        # Of groups, only those that occur.
        if name.endswith(_GROUP) and not count.in_maps and not count.unexpected:
            continue
        iou = f"{count.ious / count.inexact:.4f}" if count.inexact else "-"
        lines.append(
            f"  {name:<16}{count.in_maps:>8}{count.exact:>8}{count.inexact:>9}{iou:>10}"
            f"{count.lost:>7}{count.unexpected:>12}"
        )
    if report.boxes_only:
        lines.append("  the file has no masks: exact means that the boxes are")
    if report.left_out:
        parts = ", ".join(f"{number} {name}" for name, number in report.left_out.items())
        lines.append(f"  in the maps, but not claimed by the file: {parts}")
    if report.imageless:
        lines.append(f"  without an image of the sets in the file: {report.imageless} frames")
    if report.skipped:
        lines.append(f"  skipped when the file was made: {report.skipped} frames")
    if report.far_from_published:
        parts = "; ".join(report.far_from_published)
        lines.append(f"  far from the published totals of Cityscapes: {parts}")
    for fault, number in report.faults.items():
        lines.append(f"  {fault}: {number}")
        lines += [f"    {culprit}" for culprit in report.culprits[fault]]
        if number > _NAMED:
            lines.append(f"    and {number - _NAMED} more")
    lines.append("  not exact" if report.faults else "  all exact")
    return "\n".join(map(one_line, lines))


def _read_options(coco: Mapping[str, Any]) -> _Options:
    """Return what the file says of how it was made, as far as it makes sense."""
    info = coco.get("info")
    options = info.get("options") if isinstance(info, dict) else None
    if not isinstance(options, dict):
        return _Options()
    images, min_area = options.get("images"), options.get("min_area")
    return _Options(
        images=[name for name in images if isinstance(name, str)]
        if isinstance(images, list)
        else [],
        crowd=str(options.get("crowd")),
        min_area=min_area if isinstance(min_area, int) else 0,
    )


def _find_layout(coco: Mapping[str, Any]) -> Layout:
    """Return the layout whose maps the file names, or else that of the fine annotations."""
    maps = [image.get("seg_file_name", "") for image in coco["images"]]
    for layout in LAYOUTS.values():
        if any(name.endswith(layout.map_suffix) for name in maps):
            return layout
    return LAYOUTS["gtFine"]


def _find_maps(dataset: Dataset) -> dict[str, str]:
    """Return the paths of all maps of a dataset by their names."""
    maps = {}
    for split in dataset.layout.splits:
        # A split that is missing or empty shows where an image has no map.
        with suppress(DatasetError):
            for frame in list_frames(dataset, split).frames:
                maps[frame.seg_file_name] = frame.map_path
    return maps


def _map_name(image: Mapping[str, Any], layout: Layout) -> str:
    """Return the name of the map of an image, which some tools give and others leave to guess."""
    if "seg_file_name" in image:
        return str(image["seg_file_name"]).rpartition("/")[2]
    stem = Path(image.get("file_name", "")).stem
    return stem.partition(f"_{layout.images}")[0] + layout.map_suffix


def _check_fields(coco: Mapping[str, Any], report: Report) -> None:
    for name in _REQUIRED:
        if name not in coco:
            report.blame("missing field", f"no {name} in the file")
    for part, required in _REQUIRED_OF.items():
        for index, record in enumerate(coco[part]):
            for name in required:
                if name not in record:
                    report.blame("missing field", f"no {name} in {part}[{index}]")
    if not report.boxes_only:
        for index, annotation in enumerate(coco["annotations"]):
            if not annotation.get("segmentation"):
                report.blame("missing field", f"no segmentation in annotations[{index}]")


def _check_ids(coco: Mapping[str, Any], report: Report) -> None:
    known = {}
    for part in _REQUIRED_OF:
        known[part] = Counter(record["id"] for record in coco[part] if "id" in record)
        for value, times in known[part].items():
            if times > 1:
                report.blame("wrong id", f"{part} have the id {value} {times} times")
    if 0 in known["annotations"]:
        report.blame("wrong id", "annotations have the id 0, which COCOeval takes for no match")
    for annotation in coco["annotations"]:
        for name, part in ("image_id", "images"), ("category_id", "categories"):
            if name in annotation and annotation[name] not in known[part]:
                report.blame(
                    "wrong id",
                    f"annotation {annotation.get('id')} has the {name} {annotation[name]},"
                    f" which none of the {part} has",
                )
    for category in coco["categories"]:
        if "name" in category and category["name"] not in _NAMES.values():
            report.blame(
                "wrong category",
                f"{category['name']!r} is no class of Cityscapes that has instances",
            )


def _check_frames(
    coco: Mapping[str, Any],
    named: Mapping[str, int],
    maps: Mapping[str, str],
    dataset: Dataset,
    images: Sequence[str],
    report: Report,
) -> None:
    """Blame the maps beside those of the file that belong to none of its images, or to too few.

    `named` counts the images of each map. There should be one for each photograph in the sets
    called `images`.
    """
    info = coco.get("info")
    skipped = info.get("skipped") if isinstance(info, dict) else None
    splits = {Path(path).parent.parent for name, path in maps.items() if name in named}
    expected: dict[str, int] = {}
    for split in splits:
        # Where the photographs are not at hand, none can be missed.
        with suppress(DatasetError):
            for frame in list_frames(dataset, split.name, images).frames:
                expected[frame.seg_file_name] = len(frame.file_names)
    for name, path in maps.items():
        if Path(path).parent.parent not in splits:
            continue
        count = named.get(name, 0)
        if not count and isinstance(skipped, list) and one_line(name) in skipped:
            report.skipped += 1
        elif not count and name not in expected:
            report.imageless += 1
        elif not count:
            report.blame("map without an image", path)
        elif count < expected.get(name, 0):
            report.blame("map without all its images", f"{path}: {count} of {expected[name]}")


def _check_size(
    image: Mapping[str, Any], shape: tuple[int, ...], where: str, report: Report
) -> None:
    size = tuple(image.get(name) for name in ("height", "width"))
    if size != shape and None not in size:
        (height, width), (true_height, true_width) = size, shape
        report.blame(
            "wrong image size",
            f"{where}: {width} x {height}, the map has {true_width} x {true_height}",
        )


def _claim(
    annotation: dict[str, Any],
    names: Mapping[Any, Any],
    shape: tuple[int, int],
    where: str,
    report: Report,
) -> _Claim:
    """Decode an annotation; `names` are those of the file's categories, by id."""
    rle = None
    try:
        rle = to_rle(annotation.get("segmentation"), *shape)
    except ValueError as error:
        report.blame("broken segmentation", f"{_who(where, annotation)}: {error}")
    name = names.get(annotation.get("category_id"))
    return _Claim(annotation, name, bool(annotation.get("iscrowd")), rle)


def _find_sources(id_map: NDArray[np.uint16]) -> dict[int, _Source]:
    """Return the instances and groups of a map, shape (height, width), by their values in it."""
    height, width = id_map.shape
    # The columns one after the other; numpy's own way to it takes as long as decoding the map.
    pixels = cv2.transpose(id_map).ravel()
    starts = np.concatenate(([0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1))
    ends = np.append(starts[1:], pixels.size)
    values = pixels[starts].astype(np.int64)
    chosen = np.flatnonzero(np.isin(np.where(values < 1000, values, values // 1000), list(_NAMES)))
    if not chosen.size:
        return {}
    chosen = chosen[np.argsort(values[chosen], kind="stable")]
    found, first = np.unique(values[chosen], return_index=True)
    rles = []
    for runs in np.split(chosen, first[1:]):
        edges = np.column_stack((starts[runs], ends[runs])).ravel()
        counts = np.diff(edges, prepend=0, append=pixels.size)
        rles.append(from_runs(counts.tolist(), height, width))
    columns = (
        found.tolist(),
        rles,
        # One by one: pycocotools cannot count more than 255 of them.
        [int(coco_mask.area(rle)) for rle in rles],
        coco_mask.toBbox(rles).astype(int).tolist(),
    )
    return {
        value: _Source(_NAMES[value if value < 1000 else value // 1000], value < 1000, *rest)
        for value, *rest in zip(*columns, strict=True)
    }


def _compare_frame(
    claims: Sequence[_Claim],
    sources: Mapping[int, _Source],
    expected: Collection[str],
    min_area: int,
    where: str,
    report: Report,
) -> None:
    """Count what became of the `sources` of a frame, and blame what is wrong with its claims.

    `expected` are the rows of the table for which the file claims to hold all that have `min_area`
    pixels or more.
    """
    claimed = Counter(claim.annotation.get("instance_id") for claim in claims)
    pairs = _match(claims, sources, claimed)
    for index, claim in enumerate(claims):
        who = _who(where, claim.annotation)
        value = claim.annotation.get("instance_id")
        if value is not None and value not in sources:
            report.blame("wrong instance_id", f"{who}: {value} is not in the map")
        elif value is not None and claimed[value] > 1:
            report.blame("wrong instance_id", f"{who}: {value} is there {claimed[value]} times")
        if index in pairs:
            _compare_pair(claim, pairs[index], sources[pairs[index]], who, report)
        else:
            row = _row(claim.name or "no class", claim.is_group)
            report.classes.setdefault(row, ClassCount()).unexpected += 1
            report.blame("unexpected", f"{who}: no {row} is there, or another annotation has it")
    for value in sorted(sources.keys() - pairs.values()):
        source = sources[value]
        row = _row(source.name, source.is_group)
        if row not in expected:
            report.left_out[row] += 1
        elif source.area < min_area:
            report.left_out[f"{row} of less than {min_area} pixels"] += 1
        else:
            report.classes[row].in_maps += 1
            report.classes[row].lost += 1
            report.blame("lost", f"{where}: {row} {value}, {source.area} pixels")


def _compare_pair(claim: _Claim, value: int, source: _Source, who: str, report: Report) -> None:
    row = _row(source.name, source.is_group)
    count = report.classes.setdefault(row, ClassCount())
    count.in_maps += 1
    if report.boxes_only:
        iou = _box_ious([claim], [source])[0, 0]
    else:
        iou = _mask_ious([claim], [source])[0, 0]
    # A quotient of integers is 1 only if they are the same.
    if iou == 1:
        count.exact += 1
    else:
        count.inexact += 1
        count.ious += iou
        report.blame("inexact", f"{who}: IoU {iou:.4f} with {row} {value}")
    if claim.name != source.name:
        report.blame("wrong category", f"{who}: {claim.name}, the map has {row} {value}")
    if claim.is_group != source.is_group and "iscrowd" in claim.annotation:
        iscrowd = claim.annotation["iscrowd"]
        report.blame("wrong iscrowd", f"{who}: {iscrowd}, the map has {row} {value}")
    for name, true in ("bbox", source.bbox), ("area", source.area):
        claimed = claim.annotation.get(name, true)
        if claimed != true:
            report.blame(f"wrong {name}", f"{who}: {claimed}, {row} {value} has {true}")


def _match(
    claims: Sequence[_Claim], sources: Mapping[int, _Source], claimed: Mapping[Any, int]
) -> dict[int, int]:
    """Return the value in the map that belongs to each claim, by the claim's index.

    A claim that is the only one to name an instance has it. The others go by overlap: first within
    their class, where the best pair comes first and any overlap will do; what is left is taken for
    a wrong category where at least half is common.
    """
    pairs: dict[int, int] = {}
    for index, claim in enumerate(claims):
        value = claim.annotation.get("instance_id")
        if value is not None and value in sources and claimed[value] == 1:
            pairs[index] = value
    rest = [index for index in range(len(claims)) if index not in pairs]
    free = sorted(sources.keys() - pairs.values())
    if not rest or not free:
        return pairs
    overlap = _overlap([claims[index] for index in rest], [sources[value] for value in free])
    candidates = []
    for i, j in np.argwhere(overlap > 0).tolist():
        claim, source = claims[rest[i]], sources[free[j]]
        same = (claim.name, claim.is_group) == (source.name, source.is_group)
        if same or overlap[i, j] >= 0.5:
            candidates.append((same, overlap[i, j], rest[i], free[j]))
    taken = set(pairs.values())
    for _, _, index, source_value in sorted(candidates, reverse=True):
        if index not in pairs and source_value not in taken:
            pairs[index] = source_value
            taken.add(source_value)
    return pairs


def _overlap(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    """Return the IoU of each claim with each source, shape (claims, sources): that of the masks,
    or, where a claim has none or an empty one, that of the boxes."""
    has_mask = [claim.rle is not None and coco_mask.area(claim.rle) > 0 for claim in claims]
    by_mask, by_box = _mask_ious(claims, sources), _box_ious(claims, sources)
    return np.where(np.array(has_mask)[:, None], by_mask, by_box)


def _mask_ious(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    height, width = sources[0].rle["size"]
    empty = from_runs([height * width], height, width)
    masks = [claim.rle or empty for claim in claims]
    return np.array(coco_mask.iou(masks, [source.rle for source in sources], [0] * len(sources)))


def _box_ious(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    boxes = np.array([claim.annotation.get("bbox", [0, 0, 0, 0]) for claim in claims], float)
    true_boxes = np.array([source.bbox for source in sources])
    return np.array(coco_mask.iou(boxes, true_boxes, [0] * len(sources)))


def _row(name: str, is_group: bool) -> str:
    return name + _GROUP if is_group else name


def _who(where: str, annotation: Mapping[str, Any]) -> str:
    return f"{where}: annotation {annotation.get('id')}"
