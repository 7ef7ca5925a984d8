"""COCO's average precision, of boxes and of masks.

Letters in shapes: D predictions, G annotations, A ranges of areas, T overlaps (the IoUs that a
prediction has to reach).
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.coco.segmentations import decode_annotation
from cityscapes_coco.errors import UserError
from cityscapes_coco.scores.results import Prediction

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Shape = Literal["box", "mask"]
# Recall and precision of each class at the overlap of 0.50, each of shape (N,).
Curves = dict[str, tuple[Floats, Floats]]

# COCO's overlaps, recalls, most predictions, and ranges of areas: all, small, medium, large.
_COCO: Any = COCOeval(iouType="bbox").params


class CocoScore(Struct):
    """COCO's average precision: over all overlaps, at 0.50 and 0.75, and for three ranges of areas.

    A number is None if the truth has nothing to find.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None


class CocoScores(Struct):
    """COCO's scores of the boxes and, if there are masks, of the masks."""

    average: dict[Shape, CocoScore]
    classes: dict[str, dict[Shape, CocoScore]]


class CocoTruth(NamedTuple):
    """The annotations of one category in one image: boxes [x, y, width, height] or RLEs; their
    areas as the COCO file states them, (G,); and whether they are crowds, (G,)."""

    regions: Sequence[Any]
    areas: Floats
    are_crowds: Bools


class CocoMatches(NamedTuple):
    """How COCO judges the predictions of one category, in one image or in several.

    `scores` is (D,), `are_matched` and `are_ignored` are (A, T, D), `truth_ignored` is (A, G). Of
    the predictions that are not ignored, those that are matched are true and the others false.
    """

    scores: Floats
    are_matched: Bools
    are_ignored: Bools
    truth_ignored: Bools


class CocoScorer(NamedTuple):
    """What COCO's score needs to know about every image: the COCO file, for errors; the shapes to
    score; the names of the categories, by id in the order of the ids; and whether OpenCV fills the
    polygons of the file."""

    path: Path
    shapes: Sequence[Shape]
    names: Mapping[int, str]
    with_opencv: bool = False

    def match_image(
        self,
        size: tuple[int, int],
        annotations: Iterable[Annotation],
        predictions: Iterable[Prediction],
    ) -> dict[tuple[Shape, int], CocoMatches]:
        """Match the predictions of one image, (height, width) in pixels, by shape and category.

        Raises UserError if a mask of the truth is missing or cannot be decoded.
        """
        matches = {}
        for shape in self.shapes:
            for number in self.names:
                truth = [a for a in annotations if a.category_id == number]
                chosen = [p for p in predictions if p.result.category_id == number]
                if truth or chosen:
                    there = CocoTruth(
                        [self._find_region(shape, size, annotation) for annotation in truth],
                        np.array([annotation.area for annotation in truth], np.float64),
                        np.array([bool(annotation.iscrowd) for annotation in truth], np.bool_),
                    )
                    matches[shape, number] = match_category(*_measure(shape, chosen), there)
        return matches

    def rate(
        self, images: Sequence[Mapping[tuple[Shape, int], CocoMatches]]
    ) -> tuple[CocoScores, dict[str, Curves]]:
        """Return the scores of all images, given the matches in each, and the curves by shape.

        COCO's precision at a recall is the best one at this recall or any higher one. A curve ends
        at the first point with a precision of 0.
        """
        scores = CocoScores({}, {name: {} for name in self.names.values()})
        curves: dict[str, Curves] = {shape: {} for shape in self.shapes}
        for shape in self.shapes:
            keys = [(shape, number) for number in self.names]
            found = [[matches[key] for matches in images if key in matches] for key in keys]
            precision = find_precision(found)
            scores.average[shape] = _average(precision)
            for place, name in enumerate(self.names.values()):
                of_class = precision[:, :, place : place + 1]
                scores.classes[name][shape] = _average(of_class)
                at_half = of_class[0, :, 0, 0]
                if at_half[0] > -1:
                    end = np.count_nonzero(at_half) + 1
                    curves[shape][name] = np.linspace(0, 1, at_half.size)[:end], at_half[:end]
        return scores, curves

    def _find_region(self, shape: Shape, size: tuple[int, int], annotation: Annotation) -> Any:
        """Return the box of an annotation, or the RLE of its mask."""
        if shape == "box":
            return list(annotation.bbox or ())
        rle = decode_annotation(self.path, annotation, *size, with_opencv=self.with_opencv)
        if rle is None:
            reason = f"annotation {annotation.id} has no segmentation, but others have"
            raise UserError(self.path, reason)
        return rle


def match_category(
    predictions: Sequence[Any], areas: Floats, scores: Floats, truth: CocoTruth
) -> CocoMatches:
    """Match the predictions of one category in one image with the truth.

    The predictions are boxes or RLEs, each with one of the `areas` and `scores`, (D,). The rules
    come from `evaluateImg` in pycocotools' COCOeval:

    - The best 100 predictions choose one after the other, the highest score first.
    - Truth is ignored if it is a crowd or outside of the range of areas. A prediction chooses truth
      that is not ignored if any reaches the overlap, or else ignored truth; among several, the one
      with the greatest IoU, and of equals the last. Only a crowd can be chosen again.
    - A prediction is ignored if it chooses ignored truth, or if it chooses nothing and is outside
      of the range of areas.

    COCOeval looks at all pairs for each overlap; here only the few that reach the lowest overlap
    are looked at. One thing differs: to COCOeval, an annotation with the id 0 is never found.
    """
    best = np.argsort(-scores, kind="stable")[: _COCO.maxDets[-1]]
    low, high = np.array(_COCO.areaRng).T[..., None]
    truth_ignored = truth.are_crowds | (truth.areas < low) | (truth.areas > high)
    is_out = (areas[best] < low) | (areas[best] > high)
    candidates = _find_candidates([predictions[n] for n in best], truth)
    crowds = truth.are_crowds.tolist()
    choices = np.array(
        [
            [_choose(candidates, crowds, ignored, overlap) for overlap in _COCO.iouThrs.tolist()]
            for ignored in truth_ignored.tolist()
        ],
        np.intp,
    )
    # The last column stands for choosing nothing, which is -1.
    ignored = np.pad(truth_ignored, ((0, 0), (0, 1)))
    choices_ignored = ignored[np.arange(len(ignored))[:, None, None], choices]
    are_ignored = choices_ignored | ((choices < 0) & is_out[:, None])
    return CocoMatches(scores[best], choices >= 0, are_ignored, truth_ignored)


def find_precision(categories: Sequence[Sequence[CocoMatches]]) -> Floats:
    """Return COCO's precision: shape (T, R, K, A), for the overlaps 0.50, 0.55 .. 0.95, the recalls
    0, 0.01 .. 1, the categories and the ranges of areas; -1 where there is nothing to find.

    `categories` has, for each category, the matches in each image, in the order of the images.
    COCOeval accumulates them. Here it is given all images as one: the same predictions in the same
    order.
    """
    evaluator: Any = COCOeval(iouType="bbox")
    joined = [_join(images) if images else None for images in categories]
    parameters = evaluator._paramsEval = evaluator.params
    parameters.imgIds = [1]
    parameters.catIds = list(range(len(joined)))
    # The best of each image have been taken already.
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


def _measure(shape: Shape, predictions: Sequence[Prediction]) -> tuple[list[Any], Floats, Floats]:
    """Return the boxes or RLEs of predictions, their areas and their scores."""
    regions, areas = [], []
    for result, rle in predictions:
        region: Any = rle
        if shape == "box":
            region = list(result.bbox) if result.bbox else coco_mask.toBbox(rle).tolist()
        regions.append(region)
        # As in pycocotools' `loadRes`, a box from the file has its own area.
        is_box = shape == "box" and result.bbox
        areas.append(region[2] * region[3] if is_box else coco_mask.area(rle))
    scores = np.array([prediction.result.score for prediction in predictions], np.float64)
    return regions, np.array(areas, np.float64), scores


def _find_candidates(predictions: Sequence[Any], truth: CocoTruth) -> list[list[tuple[float, int]]]:
    """Return the truth that each prediction could choose at the lowest overlap: IoU and index."""
    if not predictions or not truth.regions:
        return [[] for _ in predictions]
    crowds = truth.are_crowds.astype(int).tolist()
    ious: Any = coco_mask.iou(list(predictions), list(truth.regions), crowds)
    lowest = _COCO.iouThrs[0]
    return [
        [(iou, index) for index, iou in enumerate(row) if iou >= lowest] for row in ious.tolist()
    ]


def _choose(
    candidates: Iterable[Sequence[tuple[float, int]]],
    crowds: Sequence[bool],
    ignored: Sequence[bool],
    overlap: float,
) -> list[int]:
    """Return what each prediction chooses, as an index in the truth; -1 for nothing."""
    taken: set[int] = set()
    choices = []
    for of_one in candidates:
        free = [
            (not ignored[index], iou, index)
            for iou, index in of_one
            if iou >= overlap and (crowds[index] or index not in taken)
        ]
        choice = max(free)[2] if free else -1
        taken.add(choice)
        choices.append(choice)
    return choices


def _join(images: Sequence[CocoMatches]) -> CocoMatches:
    return CocoMatches(*(np.concatenate(arrays, axis=-1) for arrays in zip(*images, strict=True)))


def _average(precision: Floats) -> CocoScore:
    """Return COCO's numbers by the rule of COCOeval's `summarize`, given what `find_precision`
    returns, for all categories or for one."""
    everything, small, medium, large = np.moveaxis(precision, -1, 0)
    parts = (everything, everything[0], everything[5], small, medium, large)
    known = (part[part > -1] for part in parts)
    return CocoScore(*(float(part.mean()) if part.size else None for part in known))
