"""Masks to run lengths (RLE) and back.

An RLE is the lengths of the runs of 0 and 1 in turn, down the columns of a whole frame. RLEs of
other tools are checked before pycocotools gets them: it takes four numbers for a box, and where an
RLE is too short it reads memory that was never written.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

# pycocotools' dictionary of "size", [height, width], and "counts", compressed, as bytes.
Rle = Any


class RunLengths(TypedDict):
    """An RLE as it stands in a JSON file: `size` is (height, width), `counts` is a text if it is
    compressed."""

    size: tuple[int, int]
    counts: str | list[int]


# How far outside the frame a point of a polygon may be, in widths or heights of the frame.
# pycocotools walks along every edge, so a far point would cost minutes and gigabytes.
_FAR = 2
# The longest outline of all polygons of one mask, in pixels: four edges for every pixel of a frame
# of 2048 x 1024, which polygons that do not overlap cannot exceed. The longest in Cityscapes has
# some 3,000. At the bound pycocotools takes 0.4 GB and 2 s.
_LONGEST = 4 * 2048 * 1024


def to_rles(
    masks: Iterable[tuple[NDArray[np.uint8], int, int]], height: int, width: int
) -> list[Rle]:
    """Return the RLE of each mask in a frame of the given size.

    A mask is given as a tuple (mask, x, y): an array of shape (rows, columns), 0 outside and any
    other value inside, and the place of its upper left pixel in the frame.
    """
    return [from_counts(_count(mask, x, y, height, width), height, width) for mask, x, y in masks]


def find_rles(
    values: NDArray[Any], wanted: Callable[[NDArray[np.int64]], NDArray[np.bool_]], least: int
) -> dict[int, Rle]:
    """Return the RLE of each wanted value in an array, shape (height, width), ordered by value.
    `wanted` takes an array of values and returns which of them are wanted: none below `least`."""
    height, width = values.shape
    rows = np.flatnonzero(values.max(axis=1) >= least)
    if not rows.size:
        return {}
    top, tall = int(rows[0]), int(rows[-1]) + 1 - int(rows[0])
    # One column after the other. With numpy alone this takes as long as decoding the map.
    pixels = cv2.transpose(values[top : top + tall]).ravel()
    changed = pixels[1:] != pixels[:-1]
    if tall < height:
        # The pixels between the foot of one column and the head of the next are cropped away.
        changed[tall - 1 :: tall] = True
    starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    lengths = np.diff(starts, append=pixels.size)
    of_runs = pixels[starts].astype(np.int64)
    chosen = np.flatnonzero(wanted(of_runs))
    chosen = chosen[np.argsort(of_runs[chosen], kind="stable")]
    # From here on, positions in the columns of the whole array.
    starts = starts // tall * height + top + starts % tall
    ends = starts + lengths
    found, first = np.unique(of_runs[chosen], return_index=True)
    rles = {}
    for value, runs in zip(found.tolist(), np.split(chosen, first[1:]), strict=False):
        edges = np.column_stack((starts[runs], ends[runs])).ravel()
        counts = np.diff(edges, prepend=0, append=values.size)
        rles[value] = from_counts(counts.tolist(), height, width)
    return rles


def to_mask(rle: Rle) -> NDArray[np.uint8]:
    """Return the mask of an RLE: the shape (height, width) of the frame, values 0 and 1."""
    return coco_mask.decode(rle)


def decode_box(rle: Rle) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Return the part of a mask that its box covers: x and y of the box, and the mask in it, of
    values 0 and 1; None if the mask has no pixels.

    Most masks cover little of a frame, so that this takes a tenth of the time of `to_mask`.
    """
    x, y, width, height = coco_mask.toBbox(rle).astype(int).tolist()
    if not width:
        return None
    rows = rle["size"][0]
    # The runs of the columns that the box covers; the runs of all others get the length 0.
    edges = np.cumsum(to_counts(rle)) - x * rows
    counts = np.diff(edges.clip(0, width * rows), prepend=0)
    mask = coco_mask.decode(from_counts(counts.tolist(), rows, width))
    return x, y, np.ascontiguousarray(mask[y : y + height])


def from_counts(counts: Sequence[int], height: int, width: int) -> Rle:
    """Return the RLE of the given runs of 0 and 1 in turn, down the columns of a frame."""
    runs: Any = {"size": [height, width], "counts": counts}
    return coco_mask.frPyObjects(runs, height, width)


def to_counts(rle: Rle) -> NDArray[np.int64]:
    """Return the runs of 0 and 1 in turn, down the columns of a frame, of an RLE."""
    return _uncompress([rle["counts"].decode()])[0]


def fill_image(texts: Sequence[str], pixels: int) -> bool:
    """Return whether each of some compressed RLEs can be read and has so many pixels."""
    try:
        runs, firsts = _uncompress(texts)
    except ValueError:
        return False
    return bool((runs >= 0).all() and (np.add.reduceat(runs, firsts) == pixels).all())


def to_rle(
    segmentation: list[list[float]] | RunLengths | None,
    height: int,
    width: int,
    *,
    is_checked: bool = False,
) -> Rle:
    """Return the RLE of a segmentation in an image of the given size; None if there is none.

    A polygon is [x0, y0, x1, y1, ...]. `is_checked` says that the runs fill the image if they are
    compressed. Raises ValueError if the segmentation cannot be decoded.
    """
    if not segmentation:
        return None
    if not isinstance(segmentation, dict):
        check_polygons(segmentation, height, width)
        polygons: Any = segmentation
        return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    size, counts = segmentation["size"], segmentation["counts"]
    if tuple(size) != (height, width):
        remedy = "resize masks to their image"
        if tuple(size) == (width, height):
            remedy = "the height comes first; masks are encoded as they are, not transposed"
        raise ValueError(f"an RLE of size {list(size)}, not {[height, width]}; {remedy}")
    if isinstance(counts, str):
        if not is_checked:
            _check_counts(_uncompress([counts])[0].tolist(), height * width)
        return {"size": [height, width], "counts": counts.encode()}
    _check_counts(counts, height * width)
    return from_counts(counts, height, width)


def check_polygons(polygons: Collection[Sequence[float]], height: int, width: int) -> None:
    """Raise ValueError for a bitmap, a polygon that cannot be filled or is far outside the image,
    and for polygons that are longer than any mask needs."""
    of_size = len(polygons) == height and {*map(len, polygons)} == {width}
    if of_size and {value for row in polygons for value in row} <= {0, 1}:
        raise ValueError("rows of a bitmap, which are no polygons; write run lengths")
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon is not a list of at least three points")
        for values, size in (polygon[::2], width), (polygon[1::2], height):
            if min(values) < -_FAR * size or max(values) > (_FAR + 1) * size:
                raise ValueError("a polygon is far outside the image")
    _check_length(polygons)


def _count(mask: NDArray[np.uint8], x: int, y: int, height: int, width: int) -> list[int]:
    """Return the lengths of the runs of 0 and 1 in turn, down the columns of a frame. The upper
    left pixel of the mask is at (x, y) in the frame; outside the mask the frame is 0."""
    rows, columns = mask.shape
    # A row of zeros below the mask ends each run with its column. A column of zeros before it lets
    # the first run start with a change.
    padded = np.zeros((columns + 1, rows + 1), np.bool_)
    padded[1:, :rows] = mask.T
    changes = np.flatnonzero(padded.ravel()[1:] != padded.ravel()[:-1]) + 1 - (rows + 1)
    column, row = np.divmod(changes, rows + 1)
    edges = (x + column) * height + y + row
    # A run that ends at the bottom of the frame may go on at the top of the next column.
    joined = np.flatnonzero(edges[1:] == edges[:-1])
    edges = np.delete(edges, np.concatenate((joined, joined + 1)))
    counts: list[int] = np.diff(edges, prepend=0, append=height * width).tolist()
    # Where the last pixel of the frame is 1, no run of 0 follows.
    return counts if counts[-1] else counts[:-1]


def _check_length(polygons: Collection[Sequence[float]]) -> None:
    # No edge is longer than its polygon is wide or high, which settles it for all but a few.
    most = sum(
        len(polygon) * max(max(values) - min(values) for values in (polygon[::2], polygon[1::2]))
        for polygon in polygons
    )
    if most <= _LONGEST:
        return
    length = 0.0
    for polygon in polygons:
        points = np.array(polygon).reshape(-1, 2)
        edges = np.abs(points - np.roll(points, 1, axis=0))
        length += float(edges.max(axis=1).sum())
    if length > _LONGEST:
        raise ValueError(
            f"polygons with an outline of {length:.0f} pixels; no mask needs more than {_LONGEST}"
        )


def _check_counts(counts: Sequence[int], pixels: int) -> None:
    if min(counts, default=0) < 0 or sum(counts) != pixels:
        raise ValueError("an RLE whose runs do not fill the image")


def _uncompress(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the runs that compressed RLEs stand for, one RLE after the other; and where each RLE
    begins among the runs. Together, the RLEs of a frame take a fifth of the time that they take one
    by one. Raises ValueError if any of them cannot be read.

    A character holds five bits of a number, and a sixth bit that says whether more characters
    follow for the same number. The lowest bits come first, and numbers are signed. From the fourth
    on, a number is the difference from the run two before it.
    """
    codes = np.frombuffer("".join(texts).encode(), np.uint8) - np.uint8(48)
    if (codes >= 64).any():  # below 48, too, as there is no sign
        raise ValueError("an RLE with a character that COCO does not use")
    sizes = np.array([len(text) for text in texts])
    text_ends = sizes.cumsum()
    if not sizes.all() or (codes[text_ends - 1] >= 32).any():
        raise ValueError("an RLE that breaks off")
    last = np.flatnonzero(codes < 32)
    lengths = np.diff(last, prepend=-1)
    longest = int(lengths.max())
    if longest > 7:
        raise ValueError("an RLE with a run longer than any image")
    numbers = codes[last].astype(np.int64)
    numbers -= (numbers & 16) << 1
    for back in range(1, longest):
        longer = np.flatnonzero(lengths > back)
        numbers[longer] = numbers[longer] << 5 | codes[last[longer] - back] & 31
    firsts = np.searchsorted(last, text_ends - sizes)
    return _add_up(numbers, firsts), firsts


def _add_up(numbers: NDArray[np.int64], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the runs of RLEs that begin at `firsts`, given the numbers in their texts."""
    counts = np.diff(firsts, append=numbers.size)
    is_odd = (np.arange(numbers.size) - firsts.repeat(counts)) % 2 == 1
    # The first run of an RLE is no part of a sum. The others are sums of every second number.
    runs: NDArray[np.int64] = numbers.copy()
    runs[firsts] = 0
    for start in 0, 1:
        runs[start::2] = runs[start::2].cumsum()
    # What the RLEs before it have added to the sums of an RLE.
    even, odd = runs[firsts], np.append(0, runs)[firsts]
    runs -= np.where(is_odd, odd.repeat(counts), even.repeat(counts))
    runs[firsts] = numbers[firsts]
    return runs
