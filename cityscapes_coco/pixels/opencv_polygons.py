"""Masks to polygons for readers that fill with OpenCV, and such polygons back to masks.

Ultralytics and kwcoco cut coordinates to whole pixels and call `cv2.fillPoly`, which fills the
border too; lightly-train calls Pillow, which does the same. So these polygons run through the
centres of the border pixels: filled in that way and joined, they are exactly the mask. pycocotools
fills by another rule and finds less.

Ultralytics makes one polygon of several. It joins each to the next by a line there and back, and
such a line covers pixels outside the mask. So the pieces of a mask come in an order that keeps
these lines short. Ultralytics also takes the box of an object from the extreme points, so the
polygons have points at the outer edges of the outermost pixels.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.pixels.polygons import Mask, Points, next_in_ring, trace_pieces

Polygon = NDArray[np.float64]  # of shape (n, 2): x and y; pixel (x, y) begins at (x, y)

# How close a point comes to the edge of its pixel, in hundredths of a pixel. Some readers write
# coordinates as shares of the image with 6 digits, which is off by up to 0.008 pixels in an image
# that is 16,384 pixels wide.
_GAP = 1
# A mask of noise has thousands of pieces, whose order would take minutes to find.
_MOST_PIECES = 64


def to_opencv_polygons(masks: Iterable[tuple[Mask, int, int]]) -> list[list[Polygon]]:
    """Return, for each mask, polygons that `fill_polygons` turns into exactly the mask.

    Masks are given as tuples (mask, x, y), as for `to_polygons`. A polygon has three points or
    more; for a single pixel they are equal. A mask with holes is cut along rows that cross
    them.
    """
    polygons: list[list[Polygon]] = []
    contours: list[Points] = []
    owners: list[int] = []
    for mask, x, y in masks:
        pieces = _order_by_distance(trace_pieces(mask, x, y))
        contours += pieces
        owners += [len(polygons)] * len(pieces)
        polygons.append([])
    outlines = _reach_edges(_keep_corners(contours), owners) if contours else []
    for owner, outline in zip(owners, outlines, strict=True):
        polygons[owner].append(outline)
    return polygons


def fill_polygons(
    polygons: Sequence[Sequence[float]], height: int, width: int
) -> tuple[Mask, int, int]:
    """Return the union of polygons as readers fill them with OpenCV, in a frame of the given size.

    A polygon is flat: x0, y0, x1, y1 and so on. The mask is a tuple (mask, x, y), as for
    `to_polygons`, and reaches as far as the polygons do within the frame.
    """
    floors = (np.floor(np.array(polygon, np.float64)) for polygon in polygons)
    outlines = [floor.astype(np.int32).reshape(-1, 2) for floor in floors]
    points = np.concatenate(outlines).clip(0, (width - 1, height - 1))
    (x, y), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    mask = np.zeros((bottom - y + 1, right - x + 1), np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [outline], 1, offset=(-x, -y))
    return mask, x, y


def _order_by_distance(pieces: list[Points]) -> list[Points]:
    """Return pieces in an order in which each is close to the one before it, by their boxes: each
    is tried as the first, the nearest that is left comes next, and the shortest way is taken."""
    if not 2 < len(pieces) <= _MOST_PIECES:
        return pieces
    starts = np.array([piece.min(axis=0) for piece in pieces])
    ends = np.array([piece.max(axis=0) for piece in pieces])
    gaps = np.maximum(starts[:, None] - ends, starts - ends[:, None]).clip(0)
    distances = np.sqrt((gaps.astype(np.float64) ** 2).sum(axis=2))
    _, order = min(_visit_nearest(distances, first) for first in range(len(pieces)))
    return [pieces[number] for number in order]


def _visit_nearest(distances: NDArray[np.float64], first: int) -> tuple[float, list[int]]:
    """Return how long the way is that always goes on to the nearest place, and the way."""
    left = distances.copy()
    order, length = [first], 0.0
    for _ in range(len(distances) - 1):
        left[:, order[-1]] = np.inf
        nearest = int(left[order[-1]].argmin())
        length += float(distances[order[-1], nearest])
        order.append(nearest)
    return length, order


def _keep_corners(contours: list[Points]) -> list[Points]:
    """Return contours without the points on straight lines; a contour has every border pixel."""
    lengths = np.array([len(contour) for contour in contours])
    starts = np.cumsum(lengths) - lengths
    points = np.concatenate(contours)
    steps = next_in_ring(points, starts) - points
    steps_before = np.roll(steps, 1, axis=0)
    steps_before[starts] = steps[starts + lengths - 1]
    kept = (steps != steps_before).any(axis=1)
    # A single pixel has no step at all.
    kept[starts[lengths == 1]] = True
    bounds = np.cumsum(kept)[starts + lengths - 1]
    return np.split(points[kept], bounds[:-1])


def _reach_edges(outlines: list[Points], owners: list[int]) -> list[Polygon]:
    """Return outlines moved to the centres of their pixels, with three points or more. From each
    extreme point of an owner, the outline goes on to the edge of the pixel, and back.

    Both ways stay within the pixel, so readers cut them to the same pixel.
    """
    counts = np.array([len(outline) for outline in outlines])
    points = np.concatenate(outlines)
    centres = points + 0.5
    _, of_point = np.unique(np.repeat(owners, counts), return_inverse=True)
    first = np.flatnonzero(np.diff(of_point, prepend=-1))
    places, added = [], []
    for axis in 0, 1:
        values = points[:, axis]
        for find, edge in (np.minimum, _GAP), (np.maximum, 100 - _GAP):
            extremes = np.flatnonzero(values == find.reduceat(values, first)[of_point])
            place = extremes[np.unique(of_point[extremes], return_index=True)[1]]
            tips = centres[place]
            # Whole hundredths, divided: so a number is written with two digits.
            tips[:, axis] = (100 * values[place] + edge) / 100
            places.append(place.repeat(2) + 1)
            added.append(np.stack((tips, centres[place]), axis=1).reshape(-1, 2))
    ends = np.cumsum(counts)
    outline_of = ends.searchsorted(np.concatenate(places) - 1, side="right")
    longer = counts + np.bincount(outline_of, minlength=len(counts))
    repeats = np.maximum(3 - longer, 0)
    places.append(ends.repeat(repeats))
    added.append(centres[ends - 1].repeat(repeats, axis=0))
    polygons = np.insert(centres, np.concatenate(places), np.concatenate(added), axis=0)
    return np.split(polygons, np.cumsum(longer + repeats)[:-1])
