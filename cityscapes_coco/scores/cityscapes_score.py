"""Cityscapes' score and COCO's score: arrays in, numbers out.

Both find, frame by frame, which predictions are true, and then rank the predictions of a class over
all frames by their scores. So both begin with `match_...` for one frame, and end with `rate_...`
for what was found in all frames, joined.

Letters in shapes: D predictions, G instances and groups of the truth, T overlaps, the IoUs that a
prediction has to reach.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.pixels.rle import Rle

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Cityscapes' overlaps, and the pixels of the smallest instance that has to be found: `overlaps` and
# `minRegionSizes` of cityscapesscripts' evalInstanceLevelSemanticLabeling.py.
OVERLAPS = np.arange(0.5, 1.0, 0.05)
MIN_AREA = 100


# Cityscapes' score.


class Truth(NamedTuple):
    """The instances and groups of one class in one frame; `areas`, (G,), count their pixels."""

    rles: Sequence[Rle]
    areas: NDArray[np.int64]
    are_groups: Bools


class Matches(NamedTuple):
    """What Cityscapes makes of the predictions of one class, in one frame or in several.

    `scores`, (D,), are those of the predictions. For each overlap, `are_true` and `are_false`,
    (T, D), say what a prediction is; the others are passed over. `instances` counts those that have
    to be found.
    """

    scores: Floats
    are_true: Bools
    are_false: Bools
    instances: int


def match_frame(predictions: Sequence[Rle], scores: Floats, truth: Truth, void: Rle) -> Matches:
    """Return which predictions of one class are true in one frame.

    The rules are those of cityscapesscripts' `assignGt2Preds` and `evaluateMatches`:

    - An empty prediction does not exist.
    - A prediction finds the instance with which its IoU is greater than the overlap. Of several
      that find one instance, the one with the highest score is true, the others are false.
    - Groups, and instances of fewer than `MIN_AREA` pixels, need not be found. A prediction that
      finds nothing is passed over if more than the overlap's share of its pixels is void, or is of
      these; else it is false. A group of fewer than `MIN_AREA` pixels counts twice there.

    `void` covers the pixels of the frame that no score asks for.
    """
    areas = np.array([coco_mask.area(rle) for rle in predictions], np.int64)
    predictions = [rle for rle, area in zip(predictions, areas, strict=True) if area]
    scores, areas = scores[areas > 0], areas[areas > 0]
    common = _count_common(predictions, areas, truth.rles)
    iou = common / (areas[:, None] + truth.areas - common)
    are_small = truth.areas < MIN_AREA
    asked_for = ~truth.are_groups & ~are_small
    # As overlaps are at least a half, a prediction finds at most one.
    found = iou[:, asked_for] > OVERLAPS[:, None, None]  # (T, D, the instances asked for)
    ranking = np.argsort(-scores, kind="stable")
    are_first = np.zeros_like(found)
    are_first[:, ranking] = found[:, ranking].cumsum(axis=1) == 1
    are_true = (found & are_first).any(axis=2)
    ignored = _count_common(predictions, areas, [void])[:, 0]
    ignored += common @ (truth.are_groups.astype(np.int64) + are_small)
    counts = ignored / areas <= OVERLAPS[:, None]
    are_false = ~are_true & (found.any(axis=2) | counts)
    return Matches(scores, are_true, are_false, int(asked_for.sum()))


def find_curves(frames: Sequence[Matches]) -> list[tuple[Floats, Floats]]:
    """Return recall and precision of one class for each overlap, as `find_curve` does; nothing if
    there is no instance to be found."""
    instances = sum(matches.instances for matches in frames)
    if not instances:
        return []
    scores = np.concatenate([matches.scores for matches in frames])
    are_true = np.concatenate([matches.are_true for matches in frames], axis=1)
    are_false = np.concatenate([matches.are_false for matches in frames], axis=1)
    return [
        find_curve(scores[true | false], true[true | false], instances)
        for true, false in zip(are_true, are_false, strict=True)
    ]


def find_curve(scores: Floats, are_true: Bools, instances: int) -> tuple[Floats, Floats]:
    """Return recall and precision of the predictions that have at least a score, for each distinct
    score, lowest first; the last point is (0, 1), of no prediction.

    The predictions are those that are true or false. The rule is that of `evaluateMatches`.
    """
    distinct, places = np.unique(scores, return_inverse=True)
    true = np.bincount(places[are_true], minlength=distinct.size)[::-1].cumsum()[::-1]
    all_of_them = np.bincount(places, minlength=distinct.size)[::-1].cumsum()[::-1]
    return np.append(true / instances, 0.0), np.append(true / all_of_them, 1.0)


def rate_curves(curves: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Return the average precision of one class for each overlap, (T,), given what `find_curves`
    returns; NaN if there is no instance to be found."""
    if not curves:
        return np.full(OVERLAPS.shape, np.nan)
    return np.array([integrate(*curve) for curve in curves])


def integrate(recall: Floats, precision: Floats) -> float:
    """Return the area under a curve: each precision counts over half the way to the recalls on
    both sides of it, as in `evaluateMatches`."""
    widths = np.concatenate((recall[:1], recall[:-1])) - np.append(recall[1:], 0.0)
    return float(precision @ widths / 2)


def _count_common(rles: Sequence[Rle], areas: NDArray[np.int64], others: Sequence[Rle]) -> Any:
    """Return how many pixels each RLE has in common with each of the others, shape (D, G), int64;
    `areas`, (D,), are those of the first."""
    if not rles or not others:
        return np.zeros((len(rles), len(others)), np.int64)
    # To COCO, the others are crowds: it divides what is common by the area of the first alone.
    shares = coco_mask.iou(list(rles), list(others), [1] * len(others))
    return np.rint(np.asarray(shares) * areas[:, None]).astype(np.int64)
