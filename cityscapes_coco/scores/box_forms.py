"""Boxes and masks in another form than COCO's: in which form, or with which scale and offset, they
would lie on instances."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cityscapes_coco.scores.sampling import (
    MASKS,
    Boxes,
    Sample,
    count_found,
    count_possible,
    spread,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# So many images show which form is right.
_IMAGES = 25
# Results that are read well lie on at least this share of the instances that they could lie on, on
# so many times as many as before, and on so many. With a scale that is fitted to the truth, results
# that are only weak lie on more.
_SHARE, _TIMES, _FEWEST = 0.2, 1.5, 5
_SHARE_FITTED, _TIMES_FITTED, _FEWEST_FITTED = 0.3, 3, 10
# A fitted scale as near to 1 as this comes from rounding.
_NO_SCALE = 0.05
# No image is smaller, in pixels; a smaller offset, as a share of the image, comes from rounding.
_SMALLEST, _PADDED = 8, 0.01
# The most common reading is taken that finds this share of what the best one finds.
_AS_GOOD = 0.95
# Pairs of boxes vote in cells: of the logarithms of scales, and of offsets in shares of the image.
_SCALE_CELL, _SCALE_REACH = 0.1, 8.0
_OFFSET_CELL, _OFFSET_REACH = 0.025, 2.0
# The scales with the most votes that are tried, and the best results of an image that vote.
_TRIED, _VOTERS = 6, 30


class Reading(NamedTuple):
    """A way to read boxes: its name, which follows "read as", what to do, and a function that
    returns the boxes of an image, read in this way."""

    name: str
    remedy: str
    read: Callable[[Sample], Boxes]


# How the first two numbers of a form and the last two become place and size: the share of the last
# that is taken from the first, and the share of the first that is taken from the last.
_AS_IS, _CORNERS, _CENTER = (0, 0), (0, 1), (0.5, 0)
# The forms of boxes, the most common first: the places of x, y and the other two numbers, and what
# the four mean.
_FORMS: dict[str, tuple[tuple[int, ...], tuple[float, float]]] = {
    "[x, y, width, height]": ((0, 1, 2, 3), _AS_IS),
    "[x1, y1, x2, y2]": ((0, 1, 2, 3), _CORNERS),
    "[center x, center y, width, height]": ((0, 1, 2, 3), _CENTER),
    "[y, x, height, width]": ((1, 0, 3, 2), _AS_IS),
    "[y1, x1, y2, x2]": ((1, 0, 3, 2), _CORNERS),
    "[center y, center x, height, width]": ((1, 0, 3, 2), _CENTER),
    "[x, y, height, width]": ((0, 1, 3, 2), _AS_IS),
    "[center x, center y, height, width]": ((0, 1, 3, 2), _CENTER),
    "[x1, x2, y1, y2]": ((0, 2, 1, 3), _CORNERS),
    "[y1, y2, x1, x2]": ((2, 0, 3, 1), _CORNERS),
}
# The forms of boxes whose scale may be wrong too; and the forms of masks, as of the boxes around
# them.
_OF_OTHER_SIZE = (*_FORMS,)[:6]
_OF_MASKS = {"masks": "[x, y, width, height]", "masks with y before x": "[y, x, height, width]"}
# How images are turned over, and along which axes.
_MIRRORED = {
    "mirrored from left to right": (0,),
    "counted from the bottom": (1,),
    "turned by 180 degrees": (0, 1),
}
_AS_IN_PHOTOGRAPH = "write them as they are in the photograph"
BOX_REMEDY = "write [x, y, width, height] in pixels"
_REMEDIES = {
    "box": BOX_REMEDY,
    "mask": "write [x0, y0, x1, y1, ...] in pixels",
}


def find_reading(samples: Sequence[Sample], shape: str) -> Reading | None:
    """Return a way to read boxes, or masks, in which they lie on many more instances than as they
    are; None if there is none."""
    samples = spread(samples, _IMAGES)
    found = count_found(samples, [sample.boxes[shape] for sample in samples])
    possible = count_possible(samples)
    best = None
    ways = (
        (_list_readings, _FEWEST, _SHARE, _TIMES),
        (_list_fitted, _FEWEST_FITTED, _SHARE_FITTED, _TIMES_FITTED),
    )
    for list_readings, fewest, share, times in ways:
        least = max(fewest, share * possible, times * found)
        if least > possible:
            continue
        readings = [*list_readings(samples, shape)]
        counts = [count_found(samples, map(reading.read, samples)) for reading in readings]
        if counts and max(counts) >= least:
            best = readings[[n >= _AS_GOOD * max(counts) for n in counts].index(True)]
            # A fitted scale must then find 1.5 times as many: three times a half.
            found = max(found, max(counts) // 2)
    return best


def fit_scales(
    boxes: Iterable[Boxes], truth: Iterable[Boxes], size: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Yield scales and offsets, (2,) each for x and y, by which many boxes may fit an instance.

    Each pair of a box and an instance of its image votes for the scale that makes their sizes
    equal, and then for the offset that makes their centers equal. Pairs that belong together agree,
    all others spread. `size` is (width, height) of the images in pixels.
    """
    pairs = zip(*map(_pair, boxes, truth), strict=True)
    ratios, centers, targets = map(np.concatenate, pairs)
    for scale, near in _find_peaks(ratios, _SCALE_CELL, _SCALE_REACH, _TRIED):
        scale = np.exp(scale)
        yield scale, np.zeros(2)
        offsets = (targets[near] - centers[near] * scale) / size
        for offset, _ in _find_peaks(offsets, _OFFSET_CELL, _OFFSET_REACH, 1):
            yield scale, offset * size


def _list_readings(samples: Sequence[Sample], shape: str) -> Iterator[Reading]:
    """Yield the forms in which boxes or masks are often written, the most common first."""
    for in_shares in False, True:
        for name, form in _list_forms(shape, [*_FORMS]):
            read = partial(_read, shape=shape, form=form, scale=None if in_shares else np.ones(2))
            yield Reading(name + " in shares of the image" * in_shares, _REMEDIES[shape], read)
    if shape == "mask":
        for way, remedy in (MASKS[1], "down the columns"), (MASKS[2], "with 1 for the instance"):
            read = partial(_read, shape=way, form=_OF_MASKS["masks"], scale=np.ones(2))
            yield Reading(f"run lengths {way}", f"encode them {remedy}", read)
    for name, axes in _MIRRORED.items():
        yield Reading(name, _AS_IN_PHOTOGRAPH, partial(_mirror, shape=shape, axes=axes))


def _list_fitted(samples: Sequence[Sample], shape: str) -> Iterator[Reading]:
    """Yield readings as boxes or masks of an image of another size, which fits the truth."""
    size = np.array(samples[0].size[::-1], np.float64)
    for name, form in _list_forms(shape, _OF_OTHER_SIZE):
        boxes = [_read(sample, shape, form, np.ones(2)) for sample in samples]
        for scale, offset in fit_scales(boxes, (sample.truth.boxes for sample in samples), size):
            read = partial(_read, shape=shape, form=form, scale=scale, offset=offset)
            what, remedy = _describe_fit(size, scale, offset)
            yield Reading(f"{name} {what}", remedy, read)


def _describe_fit(size: Floats, scale: Floats, offset: Floats) -> tuple[str, str]:
    """Return what boxes are that fit with a scale and an offset, and what to do; all are (2,)."""
    if (abs(scale - 1) < _NO_SCALE).all():
        x, y = np.rint(-offset).astype(int).tolist()
        return f"that were moved by {x}, {y} pixels", _AS_IN_PHOTOGRAPH
    width, height = np.rint(size / scale).astype(int).tolist()
    what = f"of an image of some {width} x {height} pixels"
    if min(width, height) < _SMALLEST:
        what = "in shares of an image"
    padded = " that was padded or cut" if (abs(offset) > _PADDED * size).any() else ""
    return f"{what}{padded}", "resize them to their image"


def _list_forms(shape: str, forms: Sequence[str]) -> list[tuple[str, str]]:
    """Return the name of each form of boxes or masks, and the form of the boxes."""
    return [(form, form) for form in forms] if shape == "box" else [*_OF_MASKS.items()]


def _read(
    sample: Sample, shape: str, form: str, scale: Floats | None, offset: Floats | float = 0.0
) -> Boxes:
    """Return boxes in COCO's form, given the form they are in, and their scale, (2,), which is the
    size of the image if it is None."""
    order, (of_last, of_first) = _FORMS[form]
    first, last = np.split(sample.boxes[shape][:, order], 2, axis=1)
    places, sizes = first - of_last * last, last - of_first * first
    scale = np.array(sample.size[::-1], np.float64) if scale is None else scale
    return np.concatenate((places * scale + offset, sizes * scale), axis=1)


def _mirror(sample: Sample, shape: str, axes: Sequence[int]) -> Boxes:
    boxes: Boxes = sample.boxes[shape].copy()
    for axis in axes:
        boxes[:, axis] = sample.size[1 - axis] - boxes[:, axis] - boxes[:, axis + 2]
    return boxes


def _pair(boxes: Boxes, truth: Boxes) -> tuple[Floats, Floats, Floats]:
    """Return for each pair of a box and an instance the logarithms of the ratio of their sizes, and
    the center of the box and of the instance, (N, 2) each."""
    boxes, truth = (
        some[np.isfinite(some).all(axis=1) & (some[:, 2:] > 0).all(axis=1)]
        for some in (boxes[:_VOTERS], truth)
    )
    ratios = (np.log(truth[:, 2:]) - np.log(boxes[:, None, 2:])).reshape(-1, 2)
    centers, targets = (some[:, :2] + some[:, 2:] / 2 for some in (boxes, truth))
    return ratios, centers.repeat(len(truth), axis=0), np.tile(targets, (len(boxes), 1))


def _find_peaks(
    points: Floats, cell: float, reach: float, most: int
) -> Iterator[tuple[Floats, Bools]]:
    """Yield up to `most` places, (2,), where many of the points, (N, 2), are, and which are
    there."""
    sides = np.array([[-reach, reach]] * 2)
    x, y = points.T
    votes, edges, _ = np.histogram2d(x, y, bins=round(2 * reach / cell), range=sides)
    for _ in range(most):
        padded = np.pad(votes, 1)
        summed = sliding_window_view(padded, (3, 3)).sum(axis=(2, 3))
        peak = np.unravel_index(np.argmax(summed), votes.shape)
        if not summed.max():
            return
        middle = edges[list(peak)] + cell / 2
        # Rounding must not lose the points on the border: they have voted.
        near = np.all(np.abs(points - middle) <= 1.500001 * cell, axis=1)
        yield np.median(points[near], axis=0), near
        votes[tuple(slice(max(place - 1, 0), place + 2) for place in peak)] = 0
