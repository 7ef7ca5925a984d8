"""Panoptic results as trainers write them: a JSON file of segments, and a folder of PNG files.

The image ids may be the truth's, names of photographs, or numbers; the category ids must be the
truth's.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from cityscapes_coco.coco.json_file import JsonFile, is_list
from cityscapes_coco.coco.panoptic import HIGHEST_ID, swap_channels
from cityscapes_coco.coco.reading import decode_file
from cityscapes_coco.coco.records import Annotation, Integer, PanopticFile
from cityscapes_coco.errors import UserError, command
from cityscapes_coco.labels import LABELS
from cityscapes_coco.run.folders import name_some
from cityscapes_coco.scores.class_ids import list_numberings
from cityscapes_coco.scores.image_names import index_images

_NUMBER = re.compile(r"[0-9]{1,18}")
# The train ids of what no network is trained on.
_VOID = {255, -1}


class PredictedSegment(Struct, gc=False):
    """A segment; `label_id` is what Hugging Face calls the id of the category."""

    id: Integer
    category_id: Integer | UnsetType | None = UNSET
    label_id: Integer | UnsetType | None = UNSET


class PanopticResult(Struct):
    """The segments of an image; the PNG file `file_name` shows where they are. `image_id` is
    whatever the trainer calls the image."""

    image_id: Integer | str
    file_name: str
    segments_info: list[PredictedSegment]


class _PanopticResults(Struct):
    annotations: list[PanopticResult]


def read_panoptic_results(file: JsonFile, truth: PanopticFile) -> list[PanopticResult]:
    """Return the results in a file for each image of the truth, in the order of its images; each
    segment has a `category_id`.

    Raises UserError if the file is not of panoptic results, does not fit the truth, or has not
    exactly one annotation for each image.
    """
    path, content = file
    if is_list(content):
        raise UserError(path, "a list; panoptic results are an object with the list as annotations")
    results = decode_file(path, content, _PanopticResults, "a file of panoptic results").annotations
    numbers = _find_images(path, [result.image_id for result in results], truth)
    found: dict[int, PanopticResult] = {}
    for number, result in zip(numbers, results, strict=True):
        if number in found:
            raise UserError(path, f"two annotations are for the image {result.image_id}")
        found[number] = result
    missing = [str(i.id) for place, i in enumerate(truth.records.images) if place not in found]
    if missing:
        lack = f"no annotation for {len(missing)} of {len(truth.images)} images"
        remedy = "each image needs one, if only with an empty segments_info"
        raise UserError(path, f"{lack}: {name_some(missing)}; {remedy}")
    for index, result in enumerate(results):
        _check_segments(path, f"annotations[{index}]", result)
    _check_categories(path, results, truth)
    return [found[number] for number in range(len(truth.images))]


def list_segments(results: Sequence[PanopticResult]) -> list[Annotation]:
    """Return the segments of all results as annotations without masks, of images from 1."""
    return [
        Annotation(segment.id, number, int(segment.category_id or 0), map_value=segment.id)
        for number, result in enumerate(results, 1)
        for segment in result.segments_info
    ]


def check_pixels(path: Path, in_png: NDArray[np.int64], listed: NDArray[np.int64]) -> None:
    """Raise UserError unless the ids in the PNG file at `path` are the listed ones. Void has the id
    0, which is not listed."""
    in_png = in_png[in_png > 0]
    unlisted, unseen = np.setdiff1d(in_png, listed), np.setdiff1d(listed, in_png)
    if unlisted.size:
        if np.isin(swap_channels(in_png), listed).all():
            order = "its colours are in the order blue, green, red; an id is R + 256 G + 65536 B"
            raise UserError(path, f"{order}: swap the channels before it is written")
        hint = "; void is black, 0" if HIGHEST_ID in unlisted else ""
        raise UserError(path, f"pixels of no segment: the ids {name_some(unlisted.tolist())}{hint}")
    if unseen.size:
        remedy = "leave them out of segments_info"
        raise UserError(
            path, f"segments without pixels: the ids {name_some(unseen.tolist())}; {remedy}"
        )


def _find_images(path: Path, names: Sequence[int | str], truth: PanopticFile) -> list[int]:
    """Return the place of each image that results name, among the images of the truth, from 0."""
    places = {str(image.id): place for place, image in enumerate(truth.records.images)}
    with_texts = not any(isinstance(image.id, int) for image in truth.records.images)
    with_numbers = bool(names) and all(_NUMBER.fullmatch(str(name)) for name in names)
    if with_texts and with_numbers and not any(str(name) in places for name in names):
        return _find_by_number(path, [int(name) for name in names], [*places])
    by_name = index_images(truth.images)
    found = []
    for index, name in enumerate(names):
        place = places.get(str(name))
        # The numbers of the images are our own: no result can mean them.
        if place is None and isinstance(name, str) and not _NUMBER.fullmatch(name):
            with suppress(ValueError):
                place = by_name.find(name) - 1
        if place is None:
            known = name_some([*places]) or "none"
            reason = f"annotations[{index}].image_id: {name!r} is no image of the truth"
            raise UserError(path, f"{reason}, which has {known}")
        found.append(place)
    return found


def _find_by_number(path: Path, numbers: list[int], known: list[str]) -> list[int]:
    """Return the places of images that are numbered in the order of the truth, from 0 or from 1."""
    count = len(known)
    firsts = [first for first in (0, 1) if {*numbers} <= {*range(first, first + count)}]
    if len(firsts) == 1:
        return [number - firsts[0] for number in numbers]
    given = f"the image ids {min(numbers)} to {max(numbers)}"
    reason = f"{given} do not fit: the truth's {count} images may be counted from 0 or from 1"
    if firsts:
        lack = f"{count - len({*numbers})} of the truth's {count} images have no annotation"
        reason = f"{lack}, and {given} do not tell if images are counted from 0 or from 1"
    raise UserError(path, f"{reason}; write the ids of the truth, such as {known[0]}")


def _check_segments(path: Path, where: str, result: PanopticResult) -> None:
    """Check the ids of the segments of an image, and give each segment its `category_id`."""
    seen = set()
    for number, segment in enumerate(result.segments_info):
        if not isinstance(segment.category_id, int):
            segment.category_id = segment.label_id
        reason = ""
        if not isinstance(segment.category_id, int):
            reason = " has neither category_id nor label_id"
        elif not 0 < segment.id <= HIGHEST_ID:
            reason = f".id: {segment.id} is not in 1 to {HIGHEST_ID}; 0 is void"
        elif segment.id in seen:
            reason = f".id: {segment.id} is the id of an earlier segment, too"
        if reason:
            raise UserError(path, f"{where}.segments_info[{number}]{reason}")
        seen.add(segment.id)


def _check_categories(path: Path, results: Sequence[PanopticResult], truth: PanopticFile) -> None:
    known = {int(category.id or 0): category.name for category in truth.categories}
    where: dict[int, str] = {}
    for index, result in enumerate(results):
        for number, segment in enumerate(result.segments_info):
            place = f"annotations[{index}].segments_info[{number}]"
            where.setdefault(int(segment.category_id or 0), place)
    unknown = sorted(where.keys() - known.keys())
    if not unknown:
        return
    names = name_some([f"{number} {name}" for number, name in known.items()])
    raise UserError(
        path,
        f"category ids that the truth does not have: {name_some(unknown)}, first in"
        f" {where[unknown[0]]}; it has {names}{_explain_categories({*where}, {*known}, truth)}",
    )


def _explain_categories(given: set[int], known: set[int], truth: PanopticFile) -> str:
    """Return what category ids are that are not all `known`, as the truth's, and what to do."""
    names = {category.name for category in truth.categories}
    labels = [label for label in LABELS if label.name in names and not label.ignored]
    schemes = {
        "train": {label.train_id for label in labels},
        "label": {label.id for label in labels} | {0},
    }
    for kind, ids in schemes.items():
        if given <= ids | _VOID and not known <= ids:
            return (
                f"; the ids fit Cityscapes' {kind} ids: score with the file that"
                f" {command('convert')} --panoptic {kind} writes"
            )
    if {number // 1000 if number >= 1000 else number for number in given} <= known:
        return "; these are ids of instances: write the ids of their classes"
    for step in 1, -1:
        if {number + step for number in given} <= known:
            return f"; the ids fit the truth's with {'+' if step > 0 else '-'} 1: write its ids"
    for numbering in list_numberings(truth)[:2]:
        if given <= numbering.ids.keys():
            return f"; the ids fit {numbering.name}: write the ids of the truth"
    if given - known <= _VOID | {label.id for label in LABELS if label.ignored}:
        return "; these classes are void: leave their segments out, and make their pixels 0"
    return ""
