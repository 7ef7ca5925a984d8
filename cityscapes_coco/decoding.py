"""An annotation's mask, decoded by pycocotools.

Segmentations come from any tool, and pycocotools believes them: it reads four numbers as a box, and
memory that was never written where an RLE is too short. So each is looked at first.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

Rle = Any  # pycocotools' dictionary of "size" and "counts", the latter compressed

# The greatest distance from a frame, in widths or heights of it, at which a polygon may have a
# point. pycocotools walks along every edge, so a far point would cost minutes and gigabytes.
_FAR = 2


def to_rle(segmentation: object, height: int, width: int) -> Rle | None:
    """Return a segmentation as an RLE of the whole image, or None if there is none.

    `segmentation` is what a COCO file holds: polygons, a compressed or an uncompressed RLE, or
    nothing. The size is that of the image in pixels. Raises ValueError if it cannot be decoded.
    """
    if segmentation is None or segmentation == []:
        return None
    if isinstance(segmentation, list):
        for polygon in segmentation:
            _check_polygon(polygon, height, width)
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    if not isinstance(segmentation, Mapping):
        raise ValueError("the segmentation is neither polygons nor an RLE")
    if segmentation.get("size") != [height, width]:
        raise ValueError(f"an RLE of size {segmentation.get('size')}, not {[height, width]}")
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        _check_runs(_uncompressed(counts), height * width)
        return {"size": [height, width], "counts": counts.encode()}
    if isinstance(counts, list) and all(type(count) is int for count in counts):
        _check_runs(counts, height * width)
        return from_runs(counts, height, width)
    raise ValueError("an RLE whose counts are neither text nor a list of integers")


def from_runs(counts: list[int], height: int, width: int) -> Rle:
    """Return the RLE of the given runs of 0s and 1s in turn, down the columns of the image."""
    runs: Any = {"size": [height, width], "counts": counts}
    return coco_mask.frPyObjects(runs, height, width)


def to_mask(rle: Rle) -> NDArray[np.uint8]:
    """Return the mask of an RLE: shape (height, width) of the image, values 0 and 1."""
    return coco_mask.decode(rle)


def _check_polygon(polygon: object, height: int, width: int) -> None:
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise ValueError("a polygon is not a list of at least three points")
    try:
        points = np.array(polygon).reshape(-1, 2)
    except ValueError as error:
        raise ValueError("a polygon has a list where a number should be") from error
    if points.dtype.kind not in "if":
        raise ValueError("a polygon has a coordinate that is not a number")
    size = np.array([width, height])
    # Written so that NaN, which is neither smaller nor larger, does not pass.
    if not ((points >= -_FAR * size) & (points <= (_FAR + 1) * size)).all():
        raise ValueError("a polygon is far outside the image")


def _check_runs(counts: list[int], pixels: int) -> None:
    if any(count < 0 for count in counts) or sum(counts) != pixels:
        raise ValueError("an RLE whose runs do not fill the image")


def _uncompressed(text: str) -> list[int]:
    """Return the runs that COCO's text stands for.

    A character holds five bits, and a sixth that says whether more follow for the same number,
    lowest first and signed. From the fourth on, a number is the difference to the run two before.
    """
    counts: list[int] = []
    value = shift = 0
    for code in text.encode():
        bits = code - 48
        if not 0 <= bits < 64:
            raise ValueError("an RLE with a character that COCO does not use")
        value |= (bits & 31) << shift
        shift += 5
        if shift > 35:
            raise ValueError("an RLE with a run that no image has")
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
        value = shift = 0
    if shift:
        raise ValueError("an RLE that breaks off")
    return counts
