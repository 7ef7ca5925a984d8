"""The connected parts of a mask, found by the runs down its columns.

The converter finds them in the pixels, with OpenCV; see check/frame.py for why this is not shared.
"""

from collections.abc import Iterator

import numpy as np

from cityscapes_coco.pixels.rle import Rle, from_counts, to_counts


def split_rle(rle: Rle) -> list[Rle]:
    """Return the RLE of each connected part of a mask; pixels that share a corner are connected."""
    height, width = rle["size"]
    runs = [*_list_runs(rle, height)]
    # Each run points to an earlier run of its part, or to itself.
    parents = [*range(len(runs))]
    near = 0  # the first run of the column before that may touch this run, or a later one
    for index, (column, top, bottom) in enumerate(runs):
        while runs[near][0] < column - 1 or (runs[near][0] < column and runs[near][2] < top):
            near += 1
        other = near
        while runs[other][0] < column and runs[other][1] <= bottom:
            first, second = _find_root(parents, other), _find_root(parents, index)
            parents[max(first, second)] = min(first, second)
            other += 1
    parts: dict[int, list[int]] = {}
    for index, (column, top, bottom) in enumerate(runs):
        edges = parts.setdefault(_find_root(parents, index), [])
        edges += column * height + top, column * height + bottom
    return [
        from_counts(np.diff(edges, prepend=0, append=height * width).tolist(), height, width)
        for edges in parts.values()
    ]


def _list_runs(rle: Rle, height: int) -> Iterator[tuple[int, int, int]]:
    """Yield the column of each run of 1, cut where columns end, its first row, and the row after
    its last."""
    edges = np.cumsum(to_counts(rle)).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        while start < end:
            column, top = divmod(start, height)
            bottom = min(end - column * height, height)
            yield column, top, bottom
            start = column * height + bottom


def _find_root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
