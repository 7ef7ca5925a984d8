"""The scale and the offset by which boxes of a resized or padded image would fit the truth."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.scores.sampling import Boxes, Truth

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Pairs of boxes vote in cells: of the logarithms of scales, and of offsets in shares of the image.
_SCALE_CELL, _SCALE_REACH = 0.1, 8.0
_OFFSET_CELL, _OFFSET_REACH = 0.025, 2.0
# The scales with the most votes that are tried, and the best results of an image that vote.
_TRIED, _VOTERS = 6, 30


def fit_scales(
    boxes: Sequence[Boxes], truth: Sequence[Truth], size: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Yield scales and offsets, (2,) each for x and y, by which many boxes may fit an instance.

    Each pair of a box and an instance of its image votes for the scale that makes their sizes
    equal, and then for the offset that makes their centers equal. Pairs that belong together agree,
    all others spread. `size` is (width, height) of the images in pixels.
    """
    pairs = [_pair(of_image, there.boxes) for of_image, there in zip(boxes, truth, strict=True)]
    ratios, centers, targets = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    for scale, near in _find_peaks(ratios, _SCALE_CELL, _SCALE_REACH, _TRIED):
        scale = np.exp(scale)
        yield scale, np.zeros(2)
        offsets = (targets[near] - centers[near] * scale) / size
        for offset, _ in _find_peaks(offsets, _OFFSET_CELL, _OFFSET_REACH, 1):
            yield scale, offset * size


def _pair(boxes: Boxes, truth: Boxes) -> tuple[Floats, Floats, Floats]:
    """Return for each pair of a box and an instance the logarithms of the ratio of their sizes, and
    the center of the box and of the instance, (N, 2) each."""
    boxes, truth = (
        some[np.isfinite(some).all(axis=1) & (some[:, 2:] > 0).all(axis=1)]
        for some in (boxes[:_VOTERS], truth)
    )
    ratios = np.log(truth[:, 2:]) - np.log(boxes[:, None, 2:])
    centers, targets = (some[:, :2] + some[:, 2:] / 2 for some in (boxes, truth))
    return (
        ratios.reshape(-1, 2),
        centers.repeat(len(truth), axis=0),
        np.tile(targets, (len(boxes), 1)),
    )


def _find_peaks(
    points: Floats, cell: float, reach: float, most: int
) -> Iterator[tuple[Floats, Bools]]:
    """Yield up to so many places, (2,), that many of the points, (N, 2), are at, and which are."""
    sides = [[-reach, reach]] * 2
    votes, edges, _ = np.histogram2d(
        points[:, 0], points[:, 1], bins=round(2 * reach / cell), range=np.array(sides)
    )
    for _ in range(most):
        padded = np.pad(votes, 1)
        summed = sum(
            padded[row : row + len(votes), column : column + len(votes)]
            for row in range(3)
            for column in range(3)
        )
        peak = np.unravel_index(np.argmax(summed), votes.shape)
        if not np.max(summed):
            return
        middle = edges[list(peak)] + cell / 2
        near = np.all(np.abs(points - middle) <= 1.5 * cell, axis=1)
        yield np.median(points[near], axis=0), near
        votes[tuple(slice(max(place - 1, 0), place + 2) for place in peak)] = 0
