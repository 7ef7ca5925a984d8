"""COCO's records, each stated once.

A file of another tool may lack any field of a record: a missing field is UNSET. COCO asks for the
fields that are `needed`. Fields that are not stated here are passed over.
"""

from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

# How the names of the PNG files of a panoptic file end.
PANOPTIC_SUFFIX = "_panoptic.png"

# Numbers beyond these bounds fit into no array of numpy.
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Number = Integer | Annotated[float, Meta(ge=-(2.0**63), le=2.0**63)]

Id = int | UnsetType


class Category(Struct):
    needed: ClassVar[tuple[str, ...]] = ("id", "name")
    id: Integer | UnsetType = UNSET
    name: str | UnsetType = UNSET
    supercategory: str | UnsetType = UNSET


class Image(Struct):
    """A photograph; `width` and `height` are in pixels. `seg_file_name` is the name of the map, as
    the original script calls it, or of the polygons that a map was drawn from. `soft_label_classes`
    are the classes that each `soft_label` of the image has a probability for, in this order."""

    needed: ClassVar = ("id", "file_name", "width", "height")
    id: Integer | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    seg_file_name: str | UnsetType = UNSET
    width: Integer | UnsetType = UNSET
    height: Integer | UnsetType = UNSET
    soft_label_classes: list[str] | UnsetType = UNSET


class Annotation(Struct, gc=False):
    """An instance or group in an image.

    `bbox` is (x, y, width, height) in pixels, `area` counts pixels. `map_value` is not part of
    COCO: the value in the map tells where an annotation comes from. `segmentation` stays JSON until
    `decode_segmentation`, as most readers of a file need few segmentations.

    Boxes have more fields that are not part of COCO. CityPersons' evaluation needs `vis_bbox`, the
    part of `bbox` that can be seen, `vis_ratio`, the share of the area that it has, and the
    `height` of `bbox`; `ignore` is 1 for a region that no detector is asked about. The validated
    boxes have the last three, as Cityscapes has them.
    """

    needed: ClassVar = ("id", "image_id", "category_id", "iscrowd", "area", "bbox")
    id: Integer | UnsetType = UNSET
    image_id: Integer | UnsetType = UNSET
    category_id: Integer | UnsetType = UNSET
    iscrowd: Integer | bool | UnsetType = UNSET
    area: Number | UnsetType = UNSET
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET
    map_value: Integer | UnsetType = UNSET
    segmentation: Raw | UnsetType = UNSET
    ignore: Integer | bool | UnsetType = UNSET
    vis_bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET
    vis_ratio: Number | UnsetType = UNSET
    height: Number | UnsetType = UNSET
    soft_label: list[Number] | UnsetType = UNSET
    vote_counts: dict[str, Number] | UnsetType = UNSET
    added_from_original_annotations: bool | UnsetType = UNSET


class License(Struct):
    id: int
    name: str
    url: str


class Info(Struct, kw_only=True):
    """How a file of this program was made.

    Earlier versions left `split` out. `options` has the fields of `Options` that count for the
    file, `imagedir`, and in `frames` the number and the SHA-256 of a list of frames. `skipped`
    names the annotation files that could not be read. `drawn` counts the frames drawn from their
    polygons. `foreign` names the maps with values that Cityscapes' own tools never write, `unknown`
    the maps with values of labels that Cityscapes does not have, which are void.
    """

    description: str
    url: str
    contributor: str
    version: str
    split: str | UnsetType = UNSET
    options: dict[str, Any]
    skipped: list[str]
    drawn: int | UnsetType = UNSET
    foreign: list[str] | UnsetType = UNSET
    unknown: list[str] | UnsetType = UNSET


class CocoFile(Struct):
    """What is read of a file; `info` and `licenses` are JSON of any form."""

    needed: ClassVar = ("info", "licenses", "images", "annotations", "categories")
    categories: list[Category]
    images: list[Image]
    annotations: list[Annotation]
    info: Raw | UnsetType = UNSET
    licenses: Raw | UnsetType = UNSET


class PanopticCategory(Category):
    """`isthing` is 1 for a class with instances and 0 for stuff; `color` is RGB, 0..255."""

    needed: ClassVar[tuple[str, ...]] = ("id", "name", "isthing")
    isthing: Integer | bool | UnsetType = UNSET
    color: tuple[int, int, int] | UnsetType = UNSET


class PanopticImage(Struct):
    """A photograph, as `Image`; its id is a text in Cityscapes' files, a number in COCO's."""

    needed: ClassVar = ("id", "file_name", "width", "height")
    id: Integer | str | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    width: Integer | UnsetType = UNSET
    height: Integer | UnsetType = UNSET


class Segment(Struct, gc=False):
    """The pixels of one id in the PNG file of an image: a thing, a group of things (COCO: crowd),
    or all stuff of one category. `bbox` and `area` are as in an annotation."""

    needed: ClassVar = ("id", "category_id", "iscrowd", "area", "bbox")
    id: Integer | UnsetType = UNSET
    category_id: Integer | UnsetType = UNSET
    iscrowd: Integer | bool | UnsetType = UNSET
    area: Number | UnsetType = UNSET
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET


class PanopticAnnotation(Struct):
    """All segments of an image; the PNG file `file_name` shows where they are."""

    needed: ClassVar = ("image_id", "file_name", "segments_info")
    image_id: Integer | str | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    segments_info: list[Segment] | UnsetType = UNSET


AnyImage = Image | PanopticImage
AnyAnnotation = Annotation | PanopticAnnotation


class PanopticRecords(Struct):
    """What is read of a panoptic file."""

    needed: ClassVar = ("images", "annotations", "categories")
    categories: list[PanopticCategory]
    images: list[PanopticImage]
    annotations: list[PanopticAnnotation]
    info: Raw | UnsetType = UNSET
    licenses: Raw | UnsetType = UNSET


class PanopticFile(CocoFile, kw_only=True):
    """A panoptic file converted to instance records, beside its own `records`. Each segment is an
    annotation; its `map_value` is the segment's id. The images are numbered in their order; their
    `seg_file_name` is the name of the PNG file."""

    records: PanopticRecords


class Result(Struct, gc=False):
    """A prediction, as trainers write it. `id` is the place among the results, from 1, as
    pycocotools hands it out. `image_id` may be the name of an image until it has been looked up.
    `bbox` and `segmentation` are as in an annotation."""

    image_id: Integer | str
    category_id: Integer
    score: Number
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET
    segmentation: Raw | UnsetType = UNSET
    id: Integer | UnsetType = UNSET
