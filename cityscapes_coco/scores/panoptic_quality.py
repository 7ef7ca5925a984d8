"""Panoptic quality, of arrays of segment ids.

The rules come from `pq_compute_single_core` and `pq_average` in cityscapesscripts'
evalPanopticSemanticLabeling.py. Letters in shapes: S segments, N pairs, K categories.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cityscapes_coco.coco.panoptic import HIGHEST_ID

Integers = NDArray[np.int64]

# A predicted segment is true if its IoU exceeds this. So it finds at most one segment.
_OVERLAP = 0.5


class PanopticScore(Struct):
    """Panoptic quality, and its factors: the mean IoU of what is found (SQ), and the quality of
    recognition (RQ). None if neither the truth nor the prediction has such a segment."""

    pq: float | None
    sq: float | None
    rq: float | None


class PanopticAverages(Struct):
    """The means over the classes with a score."""

    all: PanopticScore
    things: PanopticScore
    stuff: PanopticScore


class PanopticQuality(Struct):
    average: PanopticAverages
    classes: dict[str, PanopticScore]


class Segments(NamedTuple):
    """The segments of one image: their ids, from 1; their categories, counted from 0; and whether
    they are crowds. Each has the shape (S,)."""

    ids: Integers
    categories: Integers
    are_crowds: NDArray[np.bool_]


class Pairs(NamedTuple):
    """The pixels that a segment of the truth shares with a predicted one: the ids of both, with 0
    for void, and the number of pixels. Each has the shape (N,)."""

    truth: Integers
    predicted: Integers
    pixels: Integers


class PanopticMatches(NamedTuple):
    """What was found, in one image or in several, by category: shape (K,). `ious` is the sum over
    what is true. `overlaps`, (K, K), counts the pairs of segments whose IoU suffices, whatever
    their categories: the truth's in the rows, the predicted in the columns."""

    ious: NDArray[np.float64]
    true: Integers
    false: Integers
    missed: Integers
    overlaps: Integers


def count_pairs(truth: NDArray[np.int32], predicted: NDArray[np.int32]) -> Pairs:
    """Count the pixels of each pair of ids in two arrays of shape (height, width). An id is what
    `read_colors` has in the three lower bytes."""
    ours, theirs = truth.ravel(), predicted.ravel()
    # A street has some ten thousand runs of pixels with one pair of ids, and two million pixels.
    changes = ours[1:] != ours[:-1]
    changes |= theirs[1:] != theirs[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    lengths = np.diff(starts, append=ours.size)
    our_ids, their_ids = (some[starts].astype(np.int64) & HIGHEST_ID for some in (ours, theirs))
    distinct, places = np.unique(our_ids << 32 | their_ids, return_inverse=True)
    pixels = np.bincount(places.ravel(), lengths).astype(np.int64)
    return Pairs(distinct >> 32, distinct & 0xFFFFFFFF, pixels)


def match_segments(
    pairs: Pairs, truth: Segments, predicted: Segments, categories: int
) -> PanopticMatches:
    """Match the predicted segments of one image with the truth; every id of a pair is a segment's.

    - The IoU leaves out the pixels of the predicted segment that are void in the truth.
    - Crowds are not to be found.
    - A predicted segment that is not true is false, unless more than half of it is void, or the
      crowd of its category. If a category has several crowds, the last one counts.
    """
    # Void has the place after the last segment.
    ours = _find_places(truth.ids, pairs.truth)
    theirs = _find_places(predicted.ids, pairs.predicted)
    void = len(truth.ids)
    our_areas = np.bincount(ours, pairs.pixels, void + 1)
    areas = np.bincount(theirs, pairs.pixels, len(predicted.ids) + 1)
    on_void = np.bincount(theirs, pairs.pixels * (ours == void), areas.size)

    candidates = ~np.append(truth.are_crowds, True)[ours] & (theirs < len(predicted.ids))
    one, other, common = ours[candidates], theirs[candidates], pairs.pixels[candidates]
    iou = common / (areas[other] + our_areas[one] - common - on_void[other])
    one, other, iou = (array[iou > _OVERLAP] for array in (one, other, iou))
    wanted, given = truth.categories[one], predicted.categories[other]
    is_true = wanted == given

    is_found = np.zeros(len(truth.ids), np.bool_)
    is_found[one[is_true]] = True
    is_used = np.zeros(len(predicted.ids), np.bool_)
    is_used[other[is_true]] = True
    crowd = np.full(categories, -1)
    for place in np.flatnonzero(truth.are_crowds):
        crowd[truth.categories[place]] = place
    own_crowd = np.append(crowd[predicted.categories], -1)[theirs]
    ignored = np.bincount(theirs, pairs.pixels * ((ours == void) | (ours == own_crowd)), areas.size)
    is_ignored = ignored[:-1] / areas[:-1] > _OVERLAP
    return PanopticMatches(
        np.bincount(wanted[is_true], iou[is_true], categories).astype(np.float64),
        np.bincount(wanted[is_true], minlength=categories),
        np.bincount(predicted.categories[~is_used & ~is_ignored], minlength=categories),
        np.bincount(truth.categories[~is_found & ~truth.are_crowds], minlength=categories),
        np.bincount(wanted * categories + given, minlength=categories**2).reshape(categories, -1),
    )


def add_matches(images: Iterable[PanopticMatches], categories: int) -> PanopticMatches:
    zeros = np.zeros(categories, np.int64)
    overlaps = np.zeros((categories, categories), np.int64)
    total: list[Any] = [np.zeros(categories), zeros, zeros, zeros, overlaps]
    for matches in images:
        total = [one + other for one, other in zip(total, matches, strict=True)]
    return PanopticMatches(*total)


def rate_segments(
    matches: PanopticMatches, names: Sequence[str], are_things: Sequence[bool]
) -> PanopticQuality:
    """Return the scores, given the matches in all images and the categories."""
    rows = zip(matches.ious, matches.true, matches.false, matches.missed, strict=True)
    scores = [_rate_category(float(iou), *map(int, counts)) for iou, *counts in rows]
    things = [score for score, is_thing in zip(scores, are_things, strict=True) if is_thing]
    stuff = [score for score, is_thing in zip(scores, are_things, strict=True) if not is_thing]
    return PanopticQuality(
        PanopticAverages(_average(scores), _average(things), _average(stuff)),
        dict(zip(names, scores, strict=True)),
    )


def _find_places(listed: Integers, ids: Integers) -> Integers:
    """Return the place of each id among those that are listed; of 0, the place after the last."""
    order = np.argsort(listed)
    places = np.append(order, len(listed))[np.searchsorted(listed, ids, sorter=order)]
    return np.where(ids == 0, len(listed), places)


def _rate_category(ious: float, true: int, false: int, missed: int) -> PanopticScore:
    if not true + false + missed:
        return PanopticScore(None, None, None)
    segments = true + false / 2 + missed / 2
    return PanopticScore(ious / segments, ious / true if true else 0.0, true / segments)


def _average(scores: Sequence[PanopticScore]) -> PanopticScore:
    known = [score for score in scores if score.pq is not None]
    if not known:
        return PanopticScore(None, None, None)
    rates = np.array([(score.pq, score.sq, score.rq) for score in known], np.float64)
    return PanopticScore(*rates.mean(axis=0).tolist())
