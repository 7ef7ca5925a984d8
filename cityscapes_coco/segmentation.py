"""The outline of one mask, as COCO's polygons.

A polygon is a flat list [x0, y0, x1, y1, ...] of integers. Its coordinates are edges of pixels: the
pixel (x, y) is the square from (x, y) to (x + 1, y + 1). That is what pycocotools assumes when it
fills a polygon, and why these decode to exactly the mask that they were made from.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Polygon = list[int]
Points = NDArray[Any]  # of shape (n, 2), integers: x and y

# OpenCV walks from the centre of one border pixel to the next of its eight neighbours, keeping the
# mask on its left. The neighbours, counter-clockwise as seen (y points down); the even ones share
# an edge.
_NEIGHBOURS = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
# Walked counter-clockwise, the edges towards the even neighbours end at these corners of the pixel.
_EDGE_ENDS = np.array([(1, 0), (0, 0), (0, 1), (1, 1)], np.int32)


def to_polygons(mask: NDArray[np.uint8], x: int = 0, y: int = 0) -> list[Polygon]:
    """Return simple polygons along the pixel edges of `mask`, whose union is exactly the mask.

    `mask` has shape (height, width), values 0 and not 0; its upper left pixel is (x, y) in the
    frame. No polygon has a hole, touches itself, or repeats or could spare a point. COCO has no
    holes: an annotation is the union of its polygons. So a mask with holes is cut along rows that
    cross them.
    """
    contours, hierarchy = cv2.findContours(
        mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(x, y)
    )
    if not contours:
        return []
    parents = hierarchy[0, :, 3].tolist()
    holes = [contour for contour, parent in zip(contours, parents, strict=True) if parent >= 0]
    if holes:
        cuts = [0, *(row - y for row in _rows_through(holes)), len(mask)]
        return [
            polygon
            for top, bottom in pairwise(cuts)
            for polygon in to_polygons(mask[top:bottom], x, y + top)
        ]
    return [
        ring for contour in contours for ring in _simple_rings(_along_pixel_edges(contour[:, 0]))
    ]


def contours_like_original(mask: NDArray[np.uint8], x: int = 0, y: int = 0) -> list[Polygon]:
    """Return what the original script writes for `mask`, or nothing if it drops the instance.

    It writes outer contours through the centres of the border pixels, so holes are filled, and
    drops an instance as soon as one of its contours has two points or fewer. Arguments as for
    `to_polygons`.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(x, y))
    if any(len(contour) <= 2 for contour in contours):
        return []
    return [contour.ravel().tolist() for contour in contours]


def _rows_through(holes: Sequence[Points]) -> list[int]:
    """Return the fewest rows such that cutting above each of them opens every hole.

    A hole is given by the contour around it: it reaches from the row below the contour's top to the
    row above its bottom, and is opened by a cut at either end of it or in between.
    """
    rows: list[int] = []
    for bottom, top in sorted((hole[..., 1].max(), hole[..., 1].min()) for hole in holes):
        if not rows or rows[-1] <= top:
            rows.append(int(bottom))
    return rows


def _edges_between() -> NDArray[np.int32]:
    """Tabulate the pixel edges that OpenCV's walk passes at a pixel, for each way in and out.

    A step (dx, dy) has the number dx + 3 * dy, from -4 to 4; 0, no step, is a mask of one pixel.
    The table has 81 rows, row 9 * in + out + 40 for the steps in and out. A row holds, as the four
    bytes of an integer, the edges in the order in which they are passed, as indices into
    `_EDGE_ENDS`, filled up with -1. OpenCV turns counter-clockwise from where it came to where it
    goes on, so the edges passed are those that face the neighbours between.
    """
    table = np.full((81, 4), -1, np.int8)
    table[40] = 1, 2, 3, 0
    for back, (back_x, back_y) in enumerate(_NEIGHBOURS):
        for turn in range(1, 9):
            out_x, out_y = _NEIGHBOURS[(back + turn) % 8]
            row = 9 * (-back_x - 3 * back_y) + (out_x + 3 * out_y) + 40
            between = [n % 8 // 2 for n in range(back + 1, back + turn) if n % 2 == 0]
            table[row, : len(between)] = between
    return table.view(np.int32).ravel()


_EDGES_BETWEEN = _edges_between()
_STEP_NUMBER = np.array([1, 3], np.int32)


def _along_pixel_edges(contour: Points) -> Points:
    """Turn a contour through pixel centres into the corners of the outline along the pixels' edges.

    `contour` has shape (n, 2) and holds every border pixel in turn; the result has shape (m, 2).
    """
    closed = np.concatenate((contour[-1:], contour, contour[:1]))
    steps = (closed[1:] - closed[:-1]).dot(_STEP_NUMBER)
    passed = _EDGES_BETWEEN.take(9 * steps[:-1] + steps[1:] + 40).view(np.int8)
    places = np.flatnonzero(passed >= 0)
    edges = passed.take(places)
    corners = np.flatnonzero(edges != np.concatenate((edges[1:], edges[:1])))
    pixels = places.take(corners) >> 2
    outline: Points = contour.take(pixels, axis=0) + _EDGE_ENDS.take(edges.take(corners), axis=0)
    return outline


def _simple_rings(outline: Points) -> Iterator[Polygon]:
    """Split an outline, shape (n, 2), wherever two of its pixels meet at a corner only."""
    flat: Polygon = outline.ravel().tolist()
    points = list(zip(flat[::2], flat[1::2], strict=True))
    if len(set(points)) == len(points):
        yield flat
        return
    path: list[tuple[int, int]] = []
    position: dict[tuple[int, int], int] = {}
    for point in points:
        if point in position:
            ring = path[position[point] :]
            yield [value for corner in ring for value in corner]
            del path[position[point] :]
            for corner in ring:
                del position[corner]
        position[point] = len(path)
        path.append(point)
    yield [value for corner in path for value in corner]
