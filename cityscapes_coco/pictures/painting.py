"""A photograph with masks painted on it, by numpy and OpenCV."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.pictures.drawings import Drawing
from cityscapes_coco.pixels.rle import to_mask

_FILL = 0.5  # how much of a colour covers the photograph
_HATCH = 12  # from one stripe of a group to the next, in pixels
_TINY = 24  # below this width or height an outline is one pixel wide, else two


def paint(photo: NDArray[np.uint8], drawings: Iterable[Drawing]) -> NDArray[np.uint8]:
    """Return the photograph, RGB, shape (height, width, 3), with the masks of drawings painted."""
    picture: NDArray[np.uint8] = photo.copy()
    # Masks are decoded one by one: a file may hold many.
    for drawing in drawings:
        # OpenCV takes no mask without pixels.
        if drawing.rle is None or not coco_mask.area(drawing.rle):
            continue
        x, y, width, height = coco_mask.toBbox(drawing.rle).astype(int).tolist()
        mask = to_mask(drawing.rle)[y : y + height, x : x + width].astype(bool)
        patch = picture[y : y + height, x : x + width]
        color, line = (255 * np.array(c) for c in (drawing.color, drawing.line_color))
        if drawing.style in ("filled", "flat"):
            _mix(patch, mask, color)
        elif drawing.style == "hatched":
            rows, columns = np.ogrid[y : y + height, x : x + width]
            _mix(patch, mask & ((rows + columns) % _HATCH < _HATCH // 3), line)
        if drawing.style == "flat":
            continue
        thickness = 1 if min(height, width) < _TINY else 2
        kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
        inner = cv2.erode(
            mask.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        patch[mask & (inner == 0)] = line
    return picture


def _mix(patch: NDArray[np.uint8], where: NDArray[np.bool_], color: NDArray[np.float64]) -> None:
    """Mix a colour into some pixels of a picture.

    A table of what each value of a channel becomes is faster than mixing the pixels.
    """
    mixed = np.arange(256)[:, None] * (1 - _FILL) + color * _FILL
    for channel, table in enumerate(mixed.astype(np.uint8).T):
        np.copyto(patch[..., channel], table[patch[..., channel]], where=where)
