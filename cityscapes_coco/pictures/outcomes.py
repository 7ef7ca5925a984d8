"""Predictions compared with the truth of an image: what is right, false, and missed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.records import Result
from cityscapes_coco.pictures.drawings import (
    OTHER_COLOR,
    Categories,
    Drawing,
    Example,
    load_drawings,
    sort_by_size,
)
from cityscapes_coco.pixels.rle import Rle
from cityscapes_coco.scores.results import decode_mask

Bools = NDArray[np.bool_]

_OVERLAP = 0.5  # the IoU that COCO's AP50 asks for


def compare_with_truth(
    example: Example, path: Path, results: Iterable[Result], categories: Categories
) -> Example:
    """Return an example that shows the results of an image, with the truth of `example` over them.

    False results are hatched, and missed instances have a white label. `path` is the file of the
    results. Raises UserError if a mask cannot be decoded.
    """
    height, width = example.photo.shape[:2]

    def decode(result: Result) -> Rle:
        return decode_mask(path, result, height, width)

    best_first = sorted(results, key=lambda result: -result.score)
    predictions, left_out = load_drawings(best_first, decode, height * width, categories)
    truth = example.drawings
    if not all(drawing.rle for drawing in (*predictions, *truth)):
        # Boxes are compared with boxes.
        truth = [drawing._replace(rle=None) for drawing in truth]
    are_right, are_found = _match(predictions, truth)
    return example._replace(
        title=example.title + left_out,
        drawings=sort_by_size(
            drawing if is_right else drawing._replace(kind=f"{drawing.name} false", style="hatched")
            for drawing, is_right in zip(predictions, are_right, strict=True)
        ),
        truth=[
            _outline(drawing, is_found) for drawing, is_found in zip(truth, are_found, strict=True)
        ],
    )


def _match(predictions: Sequence[Drawing], truth: Sequence[Drawing]) -> tuple[Bools, Bools]:
    """Return which predictions are right, and which of the truth is found.

    The rule is that of COCOeval's `evaluateImg` for AP50. Predictions come with the highest score
    first. A prediction is right if it has an IoU of 0.5 or more with truth of its category. It
    finds the instance with the greatest IoU that no earlier prediction has found, or else a group,
    which any number of predictions may find. Masks are compared, or boxes if truth has no masks.
    """
    are_groups = np.array([drawing.is_group for drawing in truth], np.bool_)
    are_right, are_found = np.zeros(len(predictions), np.bool_), np.zeros(len(truth), np.bool_)
    if not predictions or not truth:
        return are_right, are_found
    sides: list[Any] = [
        [drawing.rle for drawing in side]
        if truth[0].rle
        else np.array([drawing.bbox for drawing in side], np.float64)
        for side in (predictions, truth)
    ]
    predicted, true = sides
    ious = np.asarray(coco_mask.iou(predicted, true, are_groups.astype(np.uint8)))
    names = [np.array([drawing.name for drawing in side]) for side in (predictions, truth)]
    ious[names[0][:, None] != names[1]] = 0
    for number, row in enumerate(ious):
        fits = (row >= _OVERLAP) & (are_groups | ~are_found)
        if fits.any():
            are_right[number] = True
            are_found[np.where(fits, row + ~are_groups, 0).argmax()] = True
    return are_right, are_found


def _outline(drawing: Drawing, is_found: bool) -> Drawing:
    if drawing.is_group or is_found:
        kind = "truth group" if drawing.is_group else "truth found"
        return drawing._replace(kind=kind, label="", style="outlined", category_color=OTHER_COLOR)
    kind = f"{drawing.name} missed"
    red, green, blue = (value / 255 for value in drawing.category_color)
    return drawing._replace(kind=kind, label=kind, style="outlined", color=(red, green, blue))
