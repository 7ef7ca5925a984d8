"""A COCO file held against the maps that it was made from.

Nothing here uses the converter's way to an instance: a map is cut into runs down its columns, as
pycocotools does it, and masks are compared as pycocotools' RLEs of the whole frame. That makes the
check both independent and quick. The masks of a panoptic file are cut from its PNG files likewise.

A check takes data and yields faults; nothing here is printed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from tqdm import tqdm

from cityscapes_coco.cityscapes.dataset import Dataset, find_dataset, list_frames
from cityscapes_coco.cityscapes.frame import Frame
from cityscapes_coco.cityscapes.id_map import read_id_map
from cityscapes_coco.coco.panoptic import decode_segment_ids, read_png
from cityscapes_coco.coco.reading import group_by_image, read_coco, read_info, read_options
from cityscapes_coco.coco.records import (
    Annotation,
    CocoFile,
    Id,
    Image,
    Info,
    PanopticAnnotation,
    PanopticCategory,
    PanopticFile,
    PanopticRecords,
)
from cityscapes_coco.coco.segmentations import decode_segmentation, has_segmentation
from cityscapes_coco.convert.sources import (
    find_frames,
    find_map_name,
    find_map_type,
    list_all_frames,
)
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.options import ALL_SPLITS, Options
from cityscapes_coco.pixels.photograph import read_size
from cityscapes_coco.pixels.rle import Rle, find_rles, from_counts, to_rle
from cityscapes_coco.run.workers import Map

_LABELS = {label.id: label for label in LABELS}

_PARTS = ("categories", "images", "annotations")

# How many instances the real fine annotations have, groups not counted: the frames of a split, the
# error that a count may have besides 2 percent, and the totals by class. The totals of train are
# known to a hundred only; those of val were counted from the polygons, riders left out.
_PUBLISHED = {
    "train": (2975, 50, (17_900, 1_800, 26_900, 500, 400, 200, 700, 3_700)),
    "val": (500, 5, (3_399, None, 4_656, 93, 98, 23, 149, 1_169)),
}

_FOREIGN = "map with values that Cityscapes never writes"

# The most culprits that are named for one kind of fault.
_NAMED = 3


class Row(NamedTuple):
    """A row of the table: the instances of a class, or its groups."""

    name: str
    is_group: bool

    def __str__(self) -> str:
        return f"{self.name} group" if self.is_group else self.name


# A fault about "masks" makes a file inexact: masks, boxes, areas, classes. A fault about "fields"
# leaves all of these exact. A fault about "data" is of the maps and photographs, not of the file.
About = Literal["masks", "fields", "data"]


class Fault(NamedTuple):
    """Something that is wrong: what kind of fault, and a line about the culprit."""

    kind: str
    culprit: str
    about: About = "masks"


class Outcome(NamedTuple):
    """What became of an instance in the maps, or of an annotation that none stands behind.

    `iou` is that of the two where both are there, else 0.
    """

    row: Row
    fate: Literal["exact", "inexact", "lost", "unexpected"]
    iou: float = 0


class Findings(NamedTuple):
    """What was found in one frame, or beside the frames.

    `instances` counts those in the maps; `left_out` has the rows of those that the file does not
    claim to hold.
    """

    faults: Sequence[Fault]
    frames: int = 0
    instances: int = 0
    outcomes: Sequence[Outcome] = ()
    left_out: Sequence[str] = ()


@dataclass
class Tally:
    """What became of the instances of one row; `ious` is the sum over the inexact ones."""

    exact: int = 0
    inexact: int = 0
    ious: float = 0
    lost: int = 0
    unexpected: int = 0

    @property
    def in_maps(self) -> int:
        return self.exact + self.inexact + self.lost


@dataclass
class Report:
    """What the comparison found, in `frames` frames whose maps have so many `instances`.

    `faults` counts the faults of each kind, `culprits` has a line about each of the first few, and
    `about` says what each kind is about.
    `left_out` counts what the file does not claim to hold: classes that the file does not name,
    groups if the file has none, and what is smaller than the file says. `skipped` counts frames of
    which the file itself says that they could not be read; `imageless` those that have no
    photograph of the image sets that the file names. `far_from_published` has a line for each class
    of a full split whose number is far from the published one.
    """

    path: Path
    boxes_only: bool
    rows: dict[Row, Tally]
    skipped: int = 0
    imageless: int = 0
    frames: int = 0
    instances: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    culprits: dict[str, list[str]] = field(default_factory=dict)
    about: dict[str, About] = field(default_factory=dict)
    far_from_published: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> Literal[0, 1, 3]:
        """1 if masks, boxes, areas or classes are not those of the maps; else 3 if fields are
        missing or wrong; else 0."""
        return 1 if "masks" in self.about.values() else 3 if "fields" in self.about.values() else 0

    def add(self, findings: Findings) -> None:
        self.frames += findings.frames
        self.instances += findings.instances
        self.left_out.update(findings.left_out)
        for row, fate, iou in findings.outcomes:
            tally = self.rows.setdefault(row, Tally())
            setattr(tally, fate, getattr(tally, fate) + 1)
            tally.ious += iou if fate == "inexact" else 0
        for kind, culprit, about in findings.faults:
            self.faults[kind] += 1
            self.about[kind] = about
            if self.faults[kind] <= _NAMED:
                self.culprits.setdefault(kind, []).append(culprit)


class _Scope(NamedTuple):
    """What a file claims to hold: everything of the rows that has `min_area` pixels or more.

    `names` are those of the file's categories, by id; `classes` has the name of the row for each
    class of Cityscapes.
    """

    names: Mapping[Id, str]
    classes: Mapping[str, str]
    rows: Collection[Row]
    min_area: int
    boxes_only: bool


class _Task(NamedTuple):
    """An image of a file, its annotations, its map, and where its photograph would be.

    `where` stands for the frame in faults. Of a panoptic file, `png` is the PNG file of the image,
    or the reason why there is none.
    """

    map_path: str
    where: str
    image: Image
    annotations: list[Annotation]
    photograph: str
    png: bytes | str | None = None


class _Source(NamedTuple):
    """An instance or group in a map, with its value there; `bbox` is [x, y, width, height]."""

    value: int
    row: Row
    rle: Rle
    area: int
    bbox: list[int]


class _Claim(NamedTuple):
    """An annotation; its row has no name without a category, `rle` is None without a mask."""

    annotation: Annotation
    row: Row
    rle: Rle | None


def verify_file(
    path: Path, datadir: Path, *, imagedir: Path | None = None, run: Map = map
) -> Report:
    """Compare every annotation of the COCO file at `path` with the maps in `datadir`; of a panoptic
    file, every segment.

    `imagedir` is the folder of the photographs if `find_dataset` was given one. `run` does the
    work, frame by frame, with the meaning of the builtin `map`. Raises UserError if the file cannot
    be read or none of its images has a map.
    """
    coco = read_coco(path)
    info = read_info(coco)
    options = read_options(info)
    map_type = find_map_type(coco.images, info)
    dataset = find_dataset(datadir, map_type, options.images, imagedir)
    frames = list_all_frames(dataset)
    found = find_frames(coco.images, frames, dataset.map_suffix)
    claimed = Counter(candidates[0] for candidates in found if len(candidates) == 1)
    splits = {frame.split for frame in claimed} or _find_empty_splits(coco, info, options)
    if not splits:
        raise UserError(
            dataset.folder,
            f"has no map of the {len(found)} images in {path}; expected"
            f" {map_type}/<split>/<city>/<frame>{dataset.map_suffix}",
        )
    frames = [frame for frame in frames if frame.split in splits]
    photographs = _list_photographs(dataset, splits, options.images)
    told = info.skipped if info else ()
    missing = [frame for frame in frames if frame not in claimed]
    skipped = {frame for frame in missing if _name(frame) in told}
    unclaimed = _find_unclaimed(claimed, set(frames) - skipped, photographs)
    dropped = [frame for frame in missing if frame in unclaimed and options.empty_frames == "drop"]
    scope = _find_scope(coco, options)
    report = Report(
        path,
        scope.boxes_only,
        {row: Tally() for row in scope.rows},
        skipped=len(skipped),
        imageless=sum(frame.map_path not in photographs for frame in missing),
    )
    faults = [
        *_check_fields(coco, scope.boxes_only),
        *_check_ids(coco),
        *_check_categories(coco, scope),
        *_check_images(coco.images, found, dataset.map_suffix),
        *_check_photographs(coco.images, found, frames, dataset.map_suffix),
        *(unclaimed[frame] for frame in frames if frame in unclaimed and frame not in dropped),
    ]
    report.add(Findings(faults))
    tasks = _list_tasks(coco, found, photographs, dropped)
    compared = run(partial(_compare_frame, scope=scope), _add_pngs(path, coco, tasks))
    for findings in tqdm(compared, "verify", len(tasks), unit="frame", disable=None):
        report.add(findings)
    foreign = report.faults[_FOREIGN]
    if not report.instances and report.frames and (foreign or splits != {"test"}):
        about: About = "masks" if foreign else "data"
        report.add(Findings([Fault("maps without any instance", "all", about)]))
    if map_type == "gtFine" and len(splits) == 1 and not options.min_area:
        totals = _count_classes(report, scope)
        report.far_from_published = compare_with_published(splits.pop(), report.frames, totals)
    return report


def compare_with_published(split: str, frames: int, totals: Mapping[str, int]) -> list[str]:
    """Return a line for each class of which a full split of the real fine annotations has a far
    different number of instances than `totals`; none if `frames` are not a full split."""
    full, slack, published = _PUBLISHED.get(split, (None, 0, ()))
    return [
        f"{totals[name]} {name}, published {expected}"
        for name, expected in zip(category_instancesonly, published, strict=False)
        if frames == full and expected and name in totals
        if abs(totals[name] - expected) > slack + expected / 50
    ]


def _count_classes(report: Report, scope: _Scope) -> dict[str, int]:
    """Return how many instances of each class the maps have, of those that are categories alone."""
    times = Counter(scope.classes.values())
    return {
        row.name: tally.in_maps
        for row, tally in report.rows.items()
        if not row.is_group and scope.classes.get(row.name) == row.name and times[row.name] == 1
    }


def _find_scope(coco: CocoFile, options: Options) -> _Scope:
    """Return what a file claims to hold, of the classes that its categories name."""
    if isinstance(coco, PanopticFile):
        return _find_panoptic_scope(coco)
    names = {c.id: c.name for c in coco.categories if c.name is not UNSET}
    with_groups = options.crowd == "keep" or any(a.iscrowd for a in coco.annotations)
    merged = {c: category.name for category in options.parsed_categories for c in category.classes}
    classes = {
        label.name: merged.get(label.name, label.name) for label in LABELS if label.has_instances
    }
    for name in classes.keys() & set(merged.values()) - merged.keys():
        # Another class goes by this name in the file.
        classes[name] = f"{name} of Cityscapes"
    rows = [
        Row(name, is_group)
        for is_group in ((False, True) if with_groups else (False,))
        for name in dict.fromkeys(classes.values())
        if name in names.values()
    ]
    boxes_only = bool(coco.annotations) and not any(map(has_segmentation, coco.annotations))
    return _Scope(names, classes, rows, options.min_area, boxes_only)


def _find_panoptic_scope(coco: PanopticFile) -> _Scope:
    """Return the same of a panoptic file, of the classes that Cityscapes evaluates."""
    names = {c.id: c.name for c in coco.categories if c.name is not UNSET}
    labels = [label for label in LABELS if not label.ignored]
    rows = [Row(label.name, False) for label in labels if label.name in names.values()]
    rows += [row._replace(is_group=True) for row in rows]
    return _Scope(names, {label.name: label.name for label in labels}, rows, 0, boxes_only=False)


def _list_tasks(
    coco: CocoFile,
    found: Sequence[Sequence[Frame]],
    photographs: Mapping[str, Sequence[str]],
    dropped: Iterable[Frame],
) -> list[_Task]:
    """Return the images of which one frame was `found`, and the frames that were `dropped` as ones
    without annotations, which has to be true."""
    annotations = group_by_image(coco.annotations)
    tasks = []
    for image, candidates in zip(coco.images, found, strict=True):
        if len(candidates) == 1:
            [frame] = candidates
            # The name may start at the data folder or further down.
            name = f"/{image.file_name or ''}".replace("\\", "/")
            paths = photographs.get(frame.map_path, ())
            photograph = next((path for path in paths if path.endswith(name)), "")
            of_image = annotations.get(image.id, [])
            tasks.append(_Task(frame.map_path, frame.stem, image, of_image, photograph))
    tasks += [_Task(frame.map_path, frame.stem, Image(), [], "") for frame in dropped]
    return tasks


def _add_pngs(path: Path, coco: CocoFile, tasks: Iterable[_Task]) -> Iterator[_Task]:
    """Yield the images of the file at `path`, those of a panoptic file with their PNG files. These
    are read here: the machines of a cluster need not have what was written."""
    if not isinstance(coco, PanopticFile):
        yield from tasks
        return
    for task in tasks:
        try:
            yield task._replace(png=read_png(path, task.image))
        except UserError as error:
            yield task._replace(png=str(error))


def _find_empty_splits(coco: CocoFile, info: Info | None, options: Options) -> set[str]:
    """Return the split of a file without images that was to have no empty frames."""
    if coco.images or info is None or options.empty_frames == "keep":
        return set()
    return set(ALL_SPLITS) & set(info.description.replace(",", "").split())


def _list_photographs(
    dataset: Dataset, splits: Iterable[str], image_sets: tuple[str, ...]
) -> dict[str, list[str]]:
    """Return the paths of the photographs of each frame, by the path of the map."""
    photographs = {}
    for split in splits:
        # Where the photographs are not at hand, none can be missed.
        with suppress(UserError):
            for frame in list_frames(dataset, split, image_sets).frames:
                paths = [f"{dataset.root.as_posix()}/{name}" for name in frame.file_names]
                photographs[frame.map_path] = paths
    return photographs


def _find_unclaimed(
    claimed: Mapping[Frame, int], frames: Iterable[Frame], photographs: Mapping[str, Sequence[str]]
) -> dict[Frame, Fault]:
    """Return the frames that have too few images in a file, each with what is wrong.

    `claimed` counts the images of each frame in the file. A frame should have an image for each of
    its `photographs` in the image sets, and needs none without a photograph there.
    """
    unclaimed = {}
    for frame in frames:
        count, expected = claimed.get(frame, 0), len(photographs.get(frame.map_path, ()))
        if count < expected:
            if count:
                culprit = f"{frame.map_path}: {count} of {expected}"
                unclaimed[frame] = Fault("map without all its images", culprit)
            else:
                unclaimed[frame] = Fault("map without an image", frame.map_path)
    return unclaimed


def _check_fields(coco: CocoFile, boxes_only: bool) -> Iterator[Fault]:
    """Yield the fields that COCO asks for and that are not there."""
    for where, record in _name_records(coco):
        for name in record.needed:
            if getattr(record, name) is UNSET:
                yield Fault("missing field", f"no {name} in {where}", "fields")
    if boxes_only or isinstance(coco, PanopticFile):
        return
    for index, annotation in enumerate(coco.annotations):
        if not has_segmentation(annotation):
            yield Fault("missing field", f"no segmentation in annotations[{index}]", "fields")


def _name_records(coco: CocoFile) -> Iterator[tuple[str, Any]]:
    """Yield the records of a file, each with where it is."""
    records = coco.records if isinstance(coco, PanopticFile) else coco
    yield "the file", records
    for part in _PARTS:
        for index, record in enumerate(getattr(records, part)):
            yield f"{part}[{index}]", record
            if isinstance(record, PanopticAnnotation):
                for number, segment in enumerate(record.segments_info or ()):
                    yield f"{part}[{index}].segments_info[{number}]", segment


def _check_ids(coco: CocoFile) -> Iterator[Fault]:
    """Yield ids that are not unique, that lead nowhere, or that COCOeval does not bear."""
    if isinstance(coco, PanopticFile):
        yield from _check_panoptic_ids(coco.records)
        return
    known: dict[str, Counter[int]] = {}
    for part in _PARTS:
        ids = (record.id for record in getattr(coco, part))
        known[part] = Counter(value for value in ids if value is not UNSET)
        for value, times in known[part].items():
            if times > 1:
                yield Fault("wrong id", f"{part} have the id {value} {times} times", "fields")
    if 0 in known["annotations"]:
        culprit = "annotations have the id 0, which COCOeval takes for no match"
        yield Fault("wrong id", culprit, "fields")
    for annotation in coco.annotations:
        for name, part in ("image_id", "images"), ("category_id", "categories"):
            value = getattr(annotation, name)
            if value is not UNSET and value not in known[part]:
                yield Fault(
                    "wrong id",
                    f"annotation {_id(annotation)} has the {name} {value}, which none of the {part}"
                    " has",
                    "fields",
                )


def _check_panoptic_ids(records: PanopticRecords) -> Iterator[Fault]:
    """Yield ids of a panoptic file that are not unique or lead nowhere, and images without just one
    annotation: panopticapi, for one, takes the annotation of an image by its id."""
    categories = Counter(category.id for category in records.categories)
    images = Counter(image.id for image in records.images)
    annotated = Counter(annotation.image_id for annotation in records.annotations)
    for part, counts in ("categories", categories), ("images", images):
        for value, times in counts.items():
            if value is not UNSET and times > 1:
                yield Fault("wrong id", f"{part} have the id {value} {times} times", "fields")
    for image_id in [*images, *(key for key in annotated if key not in images)]:
        if image_id is not UNSET and (images[image_id] == 0 or annotated[image_id] != 1):
            culprit = f"{image_id}: {images[image_id]} images and {annotated[image_id]} annotations"
            yield Fault("wrong id", f"{culprit}, not one of each", "fields")
    for annotation in records.annotations:
        segments = annotation.segments_info or ()
        who = f"annotation of {annotation.image_id or 'no image'}"
        for value, times in Counter(segment.id for segment in segments).items():
            if value is not UNSET and (times > 1 or value == 0):
                culprit = f"{who}: {times} segments have the id {value}; 0 is void"
                yield Fault("wrong id", culprit, "fields")
        for segment in segments:
            if segment.category_id is not UNSET and segment.category_id not in categories:
                culprit = f"{who}: segment {segment.id} has the category_id {segment.category_id}"
                yield Fault("wrong id", f"{culprit}, which none of the categories has", "fields")


def _check_categories(coco: CocoFile, scope: _Scope) -> Iterator[Fault]:
    has_instances = {label.name: label.has_instances for label in LABELS}
    kind = "is evaluated" if isinstance(coco, PanopticFile) else "has instances"
    for category in coco.categories:
        if category.name is UNSET:
            continue
        if category.name not in scope.classes.values():
            culprit = f"{category.name!r} is no class of Cityscapes that {kind}"
            yield Fault("unknown category", culprit, "fields")
        elif isinstance(category, PanopticCategory) and category.isthing not in (
            UNSET,
            has_instances[category.name],
        ):
            culprit = f"{category.name} has the isthing {category.isthing}"
            yield Fault("wrong isthing", culprit, "fields")


def _check_images(
    images: Sequence[Image], found: Sequence[Sequence[Frame]], suffix: str
) -> Iterator[Fault]:
    for image, frames in zip(images, found, strict=True):
        name = image.file_name or "an image"
        if not frames:
            yield Fault("image without a map", f"{name}: no {find_map_name(image, suffix)}")
        elif len(frames) > 1:
            paths = " or ".join(frame.map_path for frame in frames)
            yield Fault("image of several maps", f"{name}: {paths}")


def _check_photographs(
    images: Sequence[Image], found: Sequence[Sequence[Frame]], frames: Iterable[Frame], suffix: str
) -> Iterator[Fault]:
    """Yield the images whose map is of one frame, and whose photograph is named like another."""
    photographs = [Image(file_name=image.file_name) for image in images]
    shown = find_frames(photographs, frames, suffix)
    for image, candidates, others in zip(images, found, shown, strict=True):
        if len(candidates) == 1 and others and candidates[0] not in others:
            culprit = f"{image.file_name}, the map is {candidates[0].map_name}"
            yield Fault("photograph of another frame", culprit)


def _compare_frame(task: _Task, scope: _Scope) -> Findings:
    """Compare the annotations of one image with its map."""
    try:
        id_map = read_id_map(task.map_path)
    except UserError as error:
        return Findings([Fault("map that cannot be read", str(error))])
    sources, foreign = _find_sources(id_map, scope.classes)
    claims, faults = [], [*_check_sizes(task, *id_map.shape)]
    if foreign:
        faults.append(Fault(_FOREIGN, f"{task.where}: {', '.join(map(str, foreign[:4]))}", "data"))
    rles, broken = _decode_masks(task, *id_map.shape)
    faults += broken
    for annotation, rle in zip(task.annotations, rles, strict=True):
        name = scope.names.get(annotation.category_id, "")
        claims.append(_Claim(annotation, Row(name, bool(annotation.iscrowd)), rle))

    named = Counter(claim.annotation.map_value for claim in claims)
    pairs = _match(claims, sources, named)
    outcomes: list[Outcome] = []
    left_out: list[str] = []
    for index, claim in enumerate(claims):
        who = _who(task, claim.annotation)
        faults += _check_map_value(claim.annotation, sources, named, who)
        if index in pairs:
            source = sources[pairs[index]]
            outcome = _compare_pair(claim, source, scope.boxes_only)
            faults += _check_pair(claim, source, outcome, who)
        else:
            row = claim.row._replace(name=claim.row.name or "no class")
            outcome = Outcome(row, "unexpected")
            culprit = f"{who}: no {row} is there, or another annotation has it"
            faults.append(Fault("unexpected", culprit))
        outcomes.append(outcome)
    for value in sorted(sources.keys() - pairs.values()):
        row, area = sources[value].row, sources[value].area
        if row not in scope.rows:
            left_out.append(str(row))
        elif area < scope.min_area:
            left_out.append(f"{row} of less than {scope.min_area} pixels")
        else:
            outcomes.append(Outcome(row, "lost"))
            faults.append(Fault("lost", f"{task.where}: {row} {value}, {area} pixels"))
    instances = sum(value >= 1000 and value not in foreign for value in sources)
    return Findings(faults, 1, instances, outcomes, left_out)


def _decode_masks(task: _Task, height: int, width: int) -> tuple[list[Rle | None], list[Fault]]:
    """Return the mask of each annotation of an image, None where there is none, and what is wrong
    about them."""
    if task.png is not None:
        return _decode_segments(task, height, width)
    rles: list[Rle | None] = []
    faults = []
    for annotation in task.annotations:
        rle = None
        try:
            rle = to_rle(decode_segmentation(annotation), height, width)
        except ValueError as error:
            faults.append(Fault("broken segmentation", f"{_who(task, annotation)}: {error}"))
        rles.append(rle)
    return rles, faults


def _decode_segments(task: _Task, height: int, width: int) -> tuple[list[Rle | None], list[Fault]]:
    """Return the same of the segments of an image."""
    png = task.png
    masks: dict[int, Rle] = {}
    try:
        if not isinstance(png, bytes):
            raise ValueError(png)
        masks = find_rles(decode_segment_ids(png, height, width), lambda ids: ids > 0, 1)
    except ValueError as error:
        fault = Fault("PNG file that cannot be read", f"{task.where}: {error}")
        return [None] * len(task.annotations), [fault]
    values = [annotation.map_value or 0 for annotation in task.annotations]
    faults = []
    for value in sorted(masks.keys() - set(values)):
        culprit = f"{task.where}: {value}, {int(coco_mask.area(masks[value]))} pixels"
        faults.append(Fault("pixels of no segment", culprit))
    for value in values:
        if value not in masks:
            faults.append(Fault("segment without pixels", f"{task.where}: {value}"))
    return [masks.get(value) for value in values], faults


def _find_sources(
    id_map: NDArray[np.uint16], classes: Mapping[str, str]
) -> tuple[dict[int, _Source], list[int]]:
    """Return what a map, shape (height, width), has of some classes, by the values there, and the
    values that Cityscapes never writes: those of instances whose label has none. `classes` has the
    name of the row for each class: those with instances, and of a panoptic file stuff too."""
    ids = [label.id for label in LABELS if label.name in classes]

    def may_be_asked_for(values: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (values >= 1000) | np.isin(values, ids)

    sources, foreign = {}, []
    for value, rle in find_rles(id_map, may_be_asked_for, min(ids)).items():
        label = _LABELS.get(value if value < 1000 else value // 1000)
        if value >= 1000 and not (label and label.has_instances):
            foreign.append(value)
        if label is None or label.name not in classes:
            continue
        row = Row(classes[label.name], value < 1000 and label.has_instances)
        # One by one: pycocotools cannot count more than 255 of them.
        area, bbox = int(coco_mask.area(rle)), coco_mask.toBbox(rle).astype(int).tolist()
        sources[value] = _Source(value, row, rle, area, bbox)
    return sources, foreign


def _match(
    claims: Sequence[_Claim], sources: Mapping[int, _Source], named: Mapping[Id, int]
) -> dict[int, int]:
    """Return the value in the map that belongs to each claim, by the claim's index.

    A claim that is the only one to name an instance has it; `named` counts the claims that name
    each. The others go by overlap: first within their row, where the best pair comes first and any
    overlap will do; what is left is taken for a wrong category where at least half is common.
    """
    pairs: dict[int, int] = {}
    for index, claim in enumerate(claims):
        value = claim.annotation.map_value
        if value is not UNSET and value in sources and named[value] == 1:
            pairs[index] = value
    rest = [index for index in range(len(claims)) if index not in pairs]
    free = sorted(sources.keys() - pairs.values())
    if not rest or not free:
        return pairs
    overlap = _overlap([claims[index] for index in rest], [sources[value] for value in free])
    candidates = []
    for i, j in np.argwhere(overlap > 0).tolist():
        same = claims[rest[i]].row == sources[free[j]].row
        if same or overlap[i, j] >= 0.5:
            candidates.append((same, overlap[i, j], rest[i], free[j]))
    taken = set(pairs.values())
    for _, _, index, source_value in sorted(candidates, reverse=True):
        if index not in pairs and source_value not in taken:
            pairs[index] = source_value
            taken.add(source_value)
    return pairs


def _compare_pair(claim: _Claim, source: _Source, boxes_only: bool) -> Outcome:
    # Nearly all masks are exact, and then their run lengths are the same.
    if not boxes_only and claim.rle == source.rle:
        return Outcome(source.row, "exact", 1)
    ious = _box_ious if boxes_only else _mask_ious
    iou = float(ious([claim], [source])[0, 0])
    # A quotient of integers is 1 only if they are the same.
    return Outcome(source.row, "exact" if iou == 1 else "inexact", iou)


def _check_pair(claim: _Claim, source: _Source, outcome: Outcome, who: str) -> Iterator[Fault]:
    annotation, there = claim.annotation, f"{source.row} {source.value}"
    if outcome.fate == "inexact":
        yield Fault("inexact", f"{who}: IoU {outcome.iou:.4f} with {there}")
    if claim.row.name != source.row.name:
        name = claim.row.name or "no class"
        yield Fault("wrong category", f"{who}: {name}, the map has {there}")
    if annotation.iscrowd is not UNSET and annotation.iscrowd != source.row.is_group:
        yield Fault("wrong iscrowd", f"{who}: {annotation.iscrowd}, the map has {there}")
    if annotation.bbox is not UNSET and list(annotation.bbox) != source.bbox:
        yield Fault("wrong bbox", f"{who}: {list(annotation.bbox)}, {there} has {source.bbox}")
    if annotation.area is not UNSET and annotation.area != source.area:
        yield Fault("wrong area", f"{who}: {annotation.area}, {there} has {source.area}")


def _check_map_value(
    annotation: Annotation,
    sources: Mapping[int, _Source],
    named: Mapping[Id, int],
    who: str,
) -> Iterator[Fault]:
    value = annotation.map_value
    if value is not UNSET and value not in sources:
        yield Fault("wrong map_value", f"{who}: {value} is not in the map", "fields")
    elif value is not UNSET and named[value] > 1:
        yield Fault("wrong map_value", f"{who}: {value} is there {named[value]} times", "fields")


def _check_sizes(task: _Task, height: int, width: int) -> Iterator[Fault]:
    """Compare the size of a map, in pixels, with that of the image and that of the photograph."""
    in_file, in_map = (task.image.width, task.image.height), f"the map has {width} x {height}"
    if UNSET not in in_file and in_file != (width, height):
        culprit = f"{task.where}: {in_file[0]} x {in_file[1]}, {in_map}"
        yield Fault("wrong image size", culprit, "fields")
    size = read_size(task.photograph)
    if size and size != (width, height):
        culprit = f"{task.photograph}: {size[0]} x {size[1]}, {in_map}"
        yield Fault("photograph of another size than its map", culprit, "data")


def _overlap(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    """Return the IoU of each claim with each source, shape (claims, sources): that of the masks,
    or, where a claim has none or an empty one, that of the boxes."""
    has_mask = [claim.rle is not None and coco_mask.area(claim.rle) > 0 for claim in claims]
    by_mask, by_box = _mask_ious(claims, sources), _box_ious(claims, sources)
    return np.where(np.array(has_mask)[:, None], by_mask, by_box)


def _mask_ious(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    height, width = sources[0].rle["size"]
    empty = from_counts([height * width], height, width)
    masks = [claim.rle or empty for claim in claims]
    return np.array(coco_mask.iou(masks, [source.rle for source in sources], [0] * len(sources)))


def _box_ious(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    boxes = np.array([claim.annotation.bbox or (0, 0, 0, 0) for claim in claims], float)
    true_boxes = np.array([source.bbox for source in sources])
    return np.array(coco_mask.iou(boxes, true_boxes, [0] * len(sources)))


def _name(frame: Frame) -> str:
    return one_line(frame.map_name)


def _who(task: _Task, annotation: Annotation) -> str:
    what = "annotation" if task.png is None else "segment"
    return f"{task.where}: {what} {_id(annotation)}"


def _id(annotation: Annotation) -> str:
    return "without an id" if annotation.id is UNSET else str(annotation.id)
