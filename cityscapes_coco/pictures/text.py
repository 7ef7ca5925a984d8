"""Writing on pixels, in matplotlib's own font.

Figures draw the same glyphs, but take 0.3 s to load and most of the time of a picture to draw. Nor
does the font depend on the user's settings.
"""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

from cityscapes_coco.pictures.colors import Color

_LONGEST = 150  # characters


def cut_text(text: str) -> str:
    """Return a text, cut if it is too long for a picture or a line."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def plain_text(text: str) -> str:
    """Return a text as it is drawn: cut if it is long, and with "?" for what the font lacks."""
    has_glyph = _font().get_char_index
    return "".join(c if c.isprintable() and has_glyph(ord(c)) else "?" for c in cut_text(text))


def measure(text: str, size: int) -> int:
    """Return how many pixels wide a text is; `size` is the font's, in pixels."""
    return int(_render(plain_text(text), size)[0].shape[1])


def write(
    pixels: NDArray[np.uint8], left: int, middle: int, text: str, size: int, color: Color
) -> None:
    """Write a text into a picture, RGB; `middle` is the row that its capitals are centred on."""
    glyphs, descent = _render(plain_text(text), size)
    top = middle + 1 + round(0.36 * size) + descent - len(glyphs)
    patch = pixels[max(top, 0) : top + len(glyphs), max(left, 0) : left + glyphs.shape[1]]
    height, width = patch.shape[:2]
    opacity = glyphs[len(glyphs) - height :, :width, None] / 255
    patch[:] = np.round(patch + (np.array(color) - patch) * opacity)


@lru_cache(2048)
def _render(text: str, size: int) -> tuple[NDArray[np.uint8], int]:
    """Return how opaque each pixel of a text is, and how many rows are below the base line."""
    font = _font(size)
    font.set_text(text)
    font.draw_glyphs_to_bitmap(antialiased=True)
    # FreeType counts in 64ths of pixels.
    return np.array(font.get_image()), font.get_descent() // 64


@cache
def _font(size: int = 10) -> FT2Font:
    font = FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.set_size(size, 72)
    return font
