"""The colours of pictures: of instances, of outcomes, and of classes on pages. RGB, 0..255.

`python benchmarks/colors.py` measures how well they can be told apart.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import cycle
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.labels import LABELS

Color = tuple[int, int, int]
Family = tuple[Color, ...]
T = TypeVar("T")

LABEL_COLORS = {label.name: label.color for label in LABELS}
OTHER_COLOR = (120, 120, 120)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
FILL = 0.7  # how much of an instance's colour covers the photograph

# A mask at least this light (CIE L*) may get darker under its fill, any other may not.
_LIGHT = 70
# Boxes so many pixels apart matter a quarter as much to each other as boxes that touch do; far
# ones still matter a little, so that every colour of a family is used.
_NEAR, _FAR_WEIGHT = 40, 0.03
_ALIKE = 25  # colours this far apart in CIE Lab count 1/e of equal ones


def _parse(text: str) -> Family:
    """Return the colours of a text such as "1f6bff 00e6f0"."""
    red_green_blue = [bytes.fromhex(code) for code in text.split()]
    return tuple((color[0], color[1], color[2]) for color in red_green_blue)


# What the instances of a class may look like: colours of one range of hues, as far apart as it has
# room for. The first is the most typical.
_FAMILIES = {
    "person": _parse("ff2347 ffd9e2 ff3fb4 a3202c ff9478 b8338c"),
    "rider": _parse("ff8a00 ffdcb8 c24400 ffb95c 9a6630 ff5f14"),
    "car": _parse("1f6bff 00e6f0 9a4dff e4deff 0b8f98 00b4ff 6a62d0 b4e4f0"),
    "truck": _parse("5fd000 e2f6b8 4d7a10 a8f23c 86a860 2f9a1f"),
    "bus": _parse("00c07f c4f7e2 0a6b4c 3dffc0 5f9a86 7fdcb0"),
    "train": _parse("00d040 c8f5c0 0f6a2a 7dff8a 5c8a60 28a028"),
    "motorcycle": _parse("d63cf0 f6d6ff 8f2f9c ff86ec a878b8 f31cc0"),
    "bicycle": _parse("ffe000 8a9410 fff3b8 b98a00 dcee5a 7b7650"),
    "caravan": _parse("b98a5a ecd9c0 7a5230 d8b48a 94714d c07a40"),
    "trailer": _parse("9aa0a6 e8eaed 5f6670 c3c8cd 7d858d adb5a8"),
}
# For bars and lines on white. These differ from each other in print and to the colour-blind too.
PAGE_COLORS = dict(
    zip(
        ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
        _parse("ca2e6f e0580c 1ca8f3 41015c 50e2de 781300 573cd0 d5b07d"),
        strict=True,
    )
)
OUTCOME_COLORS = {
    "right": (30, 120, 255),
    "false": (255, 106, 20),
    "missed": (255, 230, 50),
    "found": WHITE,
    "ignored": (190, 190, 190),
}


def find_families(classes: Mapping[str, str]) -> dict[str, Family]:
    """Return the family of each category; `classes` has the class of each by its name."""
    return _take(_FAMILIES, classes)


def find_page_colors(classes: Mapping[str, str]) -> dict[str, Color]:
    """Return the colour on pages of each category; `classes` has the class of each by its name."""
    return _take(PAGE_COLORS, classes)


def choose_colors(
    families: Sequence[Family], boxes: NDArray[np.float64], photo: NDArray[np.float64]
) -> list[Color]:
    """Return a colour for each instance, out of its family, that differs from those nearby.

    `boxes` has shape (n, 4): left, top, right, bottom; `photo` the mean colour of the photograph
    below each mask, shape (n, 3). A mask gets no darker by its colour, if it is not light already.
    """
    weights = _FAR_WEIGHT + 1 / (1 + _gaps(boxes) / _NEAR) ** 2
    least = np.minimum(_to_lab(photo)[:, 0], _LIGHT)
    chosen = np.empty((len(families), 3))
    seen = np.empty((len(families), 3))  # in Lab, mixed with the photograph
    for n, family in enumerate(families):
        # As much white in each colour as it takes.
        colors = _lighten(family)
        lab = _to_lab((1 - FILL) * photo[n] + FILL * colors)
        steps = (lab[..., 0] >= least[n]).argmax(axis=0), np.arange(len(family))
        candidates, mixed = colors[steps], lab[steps]
        distances = np.linalg.norm(mixed[:, None] - seen[None, :n], axis=2)
        best = (np.exp(-distances / _ALIKE) @ weights[n, :n]).argmin()
        chosen[n], seen[n] = candidates[best], mixed[best]
    return [(red, green, blue) for red, green, blue in chosen.astype(int).tolist()]


def tint(color: Color, white: float) -> Color:
    """Return a colour mixed with white, of which it has the share `white`, 0..1."""
    red, green, blue = (round(value + (255 - value) * white) for value in color)
    return red, green, blue


def ink(color: Color) -> Color:
    """Return the colour for writing on `color`."""
    red, green, blue = color
    return BLACK if 0.3 * red + 0.59 * green + 0.11 * blue > 127 else WHITE


def _take(table: Mapping[str, T], classes: Mapping[str, str]) -> dict[str, T]:
    """Return the entry of each category's class. Other categories take turns with what is left."""
    left = [entry for name, entry in table.items() if name not in classes.values()]
    others = cycle(left or list(table.values()))
    return {name: table[of] if of in table else next(others) for name, of in classes.items()}


@cache
def _lighten(family: Family) -> NDArray[np.float64]:
    """Return the colours of a family mixed with more and more white, shape (steps, n, 3)."""
    white = np.linspace(0, 1, 21)[:, None, None]
    colors: NDArray[np.float64] = np.round(np.array(family) * (1 - white) + 255 * white)
    return colors


def _gaps(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pixels there are between each two boxes, shape (n, n)."""
    starts, ends = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(starts[:, None] - ends[None], starts[None] - ends[:, None]).clip(0)
    distances: NDArray[np.float64] = np.hypot(gaps[..., 0], gaps[..., 1])
    return distances


def _to_lab(colors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convert RGB, 0..255, of shape (..., 3), to CIE Lab."""
    row = (colors / 255).astype(np.float32).reshape(1, -1, 3)
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_RGB2LAB), np.float32).reshape(colors.shape)
