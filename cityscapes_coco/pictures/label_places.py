"""Where the labels of a picture go: close to their boxes, and where they hide least.

Boxes and places are arrays of shape (n, 4): left, top, right, bottom, in pixels of the picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rectangles = NDArray[np.float64]  # of shape (n, 4), or (4,) for one
Sizes = Sequence[tuple[float, float]]  # width and height of each label

_ROWS = 8  # how many label heights a label may be away from its box, at most


def place_labels(
    boxes: Rectangles, sizes: Sizes, room: Rectangles
) -> list[tuple[Rectangles, Rectangles | None]]:
    """Return a place within `room` for the label of each box, and a line from the box to it.

    The line is left, top, right, bottom of its two ends, None for a label close to its box. The
    first boxes choose first: they should be the small ones, as large ones have more choice.
    """
    density = 1 / np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) + 1)
    taken = np.empty((0, 4))
    placed: list[tuple[Rectangles, Rectangles | None]] = []
    for box, (width, height) in zip(boxes, sizes, strict=True):
        places, distances = _places_near(box, width, height, room)
        cost = 10 * _common_areas(places, taken).sum(axis=1)
        cost += 20 * _common_areas(places, boxes) @ density
        cost += width * distances
        best = cost.argmin()
        place = places[best]
        taken = np.vstack((taken, place))
        placed.append((place, _line_between(box, place) if distances[best] else None))
    return placed


def _line_between(box: Rectangles, place: Rectangles) -> Rectangles:
    end = np.clip((box[:2] + box[2:]) / 2, place[:2], place[2:])
    return np.concatenate((np.clip(end, box[:2], box[2:]), end))


def _places_near(
    box: Rectangles, width: float, height: float, room: Rectangles
) -> tuple[Rectangles, NDArray[np.float64]]:
    """Return the places to choose from, around the box and in it, and how far each is from the box,
    in label heights."""
    left, top, right, bottom = box
    columns = (left, (left + right - width) / 2, right - width)
    rows = (top, (top + bottom - height) / 2, bottom - height)
    corners, distances = [], []
    for away in range(_ROWS):
        gap = away * height
        corners += [(x, y) for y in (top - height - gap, bottom + gap) for x in columns]
        corners += [(x, y) for x in (left - width - gap, right + gap) for y in rows]
        distances += [away] * 12
    if right - left > 2 * width and bottom - top > 3 * height:
        corners += [(x, y) for y in rows for x in columns]
        distances += [0] * 9
    size = np.array([width, height])
    starts = np.clip(corners, room[:2], np.maximum(room[2:] - size, 0))
    return np.hstack((starts, starts + size)), np.array(distances, float)


def _common_areas(some: Rectangles, others: Rectangles) -> NDArray[np.float64]:
    """Return the area that each of the first rectangles shares with each of the others."""
    starts = np.maximum(some[:, None, :2], others[None, :, :2])
    ends = np.minimum(some[:, None, 2:], others[None, :, 2:])
    areas: NDArray[np.float64] = np.maximum(ends - starts, 0).prod(axis=2)
    return areas
