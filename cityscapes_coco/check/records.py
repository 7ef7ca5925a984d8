"""What a COCO file should hold, and what is wrong with its records.

No map is read and no mask decoded. The check reports all faults; the scores stop at the first one
that would make them wrong.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from cityscapes_coco.coco.reading import fills_with_opencv
from cityscapes_coco.coco.records import (
    Annotation,
    CocoFile,
    Id,
    PanopticAnnotation,
    PanopticCategory,
    PanopticFile,
    PanopticRecords,
)
from cityscapes_coco.coco.segmentations import has_segmentation
from cityscapes_coco.labels import LABELS
from cityscapes_coco.options import BOX_TYPES, CLASSES, STUFF, AnnotationType, Options, Stuff

_PARTS = ("categories", "images", "annotations")

# What a fault is about. "masks": masks, boxes, areas or classes are not exact. "fields": all
# of these are exact, but fields are missing or wrong. "data": a map or photograph is at fault.
About = Literal["masks", "fields", "data"]


class Fault(NamedTuple):
    """Something that is wrong: the kind of fault, and a line that names the culprit."""

    kind: str
    culprit: str
    about: About = "masks"


class Row(NamedTuple):
    """A row of the check's table: the instances of a class, or its groups."""

    name: str
    is_group: bool

    def __str__(self) -> str:
        return f"{self.name} group" if self.is_group else self.name


class Scope(NamedTuple):
    """What a file should hold: every instance or group of `rows` with `min_area` pixels or more.

    `names` are the names of the categories by id. `classes` maps each class of Cityscapes to the
    name of its row. `stuff` says what an annotation of stuff covers: all pixels of a value or of a
    row, or a connected part. `boxes_only` says that the file has no masks, `with_opencv` that
    OpenCV fills its polygons, `void_unknown` that labels which Cityscapes does not have are void.
    `annotation_type` is what the file was made from.
    """

    names: Mapping[Id, str]
    classes: Mapping[str, str]
    rows: Collection[Row]
    min_area: int
    boxes_only: bool
    with_opencv: bool = False
    void_unknown: bool = False
    annotation_type: AnnotationType = "gtFine"
    stuff: Literal["values", Stuff] = "whole"


def find_scope(coco: CocoFile, options: Options) -> Scope:
    """Return what a file should hold, given its categories and the options it was made with."""
    names = {c.id: c.name for c in coco.categories if c.name is not UNSET}
    if isinstance(coco, PanopticFile):
        # The classes that Cityscapes evaluates.
        classes = {label.name: label.name for label in LABELS if not label.ignored}
        with_groups, min_area, boxes_only = True, 0, False
        stuff: Literal["values", Stuff] = "values"
    else:
        classes = _name_rows(options, names.values())
        with_groups = options.crowd == "keep" or any(a.iscrowd for a in coco.annotations)
        min_area = options.min_area
        stuff = options.stuff
        boxes_only = options.annotations in BOX_TYPES or (
            bool(coco.annotations) and not any(map(has_segmentation, coco.annotations))
        )
    rows = [Row(name, False) for name in dict.fromkeys(classes.values()) if name in names.values()]
    if with_groups:
        rows += [row._replace(is_group=True) for row in rows]
    return Scope(
        names,
        classes,
        rows,
        min_area,
        boxes_only,
        with_opencv=fills_with_opencv(coco),
        void_unknown=options.unknown_labels == "void",
        annotation_type=options.annotations,
        stuff=stuff,
    )


def check_records(coco: CocoFile, scope: Scope) -> Iterator[Fault]:
    """Yield every fault in the records of a file."""
    yield from check_fields(coco)
    if isinstance(coco, PanopticFile):
        yield from check_panoptic_ids(coco.records)
    else:
        if not scope.boxes_only:
            for index, annotation in enumerate(coco.annotations):
                if not has_segmentation(annotation):
                    culprit = f"no segmentation in annotations[{index}]"
                    yield Fault("missing field", culprit, "fields")
        for part in _PARTS:
            yield from check_unique(coco, part)
        if any(annotation.id == 0 for annotation in coco.annotations):
            culprit = "annotations have the id 0, which COCOeval takes for no match"
            yield Fault("wrong id", culprit, "fields")
        yield from check_references(coco)
    yield from _check_categories(coco, scope)


def check_fields(coco: CocoFile, besides: Collection[str] = ()) -> Iterator[Fault]:
    """Yield the missing fields that COCO asks for, besides those that the caller can do without."""
    for where, record in _name_records(coco):
        for name in record.needed:
            if name not in besides and getattr(record, name) is UNSET:
                yield Fault("missing field", f"no {name} in {where}", "fields")


def check_unique(coco: CocoFile | PanopticRecords, part: str, field: str = "id") -> Iterator[Fault]:
    """Yield the values of a field that several records of one part of a file have."""
    counts = Counter(getattr(record, field) for record in getattr(coco, part))
    for value, times in counts.items():
        if value is not UNSET and times > 1:
            yield Fault("wrong id", f"{part} have the {field} {value} {times} times", "fields")


def check_references(coco: CocoFile) -> Iterator[Fault]:
    """Yield the annotations of an image or a category that the file does not have."""
    known = {part: {record.id for record in getattr(coco, part)} for part in _PARTS}
    for annotation in coco.annotations:
        for name, part in ("image_id", "images"), ("category_id", "categories"):
            value = getattr(annotation, name)
            if value is not UNSET and value not in known[part]:
                who = f"annotation {name_id(annotation)} has the {name} {value}"
                yield Fault("wrong id", f"{who}, which none of the {part} has", "fields")


def check_panoptic_ids(records: PanopticRecords) -> Iterator[Fault]:
    """Yield ids of a panoptic file that are not unique or lead nowhere.

    Each image needs exactly one annotation: panopticapi, for one, finds the annotation by the id of
    the image.
    """
    yield from check_unique(records, "categories")
    yield from check_unique(records, "images")
    images = Counter(image.id for image in records.images)
    annotated = Counter(annotation.image_id for annotation in records.annotations)
    for image_id in [*images, *(key for key in annotated if key not in images)]:
        if image_id is not UNSET and (images[image_id] == 0 or annotated[image_id] != 1):
            culprit = f"{image_id}: {images[image_id]} images and {annotated[image_id]} annotations"
            yield Fault("wrong id", f"{culprit}, not one of each", "fields")
    categories = {category.id for category in records.categories}
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


def name_id(annotation: Annotation) -> str:
    return "without an id" if annotation.id is UNSET else str(annotation.id)


def _name_rows(options: Options, names: Collection[str]) -> dict[str, str]:
    """Return the name of the row of each class with instances, and of the stuff that a file with
    categories of these names has, where some classes are merged."""
    merged = {c: category.name for category in options.parsed_categories for c in category.classes}
    rows = {name: merged.get(name, name) for name in CLASSES[options.annotations]}
    rows = {name: row for name, row in rows.items() if name not in STUFF or row in names}
    for name in rows.keys() & set(merged.values()) - merged.keys():
        # Another class goes by this name in the file.
        rows[name] = f"{name} of Cityscapes"
    return rows


def _name_records(coco: CocoFile) -> Iterator[tuple[str, Any]]:
    """Yield each record of a file with its place, such as "images[0]"."""
    records = coco.records if isinstance(coco, PanopticFile) else coco
    yield "the file", records
    for part in _PARTS:
        for index, record in enumerate(getattr(records, part)):
            yield f"{part}[{index}]", record
            if isinstance(record, PanopticAnnotation):
                for number, segment in enumerate(record.segments_info or ()):
                    yield f"{part}[{index}].segments_info[{number}]", segment


def _check_categories(coco: CocoFile, scope: Scope) -> Iterator[Fault]:
    has_instances = {label.name: label.has_instances for label in LABELS}
    kind = " that is evaluated" if isinstance(coco, PanopticFile) else ""
    for category in coco.categories:
        if category.name is UNSET:
            continue
        if category.name not in scope.classes.values():
            culprit = f"{category.name!r} is no class of Cityscapes{kind}"
            yield Fault("unknown category", culprit, "fields")
        elif isinstance(category, PanopticCategory) and category.isthing not in (
            UNSET,
            has_instances[category.name],
        ):
            culprit = f"{category.name} has the isthing {category.isthing}"
            yield Fault("wrong isthing", culprit, "fields")
