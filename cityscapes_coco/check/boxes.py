"""One image of a COCO file compared with its file of boxes.

The converter's way to a box is not used here, so that a mistake in it is found: the file is read
with Python's `json`, and the rules for both kinds of boxes are stated once more.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET
from pycocotools import mask as coco_mask

from cityscapes_coco.check.frame import CheckedImage, Findings, Outcome, check_outcome, check_sizes
from cityscapes_coco.check.records import Fault, Row, Scope, name_id
from cityscapes_coco.cityscapes.boxes_json import MOST_BYTES
from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import read_file

# Regions that no detector is asked about have one row, whatever they are regions of.
_REGION = Row("ignore region", False)
_REGIONS = "person group", "ignore", "cantsolve"
# COCO asks for these fields: `check_fields` finds where they are missing.
_NEEDED = "bbox", "area", "iscrowd"


class _Source(NamedTuple):
    """An object of the file that should have an annotation: its place among the objects, the name
    of the category, and the values of the annotation's fields."""

    place: int
    row: Row
    category: str
    fields: Mapping[str, Any]


class _Claim(NamedTuple):
    """An annotation, the name of its category, and its fields as JSON has them; `who` names it in
    faults."""

    row: Row
    category: str
    fields: Mapping[str, Any]
    who: str


def compare_boxes(checked: CheckedImage, scope: Scope) -> Findings:
    """Compare the annotations of one image with its file of boxes."""
    try:
        file = json.loads(read_file(checked.annotation_path, MOST_BYTES))
        width, height = int(file["imgWidth"]), int(file["imgHeight"])
        sources, left_out, instances = _find_sources(file, scope)
    except UserError as error:
        return Findings([Fault("box file that cannot be read", str(error))])
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        reason = f"{checked.annotation_path}: {type(error).__name__}: {error}"
        return Findings([Fault("box file that cannot be read", reason)])
    claims = [_claim(annotation, checked.where, scope) for annotation in checked.annotations]
    pairs = _match(claims, sources)
    outcomes = []
    faults = [*check_sizes(checked, height, width, "box file")]
    if scope.annotation_type == "gtBboxValidated":
        faults += _check_classes(checked, file)
    for index, claim in enumerate(claims):
        source = sources[pairs[index]] if index in pairs else None
        outcomes.append(_compare_pair(claim, source))
        faults += _check_pair(claim, source, outcomes[-1])
    for index in sorted({*range(len(sources))} - {*pairs.values()}):
        place, row, _, fields = sources[index]
        outcomes.append(Outcome(row, "lost"))
        faults.append(Fault("lost", f"{checked.where}: {row} objects[{place}], {fields['bbox']}"))
    return Findings(faults, 1, instances, outcomes, left_out)


def _check_classes(checked: CheckedImage, file: Mapping[str, Any]) -> Iterator[Fault]:
    there, found = file.get("classes"), checked.image.soft_label_classes
    if there and found is UNSET:
        yield Fault("missing field", f"{checked.where}: no soft_label_classes", "fields")
    elif found is not UNSET and found != there:
        yield Fault("wrong soft_label_classes", f"{checked.where}: {found}, not {there}")


def _find_sources(file: Any, scope: Scope) -> tuple[list[_Source], list[str], int]:
    """Return the objects that should have annotations, a line for each other one, and the number of
    all objects that are no regions.

    CityPersons' objects of other classes are regions, too, where there are any.
    """
    of_persons = scope.annotation_type == "gtBboxCityPersons"
    asked_for = {row.name for row in scope.rows}
    with_regions = any(row.is_group for row in scope.rows)
    sources, left_out, instances = [], [], 0
    for place, found in enumerate(file["objects"]):
        name, fields = (_read_person if of_persons else _read_validated)(file, found)
        category = scope.classes.get(name, "")
        if not category and name not in _REGIONS:
            raise LookupError(f"objects[{place}] is of the class {name!r}")
        instances += bool(category)
        is_asked_for = category in asked_for
        is_region = not category or (of_persons and not is_asked_for)
        area = fields["area"]
        list(map(float, fields["bbox"]))  # no text has an overlap
        if not is_asked_for and not (is_region and with_regions):
            left_out.append(name)
        elif area < scope.min_area:
            left_out.append(f"{name} of less than {scope.min_area} pixels")
        else:
            row = Row(category, False)
            if is_region:
                row, category = _REGION, next(row.name for row in scope.rows)
            flags = {"iscrowd": int(is_region), "ignore": int(is_region)}
            sources.append(_Source(place, row, category, fields | flags))
    return sources, left_out, instances


def _read_person(_: Any, found: Any) -> tuple[str, dict[str, Any]]:
    (_, _, width, height), (_, _, visible_width, visible_height) = found["bbox"], found["bboxVis"]
    area = width * height
    share = (visible_width * visible_height) / area if area else 0
    fields = {"bbox": found["bbox"], "area": area, "map_value": found["instanceId"]}
    return found["label"], fields | {
        "vis_bbox": found["bboxVis"],
        "vis_ratio": share,
        "height": height,
    }


def _read_validated(file: Any, found: Any) -> tuple[str, dict[str, Any]]:
    left, top, right, bottom = found["bbox"]
    probabilities = found["soft_label"]
    # The first of the classes that are the likeliest.
    name = max(zip(probabilities, file["classes"], strict=True), key=lambda pair: pair[0])[1]
    fields = {"bbox": [left, top, right - left, bottom - top], "soft_label": probabilities}
    fields["area"] = (right - left) * (bottom - top)
    optional = ("vote_counts", "added_from_original_annotations")
    return name, fields | {key: found[key] for key in optional if key in found}


def _claim(annotation: Annotation, where: str, scope: Scope) -> _Claim:
    category = scope.names.get(annotation.category_id, "")
    fields = {name: getattr(annotation, name) for name in annotation.__struct_fields__}
    fields = {name: value for name, value in fields.items() if value is not UNSET}
    for name in "bbox", "vis_bbox":
        if name in fields:
            fields[name] = list(fields[name])
    row = _REGION if annotation.iscrowd else Row(category or "no class", False)
    return _Claim(row, category, fields, f"{where}: annotation {name_id(annotation)}")


def _match(claims: Sequence[_Claim], sources: Sequence[_Source]) -> dict[int, int]:
    """Return the index of the object that belongs to each annotation, by the annotation's index.

    Pairs that agree in every field come first, then pairs of one row and box. The others go by
    overlap: within a row any overlap will do; across rows the IoU has to be at least a half.
    """
    pairs: dict[int, int] = {}
    keys: list[Callable[[_Claim | _Source], str]] = [
        lambda each: repr((each.row, each.category, sorted(_without_ids(each.fields).items()))),
        lambda each: repr((each.row, each.fields.get("bbox"))),
    ]
    for key in keys:
        waiting = defaultdict(list)
        for place in sorted({*range(len(sources))} - {*pairs.values()}, reverse=True):
            waiting[key(sources[place])].append(place)
        for index, claim in enumerate(claims):
            if index not in pairs and waiting.get(key(claim)):
                pairs[index] = waiting[key(claim)].pop()
    free = sorted({*range(len(sources))} - {*pairs.values()})
    for index, claim in enumerate(claims):
        if index in pairs or not free:
            continue
        boxes = [sources[place].fields["bbox"] for place in free]
        chances = [
            (sources[place].row == claim.row, iou, -place)
            for place, iou in zip(free, _ious(claim, boxes), strict=True)
            if iou >= 0.5 or (iou > 0 and sources[place].row == claim.row)
        ]
        if chances:
            pairs[index] = -max(chances)[2]
            free.remove(pairs[index])
    return pairs


def _without_ids(fields: Mapping[str, Any]) -> dict[str, Any]:
    ids = "id", "image_id", "category_id", "segmentation"
    return {name: value for name, value in fields.items() if name not in ids}


def _ious(claim: _Claim, boxes: Sequence[Sequence[float]]) -> list[float]:
    box = claim.fields.get("bbox", [0, 0, 0, 0])
    ious: Any = coco_mask.iou(np.array([box], float), np.array(boxes, float), [0] * len(boxes))
    return list(ious[0])


def _compare_pair(claim: _Claim, source: _Source | None) -> Outcome:
    if source is None:
        return Outcome(claim.row, "unexpected")
    box = source.fields["bbox"]
    if claim.fields.get("bbox") == box:
        return Outcome(source.row, "exact", 1)
    return Outcome(source.row, "inexact", _ious(claim, [box])[0])


def _check_pair(claim: _Claim, source: _Source | None, outcome: Outcome) -> Iterator[Fault]:
    who = claim.who
    there = f"objects[{source.place}]" if source else ""
    yield from check_outcome(who, outcome, there)
    if source is None:
        return
    if claim.category != source.category:
        name = claim.category or "no class"
        yield Fault("wrong category", f"{who}: {name}, {there} is {source.category}")
    found = _without_ids(claim.fields)
    for name in dict.fromkeys([*source.fields, *found]):
        if name not in found:
            if name not in _NEEDED:
                yield Fault("missing field", f"{who}: no {name}", "fields")
        elif name not in source.fields or found[name] != source.fields[name]:
            culprit = f"{who}: {found[name]}, {there} has {source.fields.get(name, 'none')}"
            yield Fault(f"wrong {name}", culprit, "fields" if name == "map_value" else "masks")
