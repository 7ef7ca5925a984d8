"""Cityscapes' own average precision, of masks.

Letters in shapes: D predictions, G instances and groups in the map, T overlaps (the IoUs that a
prediction has to exceed).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.cityscapes.id_map import cut_mask, find_instances, read_id_map
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS, Label
from cityscapes_coco.pixels.rle import Rle, to_rles
from cityscapes_coco.scores.results import Prediction

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Recall and precision of each class at the overlap of 0.50, each of shape (N,).
Curves = dict[str, tuple[Floats, Floats]]

# The overlaps, and the pixels of the smallest instance that has to be found: `overlaps` and
# `minRegionSizes` in cityscapesscripts' evalInstanceLevelSemanticLabeling.py.
OVERLAPS = np.arange(0.5, 1.0, 0.05)
MIN_AREA = 100

# For every value that a map can hold: do scores ignore it? As 0 and 1.
_IS_VOID = np.zeros(1 << 16, np.uint8)
_IS_VOID[[label.id for label in LABELS if label.ignored and label.id >= 0]] = 1


class CityscapesScore(Struct):
    """Cityscapes' average precision, over all overlaps and at 0.50; None without instances."""

    ap: float | None
    ap50: float | None


class CityscapesScores(Struct):
    average: CityscapesScore
    classes: dict[str, CityscapesScore]


class OtherSize(UserError):
    """A map has another size than its image in the COCO file."""


class CityscapesTruth(NamedTuple):
    """The instances and groups of one class in one map; `areas`, (G,), count their pixels."""

    rles: Sequence[Rle]
    areas: NDArray[np.int64]
    are_groups: Bools


class CityscapesMatches(NamedTuple):
    """How Cityscapes judges the predictions of one class, in one map or in several. `scores` is
    (D,). `are_true` and `are_false` are (T, D); predictions that are neither are ignored.
    `instances` counts the instances that have to be found."""

    scores: Floats
    are_true: Bools
    are_false: Bools
    instances: int


class CityscapesScorer(NamedTuple):
    """What Cityscapes' score needs to know about every map: the COCO file, for errors, and the
    label of each category that is scored, by the category's id. `void_unknown` says that labels
    which Cityscapes does not have are void."""

    path: Path
    labels: Mapping[int, Label]
    void_unknown: bool = False

    def match_map(
        self, map_path: str, size: tuple[int, int], predictions: Sequence[Prediction]
    ) -> Iterator[tuple[str, CityscapesMatches]]:
        """Yield the name of each class that the map or the predictions have, and its matches.

        `size` is (height, width) of the image, in pixels. Raises UserError if the map cannot be
        read, and OtherSize if it has another size.
        """
        id_map, _ = read_id_map(map_path, void_unknown=self.void_unknown)
        if id_map.shape != size:
            shown = [f"{width} x {height}" for height, width in (id_map.shape, size)]
            raise OtherSize(map_path, f"has {shown[0]} pixels, its image in {self.path} {shown[1]}")
        instances, foreign, unknown = find_instances(id_map, map_path)
        if unknown and not self.void_unknown:
            reason = f"holds the value {unknown[0]}, whose label Cityscapes does not have"
            raise UserError(map_path, f"{reason}; to ignore it, convert with --unknown-labels void")
        void = _find_void(id_map, foreign + unknown if self.void_unknown else [])
        for category_id, label in self.labels.items():
            there = [instance for instance in instances if instance.label_id == label.id]
            chosen = [p for p in predictions if p.result.category_id == category_id]
            if there or chosen:
                truth = CityscapesTruth(
                    to_rles([(cut_mask(id_map, i), *i.bbox[:2]) for i in there], *size),
                    np.array([instance.area for instance in there], np.int64),
                    np.array([instance.is_group for instance in there], np.bool_),
                )
                scores = np.array([prediction.result.score for prediction in chosen], np.float64)
                rles = [prediction.rle for prediction in chosen]
                yield label.name, match_class(rles, scores, truth, void)

    def rate(
        self, maps: Sequence[Mapping[str, CityscapesMatches]]
    ) -> tuple[CityscapesScores, Curves]:
        """Return the scores of all maps, given the matches in each, and the curves, with a point
        for each distinct score. The average follows cityscapesscripts' `computeAverages`."""
        names = [label.name for label in self.labels.values()]
        curves = {n: _find_curves([found[n] for found in maps if n in found]) for n in names}
        precisions = {n: [*starmap(_integrate, of_class)] for n, of_class in curves.items()}
        classes = {n: _average([row] if row else []) for n, row in precisions.items()}
        scores = CityscapesScores(_average([*filter(None, precisions.values())]), classes)
        return scores, {name: of_class[0] for name, of_class in curves.items() if of_class}


def match_class(
    predictions: Sequence[Rle], scores: Floats, truth: CityscapesTruth, void: Rle
) -> CityscapesMatches:
    """Match the predictions of one class in one map with the truth.

    Each prediction has one of the `scores`, (D,); `void` covers the pixels that all scores ignore.
    The rules come from cityscapesscripts' `assignGt2Preds` and `evaluateMatches`:

    - An empty prediction does not exist.
    - A prediction finds the instance with which its IoU exceeds the overlap. If several find one
      instance, the one with the highest score is true and the others are false.
    - Groups, and instances of fewer than `MIN_AREA` pixels, need not be found. A prediction that
      finds nothing is ignored if the share of its pixels on void, groups and such instances exceeds
      the overlap; otherwise it is false. A group of fewer than `MIN_AREA` pixels counts twice.
    """
    areas = np.array([coco_mask.area(rle) for rle in predictions], np.int64)
    predictions = [rle for rle, area in zip(predictions, areas, strict=True) if area]
    scores, areas = scores[areas > 0], areas[areas > 0]
    common = _count_common(predictions, areas, truth.rles)
    iou = common / (areas[:, None] + truth.areas - common)
    are_small = truth.areas < MIN_AREA
    asked_for = ~truth.are_groups & ~are_small
    # Overlaps are a half or more, so a prediction finds at most one instance.
    found = iou[:, asked_for] > OVERLAPS[:, None, None]  # (T, D, the instances asked for)
    ranking = np.argsort(-scores, kind="stable")
    are_first = np.zeros_like(found)
    are_first[:, ranking] = found[:, ranking].cumsum(axis=1) == 1
    are_true = (found & are_first).any(axis=2)
    ignored = _count_common(predictions, areas, [void])[:, 0]
    ignored += common @ (truth.are_groups.astype(np.int64) + are_small)
    counts = ignored / areas <= OVERLAPS[:, None]
    are_false = ~are_true & (found.any(axis=2) | counts)
    return CityscapesMatches(scores, are_true, are_false, int(asked_for.sum()))


def _find_void(id_map: NDArray[np.uint16], others: Sequence[int]) -> Rle:
    """Return the RLE of the pixels that all scores ignore; values of `others` are void, too.

    pycocotools goes down the columns; OpenCV transposes in a fifth of numpy's time.
    """
    if others:
        is_void = _IS_VOID.copy()
        is_void[others] = 1
        return coco_mask.encode(cv2.transpose(is_void.take(id_map)).T)
    # Void labels have one byte. Greater values become 255, which is none of them; a table of bytes
    # takes half of the time.
    columns = cv2.transpose(cv2.convertScaleAbs(id_map))
    return coco_mask.encode(cv2.LUT(columns, _IS_VOID[:256]).T)


def _find_curve(scores: Floats, are_true: Bools, instances: int) -> tuple[Floats, Floats]:
    """Return recall and precision of the predictions with a score or a higher one, for each
    distinct score, lowest first; the last point, (0, 1), is for no prediction.

    The predictions are those that are true or false. The rule is in `evaluateMatches`.
    """
    distinct, places = np.unique(scores, return_inverse=True)
    true = np.bincount(places[are_true], minlength=distinct.size)[::-1].cumsum()[::-1]
    all_of_them = np.bincount(places, minlength=distinct.size)[::-1].cumsum()[::-1]
    return np.append(true / instances, 0.0), np.append(true / all_of_them, 1.0)


def _integrate(recall: Floats, precision: Floats) -> float:
    """Return the area under a curve. As in `evaluateMatches`, each precision counts over half the
    distance to the recalls on both sides of it."""
    widths = np.concatenate((recall[:1], recall[:-1])) - np.append(recall[1:], 0.0)
    return float(precision @ widths / 2)


def _find_curves(maps: Sequence[CityscapesMatches]) -> list[tuple[Floats, Floats]]:
    """Return the curve of one class for each overlap; no curve if there is no instance to find."""
    instances = sum(matches.instances for matches in maps)
    if not instances:
        return []
    scores = np.concatenate([matches.scores for matches in maps])
    are_true = np.concatenate([matches.are_true for matches in maps], axis=1)
    are_false = np.concatenate([matches.are_false for matches in maps], axis=1)
    pairs = zip(are_true, are_false, strict=True)
    return [_find_curve(scores[t | f], t[t | f], instances) for t, f in pairs]


def _average(precisions: Sequence[Sequence[float]]) -> CityscapesScore:
    """Return the mean over classes and overlaps, given the average precision of each class at each
    overlap."""
    rates = np.array(precisions)
    if not rates.size:
        return CityscapesScore(None, None)
    return CityscapesScore(float(rates.mean()), float(rates[:, 0].mean()))


def _count_common(rles: Sequence[Rle], areas: NDArray[np.int64], others: Sequence[Rle]) -> Any:
    """Count the pixels that each RLE shares with each of the others: shape (D, G), int64. `areas`,
    (D,), are the areas of the first RLEs."""
    if not rles or not others:
        return np.zeros((len(rles), len(others)), np.int64)
    # For crowds, COCO divides the common pixels by the area of the first RLE alone.
    shares = coco_mask.iou(list(rles), list(others), [1] * len(others))
    return np.rint(np.asarray(shares) * areas[:, None]).astype(np.int64)
