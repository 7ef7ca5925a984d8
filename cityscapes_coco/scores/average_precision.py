"""Cityscapes' score and COCO's score: arrays in, numbers out.

Both find, frame by frame, which predictions are true, and then rank the predictions of a class over
all frames by their scores. So both begin with `match_...` for one frame, and end with `rate_...`
for what was found in all frames, joined.

Letters in shapes: D predictions, G instances and groups of the truth, T overlaps, the IoUs that a
prediction has to reach.
"""

import io
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.pixels.rle import Rle

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Cityscapes' overlaps, and the pixels of the smallest instance that has to be found: `overlaps` and
# `minRegionSizes` of cityscapesscripts' evalInstanceLevelSemanticLabeling.py.
OVERLAPS = np.arange(0.5, 1.0, 0.05)
MIN_AREA = 100

# COCO's overlaps, recalls, most predictions, and ranges of areas: all, small, medium, large.
_COCO: Any = COCOeval(iouType="bbox").params


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


# COCO's score.


class CocoTruth(NamedTuple):
    """The annotations of one category in one frame: boxes [x, y, width, height] or RLEs, their
    areas as the COCO file has them, (G,), and whether they are crowds, (G,)."""

    regions: Sequence[Any]
    areas: Floats
    are_crowds: Bools


class CocoMatches(NamedTuple):
    """What COCO makes of the predictions of one category, in one frame or in several.

    For A ranges of areas: `scores` is (D,), `are_matched` and `are_ignored` are (A, T, D), and
    `truth_ignored` is (A, G). Of those that are not ignored, a prediction that is matched is true,
    any other is false.
    """

    scores: Floats
    are_matched: Bools
    are_ignored: Bools
    truth_ignored: Bools


def match_coco_frame(
    predictions: Sequence[Any], areas: Floats, scores: Floats, truth: CocoTruth
) -> CocoMatches:
    """Return which predictions of one category match the truth in one frame; they are boxes or
    RLEs, and `areas` and `scores`, (D,), are theirs.

    The rules are those of `evaluateImg` of pycocotools' COCOeval:

    - The best 100 predictions take their pick one after the other, the highest score first.
    - What is a crowd or not in a range of areas is ignored. A prediction picks what is not ignored
      if its IoU with any such is as great as the overlap, or else what is ignored; of several the
      one with the greatest IoU, of equals the last. Only a crowd can be picked again.
    - A prediction that picks what is ignored is ignored, and so is one that picks nothing and is
      not in the range of areas.

    COCOeval asks of each prediction and each of the truth whether they reach an overlap. Here only
    the few pairs that reach the lowest one are asked. In one thing the two differ: to COCOeval, an
    annotation with the id 0 is never found.
    """
    best = np.argsort(-scores, kind="stable")[: _COCO.maxDets[-1]]
    low, high = np.array(_COCO.areaRng).T[..., None]
    truth_ignored = truth.are_crowds | (truth.areas < low) | (truth.areas > high)
    is_out = (areas[best] < low) | (areas[best] > high)
    candidates = _find_candidates([predictions[n] for n in best], truth)
    crowds = truth.are_crowds.tolist()
    picks = np.array(
        [
            [_pick(candidates, crowds, ignored, overlap) for overlap in _COCO.iouThrs.tolist()]
            for ignored in truth_ignored.tolist()
        ],
        np.intp,
    )
    # The last column is for those that pick nothing, whose place is -1.
    ignored = np.pad(truth_ignored, ((0, 0), (0, 1)))
    picks_ignored = ignored[np.arange(len(ignored))[:, None, None], picks]
    are_ignored = picks_ignored | ((picks < 0) & is_out[:, None])
    return CocoMatches(scores[best], picks >= 0, are_ignored, truth_ignored)


def rate_coco_matches(categories: Sequence[Sequence[CocoMatches]]) -> Floats:
    """Return COCO's precision: shape (T, R, K, A), for the overlaps 0.50, 0.55 .. 0.95, the recalls
    0, 0.01 .. 1, the categories and the ranges of areas; -1 where there is nothing to be found.

    Of each category comes what was found in the frames, in the order of the frames. COCOeval
    accumulates it. All frames together are one to COCOeval here: it sees the same predictions in
    the same order.
    """
    evaluator: Any = COCOeval(iouType="bbox")
    joined = [_join(frames) if frames else None for frames in categories]
    parameters = evaluator._paramsEval = evaluator.params
    parameters.imgIds = [1]
    parameters.catIds = list(range(len(joined)))
    # The best of each frame have been taken already.
    parameters.maxDets = [max((matches.scores.size for matches in joined if matches), default=0)]
    evaluator.evalImgs = [
        matches
        and {
            "dtScores": matches.scores,
            "dtMatches": matches.are_matched[area],
            "dtIgnore": matches.are_ignored[area],
            "gtIgnore": matches.truth_ignored[area],
        }
        for matches in joined
        for area in range(len(_COCO.areaRng))
    ]
    with redirect_stdout(io.StringIO()):
        evaluator.accumulate()
    precision: Floats = evaluator.eval["precision"][..., 0]
    return precision


def _find_candidates(predictions: Sequence[Any], truth: CocoTruth) -> list[list[tuple[float, int]]]:
    """Return, for each prediction, the IoU and the place of each of the truth that it could pick at
    the lowest overlap."""
    if not predictions or not truth.regions:
        return [[] for _ in predictions]
    crowds = truth.are_crowds.astype(int).tolist()
    ious: Any = coco_mask.iou(list(predictions), list(truth.regions), crowds)
    lowest = _COCO.iouThrs[0]
    return [
        [(iou, place) for place, iou in enumerate(row) if iou >= lowest] for row in ious.tolist()
    ]


def _pick(
    candidates: Iterable[Sequence[tuple[float, int]]],
    crowds: Sequence[bool],
    ignored: Sequence[bool],
    overlap: float,
) -> list[int]:
    """Return the place of what each prediction picks, -1 for nothing."""
    taken: set[int] = set()
    picks = []
    for of_one in candidates:
        free = [
            (not ignored[place], iou, place)
            for iou, place in of_one
            if iou >= overlap and (crowds[place] or place not in taken)
        ]
        pick = max(free)[2] if free else -1
        taken.add(pick)
        picks.append(pick)
    return picks


def _join(frames: Sequence[CocoMatches]) -> CocoMatches:
    return CocoMatches(*(np.concatenate(arrays, axis=-1) for arrays in zip(*frames, strict=True)))
