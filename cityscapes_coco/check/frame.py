"""One image of a COCO file compared with its map.

The converter's way to an instance is not used here, so that a mistake in it is found: a map is cut
into runs down its columns, as pycocotools does it, and masks are compared as pycocotools' RLEs of
the whole frame. The masks of a panoptic file are cut from its PNG files in the same way.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.check.drawing import redraw
from cityscapes_coco.check.parts import split_rle
from cityscapes_coco.check.records import Fault, Row, Scope, name_id
from cityscapes_coco.cityscapes.frame import is_drawn
from cityscapes_coco.cityscapes.id_map import read_id_map
from cityscapes_coco.coco.panoptic import decode_segment_ids
from cityscapes_coco.coco.records import Annotation, Id, Image
from cityscapes_coco.coco.segmentations import decode_rle
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS, LABELS_BY_ID
from cityscapes_coco.pixels.photograph import read_size
from cityscapes_coco.pixels.rle import Rle, find_rles, from_counts
from cityscapes_coco.run.folders import name_some

# Ids without a segment of which a PNG file's are named one by one.
_MOST_STRANGE = 1000

FOREIGN = "map with values that Cityscapes never writes"


class CheckedImage(NamedTuple):
    """An image of a file with everything that its check needs.

    `where` names the frame in faults. `photograph` is a path, or "" if there is no photograph.
    `png` is for panoptic files: the content of the PNG file, or the reason why there is none.
    """

    annotation_path: str
    where: str
    image: Image
    annotations: Sequence[Annotation]
    photograph: str
    png: bytes | str | None = None


class Outcome(NamedTuple):
    """What became of an instance of the maps; or an annotation that matches no instance, which is
    unexpected. `iou` is 0 unless there are both."""

    row: Row
    fate: Literal["exact", "inexact", "lost", "unexpected"]
    iou: float = 0


class Findings(NamedTuple):
    """What the check found in one frame, or in the file as a whole.

    `instances` counts the instances in the map. `left_out` has a line for each instance or group
    that the file need not hold.
    """

    faults: Sequence[Fault]
    frames: int = 0
    instances: int = 0
    outcomes: Sequence[Outcome] = ()
    left_out: Sequence[str] = ()


class _Source(NamedTuple):
    """An instance, a group or stuff in a map, and its value there; `bbox` is [x, y, width,
    height]."""

    value: int
    row: Row
    rle: Rle
    area: int
    bbox: list[int]


class _Claim(NamedTuple):
    """An annotation and its mask. `rle` is None without a mask, the name of the row is empty
    without a category; `who` names the annotation in faults."""

    annotation: Annotation
    row: Row
    rle: Rle | None
    who: str


def compare_frame(checked: CheckedImage, scope: Scope) -> Findings:
    """Compare the annotations of one image with its map."""
    drawn = is_drawn(checked.annotation_path)
    try:
        if drawn:
            id_map = redraw(checked.annotation_path, void_unknown=scope.void_unknown)
        else:
            id_map, _ = read_id_map(checked.annotation_path)
    except UserError as error:
        return Findings([Fault("map that cannot be read", str(error))])
    sources, foreign = _find_sources(id_map, scope)
    faults = [*check_sizes(checked, *id_map.shape)]
    if not drawn:
        faults += _check_numbers(sources, checked.where)
    if foreign and not scope.void_unknown:
        faults.append(Fault(FOREIGN, f"{checked.where}: {name_some(foreign)}", "data"))
    claims, broken = _list_claims(checked, scope, *id_map.shape)
    compared = _compare(claims, sources, scope, checked.where)
    instances = sum(s.value >= 1000 and s.value not in foreign for s in sources)
    faults += [*broken, *compared.faults]
    return compared._replace(faults=faults, frames=1, instances=instances)


def _find_sources(id_map: NDArray[np.uint16], scope: Scope) -> tuple[list[_Source], list[int]]:
    """Return the instances, groups and stuff of a map, shape (height, width), and the values that
    Cityscapes never writes: 1000 or more, of a label without instances.

    Stuff is one source for each row or each connected part, with the least label id of its row as
    its value; for panoptic files, one for each value.
    """
    classes = scope.classes
    ids = [label.id for label in LABELS if label.name in classes]

    def may_be_asked_for(values: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (values >= 1000) | np.isin(values, ids)

    sources, foreign = [], []
    stuff: dict[tuple[int, str], list[Rle]] = {}
    for value, rle in find_rles(id_map, may_be_asked_for, min(ids)).items():
        label = LABELS_BY_ID.get(value if value < 1000 else value // 1000)
        if value >= 1000 and not (label and label.has_instances):
            foreign.append(value)
            if scope.void_unknown:
                continue
        if label is None or label.name not in classes:
            continue
        row = Row(classes[label.name], value < 1000 and label.has_instances)
        if label.has_instances:
            sources.append(_measure(value, row, rle))
        else:
            of_row = (lab.id for lab in LABELS if classes.get(lab.name) == row.name)
            key = value if scope.stuff == "values" else min(of_row)
            stuff.setdefault((key, row.name), []).append(rle)
    for (value, name), rles in stuff.items():
        union = coco_mask.merge(rles)
        for rle in split_rle(union) if scope.stuff == "parts" else [union]:
            sources.append(_measure(value, Row(name, False), rle))
    return sources, foreign


def _measure(value: int, row: Row, rle: Rle) -> _Source:
    # One by one: pycocotools cannot measure more than 255 masks at once.
    area, bbox = int(coco_mask.area(rle)), coco_mask.toBbox(rle).astype(int).tolist()
    return _Source(value, row, rle, area, bbox)


def _check_numbers(sources: Iterable[_Source], where: str) -> Iterator[Fault]:
    """Yield the classes of which a map has every number from 0 to 999: one instance more would have
    the value of another class."""
    counts = Counter(source.value // 1000 for source in sources if source.value >= 1000)
    for label_id, count in counts.items():
        if count == 1000:
            culprit = f"{where}: {LABELS_BY_ID[label_id].name}"
            yield Fault("map with all 1,000 numbers of a class", culprit)


def _list_claims(
    checked: CheckedImage, scope: Scope, height: int, width: int
) -> tuple[list[_Claim], list[Fault]]:
    """Return the annotations of an image with their masks, and what is wrong with the masks."""
    is_panoptic = checked.png is not None
    segments, faults = _cut_segments(checked, height, width) if is_panoptic else ({}, [])
    claims = []
    for annotation in checked.annotations:
        what = "segment" if is_panoptic else "annotation"
        who = f"{checked.where}: {what} {name_id(annotation)}"
        rle = segments.get(annotation.map_value or 0)
        try:
            if not is_panoptic:
                rle = decode_rle(annotation, height, width, with_opencv=scope.with_opencv)
        except ValueError as error:
            faults.append(Fault("broken segmentation", f"{who}: {error}"))
        row = Row(scope.names.get(annotation.category_id, ""), bool(annotation.iscrowd))
        claims.append(_Claim(annotation, row, rle, who))
    return claims, faults


def _cut_segments(
    checked: CheckedImage, height: int, width: int
) -> tuple[dict[int, Rle], list[Fault]]:
    """Return the masks in the PNG file of an image, by segment id, and what is wrong with them."""
    png, where = checked.png, checked.where
    try:
        if not isinstance(png, bytes):
            raise ValueError(png)
        ids = decode_segment_ids(png, height, width)
    except ValueError as error:
        return {}, [Fault("PNG file that cannot be read", f"{where}: {error}")]
    values = [annotation.map_value or 0 for annotation in checked.annotations]
    faults = []
    masks = find_rles(ids, lambda ids: np.isin(ids, values) & (ids > 0), 1)
    if sum(int(coco_mask.area(mask)) for mask in masks.values()) < np.count_nonzero(ids):
        found, pixels = np.unique(ids[~np.isin(ids, [0, *values])], return_counts=True)
        # In noise, nearly every pixel has an id of its own.
        for value, count in zip(found[:_MOST_STRANGE], pixels, strict=False):
            faults.append(Fault("pixels of no segment", f"{where}: {value}, {count} pixels"))
    for value in values:
        if value not in masks:
            faults.append(Fault("segment without pixels", f"{where}: {value}"))
    return masks, faults


def _compare(
    claims: Sequence[_Claim], sources: Sequence[_Source], scope: Scope, where: str
) -> Findings:
    """Compare annotations with the instances and groups of a map, wherever both come from."""
    named = Counter(claim.annotation.map_value for claim in claims)
    there: Counter[Id] = Counter(source.value for source in sources)
    pairs = _match(claims, sources, [value for value in there if there[value] == named[value] == 1])
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    left_out = []
    for index, claim in enumerate(claims):
        source = sources[pairs[index]] if index in pairs else None
        faults += _check_map_value(claim, source, there, named)
        outcomes.append(_compare_pair(claim, source, scope.boxes_only))
        faults += _check_pair(claim, source, outcomes[-1])
    taken = set(pairs.values())
    for index, source in enumerate(sources):
        row, area = source.row, source.area
        if index in taken:
            continue
        if row not in scope.rows:
            left_out.append(str(row))
        elif area < scope.min_area:
            left_out.append(f"{row} of less than {scope.min_area} pixels")
        else:
            outcomes.append(Outcome(row, "lost"))
            faults.append(Fault("lost", f"{where}: {row} {source.value}, {area} pixels"))
    return Findings(faults, outcomes=outcomes, left_out=left_out)


def _match(
    claims: Sequence[_Claim], sources: Sequence[_Source], unique: Collection[Id]
) -> dict[int, int]:
    """Return the index of the source that belongs to each claim, by the index of the claim.

    A claim gets the source with the value it names if the value is `unique`: no other claim names
    it, and no other source has it. Then come claims with exactly the mask of a source of their row,
    or its box if they have no mask. All other claims go by overlap, the best pair first: within a
    row any overlap will do; across rows, where the category must be wrong, the IoU has to be at
    least a half.
    """
    places: dict[Id, int] = {source.value: place for place, source in enumerate(sources)}
    pairs = {
        index: places[claim.annotation.map_value]
        for index, claim in enumerate(claims)
        if claim.annotation.map_value in unique
    }
    taken = set(pairs.values())
    # Thousands of parts may have one value: the overlap of each with each would fill the memory.
    equal: dict[object, list[int]] = defaultdict(list)
    for place, source in enumerate(sources):
        equal[source.row, source.rle["counts"]].append(place)
        equal[source.row, tuple(source.bbox)].append(place)
    for index, claim in reversed([*enumerate(claims)]):
        own = equal[claim.row, claim.rle["counts"] if claim.rle else claim.annotation.bbox]
        while index not in pairs and own:
            if (place := own.pop()) not in taken:
                pairs[index] = place
                taken.add(place)
    rest = [index for index in range(len(claims)) if index not in pairs]
    free = [place for place in range(len(sources)) if place not in taken]
    if not rest or not free:
        return pairs
    overlap = _overlap([claims[index] for index in rest], [sources[place] for place in free])
    candidates = []
    for i, j in np.argwhere(overlap > 0).tolist():
        same = claims[rest[i]].row == sources[free[j]].row
        if same or overlap[i, j] >= 0.5:
            candidates.append((same, overlap[i, j], rest[i], free[j]))
    for _, _, index, place in sorted(candidates, reverse=True):
        if index not in pairs and place not in taken:
            pairs[index] = place
            taken.add(place)
    return pairs


def _compare_pair(claim: _Claim, source: _Source | None, boxes_only: bool) -> Outcome:
    if source is None:
        return Outcome(claim.row._replace(name=claim.row.name or "no class"), "unexpected")
    # Nearly all masks are exact, and then their run lengths are equal.
    if claim.rle == source.rle:
        return Outcome(source.row, "exact", 1)
    ious = _box_ious if boxes_only else _mask_ious
    iou = float(ious([claim], [source])[0, 0])
    # The IoU is a quotient of integers, so it is 1 only if both are equal.
    return Outcome(source.row, "exact" if iou == 1 else "inexact", iou)


def _check_pair(claim: _Claim, source: _Source | None, outcome: Outcome) -> Iterator[Fault]:
    annotation, who = claim.annotation, claim.who
    there = f"{source.row} {source.value}" if source else ""
    yield from check_outcome(who, outcome, there)
    if source is None:
        return
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
    claim: _Claim, source: _Source | None, there: Mapping[Id, int], named: Mapping[Id, int]
) -> Iterator[Fault]:
    """Yield a fault if the value that a claim names is not the one of its source, or is too often
    there; `there` counts the sources with a value, `named` the claims."""
    value, who = claim.annotation.map_value, claim.who
    if value is UNSET:
        return
    if value not in there:
        yield Fault("wrong map_value", f"{who}: {value} is not in the map", "fields")
    elif named[value] > there[value]:
        yield Fault("wrong map_value", f"{who}: {value} is there {named[value]} times", "fields")
    elif source and source.value != value:
        yield Fault("wrong map_value", f"{who}: {value}, the map has {source.value}", "fields")


def check_outcome(who: str, outcome: Outcome, there: str) -> Iterator[Fault]:
    """Yield a fault if the annotation `who` matches nothing, or what is `there` inexactly."""
    if outcome.fate == "unexpected":
        culprit = f"{who}: no {outcome.row} is there, or another annotation has it"
        yield Fault("unexpected", culprit)
    elif outcome.fate == "inexact":
        yield Fault("inexact", f"{who}: IoU {outcome.iou:.4f} with {there}")


def check_sizes(
    checked: CheckedImage, height: int, width: int, kind: str = "map"
) -> Iterator[Fault]:
    """Compare the size of a frame, in pixels, with the sizes of its image and its photograph. The
    size is from an annotation file of this kind."""
    in_file = checked.image.width, checked.image.height
    in_map = f"the {kind} has {width} x {height}"
    if UNSET not in in_file and in_file != (width, height):
        culprit = f"{checked.where}: {in_file[0]} x {in_file[1]}, {in_map}"
        yield Fault("wrong image size", culprit, "fields")
    size = read_size(checked.photograph)
    if size and size != (width, height):
        culprit = f"{checked.photograph}: {size[0]} x {size[1]}, {in_map}"
        yield Fault(f"photograph of another size than its {kind}", culprit, "data")


def _overlap(claims: Sequence[_Claim], sources: Sequence[_Source]) -> NDArray[np.float64]:
    """Return the IoU of each claim with each source, shape (claims, sources).

    Masks are compared; boxes where the claim has no mask or an empty one.
    """
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
