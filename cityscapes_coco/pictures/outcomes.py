"""Predictions compared with the truth of an image: what is right, false, and missed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.pictures.colors import OUTCOME_COLORS
from cityscapes_coco.pictures.drawings import Drawing, Outcome

Bools = NDArray[np.bool_]

_OVERLAP = 0.5  # the IoU that COCO's AP50 asks for


def compare(
    predictions: Sequence[Drawing], truth: Sequence[Drawing]
) -> tuple[list[Drawing], list[Drawing]]:
    """Return the predictions and the truth of an image, each drawing with its outcome.

    Predictions are right or false. Truth is found or missed, but a group that is not found is
    ignored. Predictions come with the highest score first. If any mask is missing, the boxes are
    compared.
    """
    if not all(drawing.rle for drawing in (*predictions, *truth)):
        truth = [drawing._replace(rle=None) for drawing in truth]
    are_right, are_found = _match(predictions, truth)
    return [
        _with_outcome(drawing, "right" if is_right else "false")
        for drawing, is_right in zip(predictions, are_right, strict=True)
    ], [
        _with_outcome(drawing, "found" if is_found else "ignored" if drawing.is_group else "missed")
        for drawing, is_found in zip(truth, are_found, strict=True)
    ]


def compare_segments(
    predictions: Sequence[Drawing], truth: Sequence[Drawing]
) -> tuple[list[Drawing], list[Drawing]]:
    """Return the predicted and the true segments of an image, each with its outcome.

    The rule is panoptic quality's, as in `match_segments`: what is passed over there is ignored
    here. Of several groups of a class, one is enough for that. If any mask is missing, this
    is `compare`.
    """
    if not predictions or not truth or not all(drawing.rle for drawing in (*predictions, *truth)):
        return compare(predictions, truth)
    rles: list[Any] = [[drawing.rle for drawing in side] for side in (predictions, truth)]
    areas, true_areas = (np.array([int(coco_mask.area(rle)) for rle in side]) for side in rles)
    # For crowds, COCO divides the common pixels by the area of the prediction alone.
    shares = np.asarray(coco_mask.iou(rles[0], rles[1], [1] * len(truth)))
    common = np.rint(shares * areas[:, None])
    void = areas - common.sum(axis=1)  # the segments of the truth cover all but void
    ious = common / (areas[:, None] + true_areas - common - void[:, None])
    own = np.array([[one.name == other.name for other in truth] for one in predictions])
    are_groups = np.array([drawing.is_group for drawing in truth])
    fit = (ious > _OVERLAP) & own & ~are_groups
    ignored = (void + (common * (own & are_groups)).max(axis=1)) / areas > _OVERLAP
    outcomes = np.where(fit.any(axis=1), "right", np.where(ignored, "ignored", "false"))
    found = np.where(fit.any(axis=0), "found", np.where(are_groups, "ignored", "missed"))
    return (
        [_with_outcome(*pair) for pair in zip(predictions, outcomes.tolist(), strict=True)],
        [_with_outcome(*pair) for pair in zip(truth, found.tolist(), strict=True)],
    )


def weigh_errors(drawings: Iterable[Drawing]) -> float:
    """Return how much is wrong: 1 for each missed instance, its score for each false prediction."""
    return sum(drawing.score for drawing in drawings if drawing.outcome in ("false", "missed"))


def find_worst_score(drawings: Iterable[Drawing]) -> float:
    """Return the highest score of a false prediction, -inf if there is none."""
    return max((d.score for d in drawings if d.outcome == "false"), default=-np.inf)


def _match(predictions: Sequence[Drawing], truth: Sequence[Drawing]) -> tuple[Bools, Bools]:
    """Return which predictions are right, and which of the truth is found.

    The rule is COCOeval's `evaluateImg` for AP50. A prediction is right if it has an IoU of
    0.5 or more with truth of its category. It finds the instance with the greatest IoU that no
    earlier prediction has found, or else a group, which any number of predictions may find.
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


def _with_outcome(drawing: Drawing, outcome: Outcome) -> Drawing:
    labels = {"missed": f"{drawing.name} missed", "found": "", "ignored": ""}
    return drawing._replace(
        outcome=outcome,
        color=OUTCOME_COLORS[outcome],
        label=labels.get(outcome, drawing.label),
    )
