"""The results of a trainer: predictions for the images of the COCO file that it was given.

A trainer writes a list of results, or an object with the list under `annotations`. Images and
categories go by their ids in the COCO file; some trainers write the names of images instead. Masks
are decoded when they are needed.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct

from cityscapes_coco.coco.json_file import JsonFile, is_list
from cityscapes_coco.coco.reading import decode_file
from cityscapes_coco.coco.records import Annotation, CocoFile, PanopticFile, Result
from cityscapes_coco.coco.segmentations import decode_rles, has_segmentation
from cityscapes_coco.errors import UserError
from cityscapes_coco.pixels.rle import Rle, from_counts
from cityscapes_coco.run.folders import name_some
from cityscapes_coco.scores.class_ids import explain_numbers
from cityscapes_coco.scores.image_names import index_images

_WHAT = "a file of results"

# Predictions that are no results: the fields of a record, what it is, and what makes results of it.
_FORMS = {
    ("instances",): "predictions by image, as in detectron2's instances_predictions.pth; its"
    " COCOEvaluator writes results beside it, as coco_instances_results.json",
    ("bboxes", "labels"): "predictions by image of mmdetection's DetInferencer; CocoMetric with an"
    " outfile_prefix writes results",
    ("xyxy", "class_id"): "detections of one image, as supervision has them; write one list of"
    " results, with image_id",
    ("boxes", "labels"): "predictions by image, as models of torchvision and Hugging Face return"
    " them; CocoEvaluator.prepare in torchvision's references/detection/coco_eval.py makes results"
    " of them",
}


class Prediction(NamedTuple):
    """A result and its mask; `rle` is None if the results have no masks."""

    result: Result
    rle: Rle


class _ResultFile(Struct):
    annotations: Raw


def read_results(file: JsonFile, coco: CocoFile) -> list[Result]:
    """Return the results in a file, in the order of the file, each with the id of its image.

    Either every result has a `segmentation`, or it is UNSET in all of them, however the file says
    that there is no mask. `decode_masks` decodes the masks later.

    Raises UserError if the file is not of results or a result does not fit `coco`; the error names
    the result by its index, from 0, and what is wrong with it.
    """
    path, content = file
    results = _read_records(path, content)
    if isinstance(coco, PanopticFile):
        raise UserError(path, "results need a COCO file of instances; the one given is panoptic")
    names = index_images(coco.images)
    category_ids = {category.id for category in coco.categories}
    with_masks = any(map(has_segmentation, results))
    for number, result in enumerate(results, 1):
        result.id = number
        if not with_masks or bytes(result.segmentation or b"") == b"null":
            result.segmentation = UNSET
        try:
            result.image_id = names.find(result.image_id)
            if result.category_id not in category_ids:
                raise ValueError(_explain_category(result.category_id, coco, results))
            _check_shape(result, with_masks)
        except ValueError as error:
            raise UserError(path, f"{name_result(result)}{error}") from error
    return results


def find_repeats(results: Iterable[Result]) -> list[Result]:
    """Return the results that are the same as an earlier one: image, category, score, box, mask."""
    seen = set()
    repeats = []
    for result in results:
        mask = hash(bytes(result.segmentation or b""))
        key = result.image_id, result.category_id, result.score, result.bbox, mask
        if key in seen:
            repeats.append(result)
        seen.add(key)
    return repeats


def name_result(result: Result) -> str:
    """Return the place of a result in its file, such as "results[0]"."""
    return f"results[{int(result.id or 0) - 1}]"


def decode_masks(path: Path, results: Sequence[Result], size: tuple[int, int]) -> list[Rle]:
    """Return the RLE of the mask of each result at `path`, in an image of (height, width) pixels;
    None for each if the results have no masks.

    Raises UserError if a mask cannot be decoded or is of another size.
    """
    if any(result.segmentation is UNSET for result in results):
        return [None] * len(results)
    nothing = from_counts([size[0] * size[1]], *size)
    return [rle or nothing for rle in decode_rles(path, results, size, _name_mask)]


def check_box(record: Annotation | Result) -> None:
    """Raise ValueError if the box of an annotation or a result has a size below 0."""
    if record.bbox is not UNSET and min(record.bbox[2:]) < 0:
        wrong = "has a size below 0; a box is [x, y, width, height]"
        raise ValueError(f".bbox: {list(record.bbox)} {wrong}")


def _name_mask(result: Result) -> str:
    return f"{name_result(result)}.segmentation"


def _read_records(path: Path, content: bytes) -> list[Result]:
    try:
        if not is_list(content):
            content = bytes(decode_file(path, content, _ResultFile, _WHAT).annotations)
        return decode_file(path, content, list[Result], _WHAT, "results")
    except UserError as error:
        raise UserError(path, _explain_form(content) or error.reason) from error


def _explain_form(content: bytes) -> str:
    """Return what predictions are that are no results; nothing if it is not known."""
    try:
        whole = msgspec.json.decode(content, type=list[Any] | dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return ""
    parts = whole if isinstance(whole, list) else [whole, *whole.values()]
    # Under the id of an image, or under a name, there may be a list of records.
    records = [part[0] if isinstance(part, list) and part else part for part in parts]
    for fields, what in _FORMS.items():
        if any(isinstance(record, dict) and record.keys() >= {*fields} for record in records):
            return what
    if isinstance(whole, list) or "annotations" in whole:
        return ""
    if {"images", "categories"} <= whole.keys():
        return "a COCO file without annotations; name it with --coco, and results with --results"
    for name in "predictions", "results":
        if isinstance(whole.get(name), list):
            return f"an object with {name}; write the list in it alone, or call it annotations"
    if records[1:] and all(isinstance(part, list | dict) for part in parts):
        return "an object with an entry for each image; write one list of results, with image_id"
    return ""


def _explain_category(number: int, coco: CocoFile, results: list[Result]) -> str:
    known = name_some([f"{category.id} {category.name}" for category in coco.categories]) or "none"
    why = explain_numbers({result.category_id for result in results}, coco)
    wrong = f".category_id: {number} is no category of the COCO file, which has {known}"
    return f"{wrong}; {why}" if why else wrong


def _check_shape(result: Result, with_masks: bool) -> None:
    if with_masks and result.segmentation is UNSET:
        raise ValueError(" has no segmentation, but others have; write one for each, or for none")
    if not with_masks and result.bbox is UNSET:
        raise ValueError(" has neither a segmentation nor a bbox")
    check_box(result)
