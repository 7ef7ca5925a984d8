"""The boxes that Cityscapes has in JSON files: CityPersons', and the validated ones."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from cityscapes_coco.cityscapes.annotation_json import decode_annotations
from cityscapes_coco.errors import UserError, guess
from cityscapes_coco.labels import CITY_PERSONS, category_instancesonly
from cityscapes_coco.options import AnnotationType
from cityscapes_coco.run.files import read_file

# Regions that no detector is asked about: people who cannot be told apart, posters and reflections;
# and what annotators could not agree on.
_REGIONS_OF_PERSONS = ("person group", "ignore")
_UNSOLVED = "cantsolve"
# More bytes than thousands of boxes take; a street has a hundred.
MOST_BYTES = 1 << 21
# Boxes may reach out of the frame, but not as far as this, in pixels.
_FAR = 1 << 20

Length = Annotated[int, Meta(ge=1, lt=1 << 16)]
# Numbers stay as the file has them: an integer does not become a float.
Number = Annotated[int, Meta(ge=-_FAR, le=_FAR)] | Annotated[float, Meta(ge=-_FAR, le=_FAR)]
FourNumbers = tuple[Number, Number, Number, Number]


class Box(NamedTuple):
    """An object in a frame, or a region that no detector is asked about.

    `name` is the class of the object, or the kind of region. `bbox` is (x, y, width, height) in
    pixels, and may reach out of the frame: for CityPersons it is the whole body, and `visible` the
    part that can be seen. `soft_label` has a probability for each class that the file lists,
    `vote_counts` the answers of annotators by class; `added` says whether the box comes from the
    original annotations. What a file does not have is UNSET.
    """

    name: str
    is_region: bool
    bbox: FourNumbers
    visible: FourNumbers | UnsetType = UNSET
    instance_id: int | UnsetType = UNSET
    soft_label: list[Number] | UnsetType = UNSET
    vote_counts: dict[str, Number] | UnsetType = UNSET
    added: bool | UnsetType = UNSET


class BoxFile(NamedTuple):
    """The size of a frame in pixels, its boxes in the order of the file, and the classes that each
    `soft_label` goes by."""

    width: int
    height: int
    boxes: list[Box]
    classes: list[str] | UnsetType = UNSET


class _Person(Struct, gc=False):
    label: str
    instanceId: Annotated[int, Meta(ge=-(1 << 31), lt=1 << 31)]
    bbox: FourNumbers
    bboxVis: FourNumbers


class _CityPersons(Struct):
    imgWidth: Length
    imgHeight: Length
    objects: list[_Person]


class _ValidatedBox(Struct, gc=False):
    bbox: FourNumbers
    soft_label: list[Number]
    vote_counts: dict[str, Number] | UnsetType = UNSET
    added_from_original_annotations: bool | UnsetType = UNSET


class _Validated(Struct):
    imgWidth: Length
    imgHeight: Length
    classes: list[str]
    objects: list[_ValidatedBox]


def read_boxes(path: str, annotation_type: AnnotationType) -> BoxFile:
    """Return the boxes in the JSON file at `path`.

    Raises UserError if the file cannot be read, or is not of this type; the error names the object.
    """
    content = read_file(path, MOST_BYTES)
    try:
        if annotation_type == "gtBboxCityPersons":
            persons = decode_annotations(content, _CityPersons)
            boxes = [*_list_persons(persons)]
            return BoxFile(persons.imgWidth, persons.imgHeight, boxes)
        validated = decode_annotations(content, _Validated)
        boxes = [*_list_validated(validated)]
        return BoxFile(validated.imgWidth, validated.imgHeight, boxes, validated.classes)
    except ValueError as error:
        raise UserError(path, str(error)) from error


def _list_persons(file: _CityPersons) -> Iterator[Box]:
    for place, found in enumerate(file.objects):
        is_region = found.label in _REGIONS_OF_PERSONS
        if not is_region:
            _check_class(place, found.label, (*CITY_PERSONS, *_REGIONS_OF_PERSONS))
        _check_size(place, "bbox", found.bbox)
        _check_size(place, "bboxVis", found.bboxVis)
        yield Box(found.label, is_region, found.bbox, found.bboxVis, found.instanceId)


def _list_validated(file: _Validated) -> Iterator[Box]:
    for place, found in enumerate(file.objects):
        soft_label = found.soft_label
        if len(soft_label) != len(file.classes) or not soft_label:
            told = f"{len(soft_label)} probabilities for {len(file.classes)} classes"
            raise ValueError(f"objects[{place}].soft_label has {told}")
        # The official rule: the first of the classes with the highest probability.
        name = file.classes[soft_label.index(max(soft_label))]
        if name != _UNSOLVED:
            _check_class(place, name, (*category_instancesonly, _UNSOLVED))
        left, top, right, bottom = found.bbox
        bbox = left, top, right - left, bottom - top
        _check_size(place, "bbox", bbox)
        yield Box(
            name,
            name == _UNSOLVED,
            bbox,
            soft_label=soft_label,
            vote_counts=found.vote_counts,
            added=found.added_from_original_annotations,
        )


def _check_class(place: int, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        told, meant = repr(name[:50]), guess(name, known)
        raise ValueError(
            f"objects[{place}] is of the class {told}, not of {', '.join(known)}{meant}"
        )


def _check_size(place: int, field: str, box: FourNumbers) -> None:
    if box[2] < 0 or box[3] < 0:
        raise ValueError(f"objects[{place}].{field} is {box[2]} wide and {box[3]} high; below 0")
