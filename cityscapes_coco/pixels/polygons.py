"""Masks to polygons.

A polygon is an array of shape (n, 2), int32: the x and y of its corners. The corners lie on edges
of pixels: the pixel (x, y) is the square from (x, y) to (x + 1, y + 1). pycocotools fills a polygon
by the same rule, so these polygons decode to exactly the mask they were made from.

A mask is given as a tuple (mask, x, y): an array of shape (height, width), 0 outside and any other
value inside, and the place of its upper left pixel in the frame. All masks of a frame are outlined
together: masks are small, and each call to numpy costs as much as a hundred points.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Points = NDArray[Any]  # of shape (n, 2), int32: x and y
_ALL_PIXELS = cv2.CHAIN_APPROX_NONE  # a contour lists every border pixel

# OpenCV walks from the centre of one border pixel to the next of its eight neighbours, keeping the
# mask on its left. The neighbours, counter-clockwise as seen (y points down); the even ones share
# an edge.
_NEIGHBOURS = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
# Walked counter-clockwise, the edges towards the even neighbours end at these corners of the pixel.
_EDGE_ENDS = np.array([(1, 0), (0, 0), (0, 1), (1, 1)], np.int32)


def to_polygons(masks: Iterable[tuple[Mask, int, int]]) -> list[list[Points]]:
    """Return, for each mask, simple polygons along its pixel edges whose union is exactly the mask.

    No polygon has a hole or touches itself, and none has a point that is repeated or not needed. In
    COCO an annotation is the union of its polygons, so a hole cannot be written. A mask with holes
    is cut along rows that cross them.
    """
    polygons: list[list[Points]] = []
    contours: list[Points] = []
    owners: list[list[Points]] = []
    for mask, x, y in masks:
        pieces = trace_pieces(mask, x, y)
        polygons.append([])
        contours += pieces
        owners += [polygons[-1]] * len(pieces)
    outlines = _along_pixel_edges(contours)
    for owner, outline, touches in zip(owners, outlines, _touch_themselves(outlines), strict=True):
        owner.extend(_simple_rings(outline) if touches else [outline])
    return polygons


def contours_like_original(masks: Iterable[tuple[Mask, int, int]]) -> list[list[Points]]:
    """Return the contours that the original script writes for each mask; none if it drops the mask.

    The original writes outer contours through the centres of the border pixels, so holes are
    filled. It drops an instance as soon as one of its contours has two points or fewer.
    """
    found = []
    for mask, x, y in masks:
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, _ALL_PIXELS, offset=(x, y))
        dropped = any(len(contour) <= 2 for contour in contours)
        found.append([] if dropped else [contour[:, 0] for contour in contours])
    return found


def trace_pieces(mask: Mask, x: int, y: int) -> list[Points]:
    """Return OpenCV's outer contours of a mask. A mask with holes is cut into parts first."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, _ALL_PIXELS, offset=(x, y))
    if not contours:
        return []
    parents = hierarchy[0, :, 3].tolist()
    holes = [contour for contour, parent in zip(contours, parents, strict=True) if parent >= 0]
    if not holes:
        return [contour[:, 0] for contour in contours]
    cuts = [0, *(row - y for row in _rows_through(holes)), len(mask)]
    parts = (trace_pieces(mask[top:bottom], x, y + top) for top, bottom in pairwise(cuts))
    return [*chain.from_iterable(parts)]


def _rows_through(holes: Sequence[Points]) -> list[int]:
    """Return the fewest rows such that cutting above each of them opens every hole.

    A hole is given by the contour around it. The hole reaches from the row below the top of the
    contour to the row above its bottom. A cut at either end of the hole, or in between, opens it.
    """
    rows: list[int] = []
    for bottom, top in sorted((hole[..., 1].max(), hole[..., 1].min()) for hole in holes):
        if not rows or rows[-1] <= top:
            rows.append(int(bottom))
    return rows


def _edges_between() -> NDArray[np.int32]:
    """Return a table of the pixel edges that OpenCV's walk passes at a pixel, for each way in and
    out.

    A step (dx, dy) has the number dx + 3 * dy, from -4 to 4; the number 0, no step, stands for a
    mask of one pixel. The table has 81 rows; row 9 * in + out + 40 is for the steps in and out. A
    row is one integer. Its four bytes are the edges in the order in which they are passed, as
    indices into `_EDGE_ENDS`, filled up with -1. OpenCV turns counter-clockwise from the pixel it
    came from to the pixel it goes to, and passes the edges that face the neighbours in between.

    An example: the mask [[1, 0], [1, 1]], which OpenCV walks as (0, 0), (0, 1), (1, 1). At (0, 0)
    the walk comes from the lower right and goes on down: it passes the right, upper and left edge,
    which end at (1, 0), (0, 0) and (0, 1). At (0, 1) it passes the left and lower edge, to (0, 2)
    and (1, 2); at (1, 1) the lower, right and upper edge, to (2, 2), (2, 1) and (1, 1). There is no
    corner between two left or two lower edges, so (0, 1) and (1, 2) are dropped.
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


def _along_pixel_edges(contours: Sequence[Points]) -> list[Points]:
    """Turn contours through pixel centres into outlines along pixel edges, given by their corners.
    A contour lists every border pixel in turn."""
    if not contours:
        return []
    lengths = np.array([len(contour) for contour in contours])
    starts = np.cumsum(lengths) - lengths
    # From here on, index i is the step from one pixel to the next, and that next pixel.
    pixels = np.concatenate(contours)
    pixels, moves = (after := next_in_ring(pixels, starts)), after - pixels
    steps = moves[:, 0] + 3 * moves[:, 1]
    passed = _EDGES_BETWEEN.take(9 * steps + next_in_ring(steps, starts) + 40).view(np.int8)
    places = np.flatnonzero(passed >= 0)
    edges = passed.take(places)
    starts = places.searchsorted(4 * starts)
    corners = np.flatnonzero(edges != next_in_ring(edges, starts))
    outlines = pixels.take(places.take(corners) >> 2, axis=0)
    outlines += _EDGE_ENDS.take(edges.take(corners), axis=0)
    bounds = [*corners.searchsorted(starts).tolist(), len(corners)]
    return [outlines[start:end] for start, end in pairwise(bounds)]


def next_in_ring(values: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    """Return the value that follows each of `values` in its ring; the rings begin at `starts`."""
    following = np.concatenate((values[1:], values[:1]))
    following[np.append(starts[1:], len(values)) - 1] = values[starts]
    return following


def _touch_themselves(outlines: Sequence[Points]) -> list[bool]:
    """Return, for each outline, whether it passes a corner twice."""
    if not outlines:
        return []
    x, y = np.concatenate(outlines).T
    owners = np.repeat(np.arange(len(outlines)), [len(outline) for outline in outlines])
    shape = (len(outlines), y.max() + 1, x.max() + 1)
    corners = np.sort(np.ravel_multi_index((owners, y, x), shape))
    twice = corners[1:][corners[1:] == corners[:-1]]
    touching = set(np.unravel_index(twice, shape)[0].tolist())
    return [number in touching for number in range(len(outlines))]


def _simple_rings(outline: Points) -> Iterator[Points]:
    """Split an outline wherever two of its pixels meet at a corner only.

    An outline passes such a corner twice. There are no holes here, so the part of the outline
    between the two passes touches the rest at this corner only. Once that part is split off, none
    of its other corners comes again, and they may stay in `places`.
    """
    # Both coordinates of a corner, read as one integer.
    corners: list[int] = outline.view(np.int64).ravel().tolist()
    path: list[int] = []
    places: dict[int, int] = {}
    for index, corner in enumerate(corners):
        start = places.setdefault(corner, len(path))
        if start < len(path):
            yield outline[path[start:]]
            del path[start:]
        path.append(index)
    yield outline[path]
