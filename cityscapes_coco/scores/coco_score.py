"""COCO's score: arrays in, numbers out."""

import io
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.scores.cityscapes_score import Bools, Floats

# COCO's overlaps, recalls, most predictions, and ranges of areas: all, small, medium, large.
_COCO: Any = COCOeval(iouType="bbox").params


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
