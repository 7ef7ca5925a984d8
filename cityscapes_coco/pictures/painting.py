"""Masks painted on a photograph, by numpy and OpenCV."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.pictures.colors import FILL, Color
from cityscapes_coco.pictures.drawings import Drawing

_HATCH = 12  # from one stripe of a hatched mask to the next, in pixels
_TINY = 40  # below this width or height an outline is one pixel wide


def paint(photo: NDArray[np.uint8], drawings: Iterable[Drawing]) -> NDArray[np.uint8]:
    """Return the photograph, RGB, shape (height, width, 3), with the masks of drawings painted.

    Instances and right predictions are filled; groups and false predictions are hatched; stuff is
    filled without an outline, and outlined if it is right; the truth over predictions is outlined,
    and filled if it was missed.
    """
    picture: NDArray[np.uint8] = photo.copy()
    for drawing in drawings:
        if drawing.region is None:
            continue
        x, y, mask = drawing.region
        height, width = mask.shape
        patch = picture[y : y + height, x : x + width]
        if drawing.is_stuff and not drawing.outcome:
            _mix(patch, mask, drawing.color, 0.5)
            continue
        thickness = 1 if min(height, width) < _TINY else 2
        if drawing.outcome == "missed":
            _mix(patch, mask, drawing.color, 0.4)
            thickness += 1
        elif drawing.outcome == "false" or (drawing.is_group and not drawing.outcome):
            rows, columns = np.ogrid[y : y + height, x : x + width]
            stripes = (rows + columns) % _HATCH < _HATCH // 3
            _mix(patch, mask * stripes, drawing.color, 0.9)
        elif drawing.outcome in ("right", "") and not drawing.is_stuff:
            _mix(patch, mask, drawing.color, FILL)
        kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
        inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        patch[mask > inner] = drawing.line_color
    return picture


def _mix(patch: NDArray[np.uint8], mask: NDArray[np.uint8], color: Color, share: float) -> None:
    """Mix a `share` of a colour into the pixels of a picture that the mask has.

    A table of what each value of a channel becomes is faster than mixing the pixels.
    """
    table = np.arange(256)[:, None] * (1 - share) + np.array(color) * share
    cv2.copyTo(cv2.LUT(patch, np.round(table).astype(np.uint8)[None]), mask, patch)
