"""Draw made-up streets as a folder in Cityscapes' format.

Cityscapes itself may not be passed on, so the sample in this repository, the tests and the
benchmarks use these streets. Without arguments, `data/sample` is written again, byte for byte
(but zlib-ng packs the same pixels into other bytes, and Pillow's releases differ by a pixel or
two in the photographs, though not in the maps).

A scene is a list of shapes, painted back to front. The same list makes the polygons, the maps
and the photograph, so the three always agree. Every size and place in a scene comes from plain
arithmetic and Random.random(), so it is the same scene on every machine.
"""

import argparse
import json
import math
import random
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # so that `python data/generate.py` finds the package
    sys.path.insert(0, str(HERE.parent))

from cityscapes_coco.labels import LABELS  # noqa: E402  (needs the path set just above)

Point = tuple[float, float]
Color = tuple[int, int, int]
T = TypeVar("T")

WIDTH, HEIGHT = 2048, 1024
FRAMES = {"train": 3, "val": 2, "test": 1}
CITIES = {"train": "musterstadt", "val": "bad-beispiel", "test": "probeheim"}
SEED = 45

# The camera: pixels for a metre seen from one metre, the point where the street vanishes, and
# the height of the lens above the road in metres.
FOCAL, CENTRE, HORIZON, EYE = 2262, 1040, 430, 1.35
FAR = 170.0  # where the street ends, in metres


class Paint(NamedTuple):
    """A patch of colour in the photograph, from `top` down to `bottom`; `alpha` is of 256."""

    polygon: Sequence[Point]
    top: Color
    bottom: Color | None = None
    alpha: int = 256


class Shape(NamedTuple):
    """What an annotator's polygon outlines, in pixels, and how the photograph shows it.

    Paints are cut off at the outline. A shape whose label is None is seen in the photograph
    only, such as a shadow.
    """

    label: str | None
    polygon: list[tuple[int, int]]
    paints: list[Paint]


Thing = tuple[float, list[Shape]]  # the shapes of one thing, and how far away it is in metres


class Dice:
    """Draws made of random() alone, the one stream that Python promises never to change."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def count(self, low: int, high: int) -> int:
        return low + int((high - low + 1) * self._random())

    def pick(self, items: Sequence[T]) -> T:
        return items[int(len(items) * self._random())]


class Street(NamedTuple):
    """The kerbs and the walls behind the pavements, in metres to the right of the camera."""

    dice: Dice
    left: float
    right: float
    left_wall: float
    right_wall: float
    haze: Color


# ------------------------------------------------------------------------------ geometry

# Rounded, as the last digits of a sine differ between machines.
ROUND = [
    (round(math.cos(math.pi * i / 40), 6), round(math.sin(math.pi * i / 40), 6)) for i in range(80)
]
CIRCLE = ROUND[::5]


def _box(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _disc(x: float, y: float, radius: float) -> list[Point]:
    return [(x + radius * c, y + radius * s) for c, s in CIRCLE]


def _ring(x: float, y: float, outer: float, inner: float) -> list[Point]:
    """A ring as one polygon: round the outside, in along a slit, and back round the inside."""
    outside, inside = _disc(x, y, outer), _disc(x, y, inner)
    return [*outside, outside[0], inside[0], *reversed(inside)]


def _bar(a: Point, b: Point, width: float) -> list[Point]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    scale = width / 2 / math.sqrt(dx * dx + dy * dy)
    dx, dy = dx * scale, dy * scale
    return [
        (a[0] - dy, a[1] + dx),
        (b[0] - dy, b[1] + dx),
        (b[0] + dy, b[1] - dx),
        (a[0] + dy, a[1] - dx),
    ]


def _blob(dice: Dice, x: float, y: float, rx: float, ry: float, rough: float) -> list[Point]:
    """An ellipse of uneven bulges, such as the crown of a tree."""
    points = []
    for start in range(0, len(ROUND), 4):
        size = 1 - rough * dice.between(0, 1)
        bulge = (size - 0.07, size, size + 0.01, size - 0.02)
        for (c, s), reach in zip(ROUND[start : start + 4], bulge, strict=True):
            points.append((x + rx * reach * c, y + ry * reach * s))
    return points


def _rounded(corners: Sequence[Point]) -> Iterator[Point]:
    """The same outline with its corners cut."""
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        for share in (0.15, 0.85):
            yield x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def _turn(a: Point, b: Point, c: Point) -> float:
    """Above zero if the way from a over b to c turns right in the picture."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _hull(points: Sequence[Point]) -> list[int]:
    """The corners of the convex hull in order, as indices of `points`."""
    order = sorted(range(len(points)), key=lambda i: points[i])
    hull: list[int] = []
    for way in (order, order[::-1]):
        chain: list[int] = []
        for i in way:
            while len(chain) > 1 and _turn(points[chain[-2]], points[chain[-1]], points[i]) <= 0:
                chain.pop()
            chain.append(i)
        hull += chain[:-1]
    return hull


def _at(x: float, y: float, z: float) -> Point:
    """Where a point `x` metres right, `y` above the road and `z` ahead appears, in pixels."""
    return CENTRE + FOCAL * x / z, HORIZON + FOCAL * (EYE - y) / z


def _upright(points: Iterable[Point], z: float) -> list[Point]:
    """A drawing that faces the camera, `z` ahead."""
    return [_at(x, y, z) for x, y in points]


def _ground(x0: float, x1: float, near: float = 5.0, far: float = FAR) -> list[Point]:
    return [_at(x0, 0, far), _at(x1, 0, far), _at(x1, 0, near), _at(x0, 0, near)]


def _shape(label: str | None, outline: Iterable[Point], paints: Iterable[Paint] = ()) -> Shape:
    pixels = [(math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in outline]
    return Shape(label, pixels, list(paints))


def _mix(a: Color, b: Color, share: float) -> Color:
    """`share` of b, the rest a."""
    red, green, blue = (math.floor(p + (q - p) * share + 0.5) for p, q in zip(a, b, strict=True))
    return red, green, blue


def _lit(color: Color, light: float) -> Color:
    """Darker below 1, lighter above."""
    return _mix((0, 0, 0), color, light) if light <= 1 else _mix(color, (255, 255, 255), light - 1)


def _hazy(color: Color, street: Street, z: float) -> Color:
    return _mix(color, street.haze, z / (z + 220))


# --------------------------------------------------------------------- what things look like
# fmt: off


def _path(points: str) -> list[Point]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in points.split())]


class Figure(NamedTuple):
    """Something flat that faces the camera: its outline and the colours within it.

    In centimetres, x to the right of the middle, y up from the ground. A colour is a key of
    `COLORS`, or one with `dark ` in front.
    """

    outline: Sequence[Point]
    parts: Sequence[tuple[str, Sequence[Point]]]


CLOTHES = [
    ("trousers", _box(-60, 0, 60, 96)), ("shoes", _box(-60, 0, 60, 6)),
    ("shirt", _box(-60, 90, 60, 150)), ("skin", _box(-60, 148, 60, 180)),
]
WALKING = Figure(
    _path("-4,150 -10,156 -11,166 -7,174 1,176 9,172 11,163 9,155 5,150 13,146 18,138 21,118 "
          "27,98 26,88 21,85 17,74 20,48 25,24 33,6 32,0 17,0 14,22 7,46 0,72 -8,47 "
          "-18,26 -30,8 -27,2 -35,6 -40,12 -33,24 -23,50 -17,74 -25,84 -29,88 -25,102 "
          "-20,126 -17,140 -11,147"),
    [*CLOTHES, ("dark shirt", _box(-30, 84, -15, 150)),
     ("dark trousers", _path("0,72 -8,90 -60,60 -60,6 -8,6")),
     ("skin", _box(-40, 80, -19, 92)), ("skin", _box(19, 80, 40, 92)),
     ("hair", _box(-14, 158, -5, 180)), ("hair", _box(-14, 167, 14, 180))])
SKIRT = Figure(
    _path("-8,150 -13,158 -10,170 -3,175 5,173 10,165 9,155 5,149 13,145 18,132 20,112 "
          "24,94 27,80 36,78 38,52 24,50 14,52 16,28 20,8 27,2 25,0 11,0 9,24 "
          "4,50 -1,51 -4,26 -8,6 -3,0 -19,0 -16,22 -13,52 -23,55 -25,82 -29,86 -24,104 "
          "-19,130 -13,143"),
    [("skin", _box(-60, 0, 60, 180)), ("shoes", _box(-60, 0, 60, 7)),
     ("shirt", _box(-24, 92, 24, 148)), ("trousers", _box(-26, 50, 26, 94)),
     ("hair", _box(-14, 143, -5, 180)), ("hair", _box(-14, 167, 14, 180)),
     ("shoes", _box(19, 48, 40, 77))])
RIDER_SIDE = Figure(
    _path("-40,90 -38,110 -26,132 -10,146 -3,150 -8,157 -8,168 0,177 10,178 18,172 20,160 15,151 "
          "10,147 14,140 25,122 40,110 47,105 41,98 28,104 13,119 3,120 0,104 12,97 23,84 21,68 "
          "13,50 15,38 25,34 23,28 2,28 0,36 3,50 3,66 -12,80 -26,84"),
    [*CLOTHES, ("shoes", _box(-10, 20, 40, 36)), ("skin", _box(34, 94, 60, 112)),
     ("dark shirt", _path("-2,132 8,138 38,108 30,100")),
     ("hair", _path("-12,160 -4,163 18,168 22,182 -12,182"))])
RIDER_BACK = Figure(
    _path("-4,150 -10,157 -10,168 -5,176 2,178 8,174 11,165 9,155 4,150 16,146 23,138 28,118 "
          "32,104 28,99 21,108 17,116 17,96 20,82 17,56 15,28 17,15 7,15 6,42 5,74 -5,74 -6,46 "
          "-8,26 -17,27 -15,60 -20,84 -17,98 -17,116 -22,108 -29,98 -32,104 -27,120 -22,139 "
          "-15,146"),
    [*CLOTHES, ("shoes", _box(-60, 0, 0, 34)), ("shoes", _box(0, 0, 60, 22)),
     ("dark shirt", _box(17, 96, 60, 138)), ("dark shirt", _box(-60, 96, -17, 138)),
     ("hair", _box(-14, 158, 14, 182))])
BICYCLE_SIDE = Figure(
    _path("-53,0 -66,3 -78,11 -86,24 -87,40 -81,54 -70,63 -56,68 -44,66 -31,80 -38,91 -37,98 "
          "-16,98 -16,93 -23,90 -19,83 28,83 27,92 20,99 23,105 40,103 44,97 37,92 38,72 53,68 "
          "68,64 80,54 87,40 86,24 78,11 66,3 53,0 40,3 28,11 21,22 18,32 6,24 3,14 -12,14 "
          "-14,20 -22,18 -31,8 -42,2"),
    [("rubber", _ring(-53, 34, 34, 30)), ("rubber", _ring(53, 34, 34, 30)),
     *(("paint", _bar((a, b), (c, d), 5)) for a, b, c, d in
       [(-53, 34, -26, 80), (-26, 80, 30, 80), (30, 80, -5, 26), (-5, 26, -53, 34),
        (-5, 26, -30, 92), (53, 34, 29, 96)]),
     ("rubber", _disc(-53, 34, 5)), ("rubber", _disc(53, 34, 5)), ("rubber", _disc(-5, 24, 8)),
     ("rubber", _box(-38, 92, -16, 98)), ("rubber", _box(21, 97, 43, 103))])
# What one sees through a bicycle: its frame, a wheel, and a wheel round its hub, which leaves
# the hub as an island in the hole.
GAPS = (_path("-17,73 20,73 -6,36"), _disc(53, 34, 28), _ring(-53, 34, 28, 6))
BICYCLE_BACK = Figure(
    _path("-4,0 4,0 6,30 15,30 15,35 6,36 6,84 12,90 11,97 28,99 29,105 10,106 -10,106 -28,105 "
          "-28,99 -12,97 -12,90 -6,84 -6,31 -15,29 -15,24 -6,24"),
    [("paint", _box(-40, 0, 40, 120)), ("rubber", _box(-6, 0, 6, 68)),
     ("rubber", _box(-40, 86, 40, 97)), ("lamp", _box(-4, 70, 4, 78))])
MOTORCYCLE = Figure(
    _path("-68,0 -85,8 -98,22 -99,42 -90,58 -100,72 -96,82 -60,82 -22,84 10,95 30,102 36,118 "
          "48,120 52,112 50,100 62,88 66,64 84,59 96,45 98,22 86,7 68,0 52,6 42,18 36,24 -30,18 "
          "-40,14 -52,5"),
    [("paint", _box(-99, 50, 60, 120)), ("rubber", _box(-45, 10, 42, 52)),
     ("rubber", _disc(-68, 32, 32)), ("rubber", _disc(68, 32, 32)),
     ("chrome", _disc(-68, 32, 17)), ("chrome", _disc(68, 32, 17)),
     ("chrome", _bar((-80, 28), (-10, 24), 8)), ("chrome", _bar((68, 32), (48, 96), 6)),
     ("rubber", _box(-80, 74, -18, 90)), ("lamp", _box(-101, 68, -92, 80))])
COLORS: dict[str, Sequence[Color]] = {
    "shirt": [(178, 58, 52), (52, 92, 138), (222, 204, 160), (70, 110, 88), (206, 142, 60),
              (94, 74, 118), (226, 226, 220), (58, 62, 72), (196, 112, 120)],
    "trousers": [(48, 58, 84), (62, 58, 56), (108, 96, 80), (36, 40, 50), (128, 120, 112)],
    "skin": [(226, 184, 154), (196, 148, 116), (140, 96, 70), (238, 204, 178)],
    "hair": [(58, 42, 34), (30, 28, 30), (142, 104, 62), (120, 116, 112)],
    "shoes": [(40, 38, 40), (92, 64, 46), (212, 208, 200)],
    "paint": [(40, 110, 120), (182, 52, 48), (44, 62, 110), (54, 56, 60), (214, 170, 66)],
    "rubber": [(38, 38, 42)], "chrome": [(168, 172, 178)], "lamp": [(214, 48, 40)],
}


class Model(NamedTuple):
    """A vehicle: its outline from the side, drawn out to its width. In metres, rear to front.

    The outline is convex, so that the hull of its corners is what one sees of it from anywhere.
    """

    label: str
    width: float
    taper: float  # how much narrower it gets with each metre of height, from one metre up
    profile: Sequence[Point]
    glass: Sequence[int]  # the edges of the profile that are windows
    side: Sequence[tuple[str, Sequence[Point]]]
    wheels: Sequence[float]
    paints: Sequence[Color]


CAR_PAINTS = [(196, 200, 204), (62, 66, 74), (160, 40, 42), (46, 76, 122), (224, 224, 220),
              (92, 98, 104), (34, 38, 46), (78, 104, 92), (190, 150, 84), (120, 148, 168)]
HATCHBACK = Model(
    "car", 1.78, 0.22,
    _path("0,.22 0,.88 .35,1.42 1.2,1.5 2,1.47 2.9,1.2 3.8,.88 4.1,.6 4.1,.22"), (1, 4),
    [("glass", _path(".45,.95 .6,1.34 1.25,1.38 1.25,.95")),
     ("glass", _path("1.35,.95 1.35,1.38 1.95,1.36 2.75,1"))],
    (0.75, 3.3), CAR_PAINTS)
SALOON = Model(
    "car", 1.82, 0.26,
    _path("0,.22 0,.8 .3,1 1.2,1.42 1.9,1.46 2.4,1.42 3.3,1.13 4.3,.76 4.6,.55 4.6,.22"), (2, 5),
    [("glass", _path(".75,1 1.3,1.35 1.85,1.37 1.85,.97")),
     ("glass", _path("1.95,.97 1.95,1.37 2.35,1.34 3.05,1.02"))],
    (0.9, 3.7), CAR_PAINTS)
VAN = Model(
    "car", 1.95, 0.08,
    _path("0,.25 0,1.2 .1,1.9 .3,2 3.5,2 4.5,1.25 4.9,.8 4.9,.25"), (1, 4),
    [("glass", _path("2.9,1.2 2.9,1.8 3.5,1.8 4.2,1.2")), ("glass", _box(0.5, 1.2, 2.7, 1.8))],
    (0.9, 3.9), [(232, 232, 228), (60, 84, 130), (196, 150, 58), (110, 116, 122)])
CARS = (HATCHBACK, HATCHBACK, SALOON, SALOON, VAN)
TRUCK = Model(
    "truck", 2.5, 0, _path("0,.6 0,3.4 7.2,3.4 7.9,2.9 8,1.7 8,.6"), (3,),
    [("dark", _box(0, 0.6, 6, 1)), ("light", _box(0.2, 1.1, 5.8, 3.3)),
     ("dark", _box(5.9, 0.6, 6.1, 3.4)), ("glass", _box(6.6, 1.8, 7.7, 2.7))],
    (1.4, 2.5, 6.9), [(196, 86, 50), (60, 96, 140), (82, 120, 90)])
BUS = Model(
    "bus", 2.55, 0, _path("0,.35 0,1.5 0,2.8 .2,3.1 11.8,3.1 12,2.8 12,1.1 12,.35"), (1, 5),
    [*(("glass", _box(0.5 + 1.9 * i, 1.4, 2.25 + 1.9 * i, 2.6)) for i in range(6)),
     ("glass", _box(9.3, 0.6, 10.3, 2.6)), ("light", _box(0, 0.95, 9.2, 1.1))],
    (2.8, 8.4), [(212, 172, 48), (178, 52, 50), (66, 116, 104)])
TRAM = Model(
    "train", 2.4, 0, _path("0,.25 0,1.2 .3,2.9 .8,3.4 23.2,3.4 23.7,2.9 24,1.2 24,.25"), (1, 5),
    [*(("glass", _box(1.2 + 2.2 * i, 1.3, 3.1 + 2.2 * i, 2.6)) for i in range(10)),
     ("light", _box(0, 2.8, 24, 3)), ("dark", _box(7.9, 0.25, 8.1, 3.4)),
     ("dark", _box(15.9, 0.25, 16.1, 3.4))],
    (), [(184, 46, 44), (222, 186, 92)])
CARAVAN = Model(
    "caravan", 2.2, 0.02, _path("0,.4 0,1.2 .1,1.9 .4,2.5 4.2,2.5 4.8,1.7 4.9,.4"), (1,),
    [("glass", _box(0.6, 1.3, 1.7, 1.95)), ("glass", _box(2.9, 1.3, 3.9, 1.95)),
     ("dark", _box(0, 0.75, 4.9, 0.85))],
    (2.3,), [(236, 232, 220)])
TRAILER = Model(
    "trailer", 1.7, 0, _path("0,.45 0,1.5 .1,1.6 2.7,1.6 2.8,1.5 2.8,.45"), (),
    [("dark", _box(0, 0.85, 2.8, 0.92)), ("light", _box(0, 0.92, 2.8, 1.6))],
    (1.4,), [(96, 116, 128), (120, 128, 96)])
# One rare vehicle for each frame in turn, so that a few frames hold every class.
GUESTS = (TRAM, TRUCK, BUS, CARAVAN, TRAILER, None, None, None)

SIGNS = (  # rim, face, outline
    ((196, 44, 40), (244, 244, 240), _disc(0, 0, 1)),
    ((38, 84, 164), (58, 108, 190), _disc(0, 0, 1)),
    ((38, 84, 164), (70, 118, 196), _box(-0.9, -0.9, 0.9, 0.9)),
    ((244, 244, 240), (234, 186, 56), _path("0,-1 1,0 0,1 -1,0")),
    ((196, 44, 40), (244, 244, 240), _path("-1,.9 1,.9 0,-.9")),
)
LIGHTS = ((228, 56, 44), (240, 176, 50), (64, 196, 112))
WALLS = [(226, 206, 168), (206, 160, 118), (190, 112, 88), (176, 186, 172), (168, 180, 192),
         (222, 190, 140), (214, 204, 196), (198, 138, 120)]
ROOFS = [(156, 84, 64), (136, 76, 62), (92, 94, 102), (112, 88, 80)]
GREENS = [(92, 126, 62), (78, 116, 66), (112, 134, 60), (84, 122, 84)]
SKIES = [  # above, and at the horizon
    ((92, 146, 204), (214, 230, 240)),
    ((112, 154, 198), (246, 226, 200)),
    ((138, 170, 198), (232, 232, 226)),
]
WHITE, STONE, ASPHALT = (232, 232, 226), (184, 176, 168), (104, 106, 112)
GLASS, RUBBER, STEEL = (70, 92, 108), (34, 34, 38), (96, 100, 106)

# fmt: on


# ------------------------------------------------------------------- a scene, back to front


def scene(seed: int, split: str, index: int) -> list[Shape]:
    """One street as shapes, back to front. It depends on nothing but the arguments."""
    dice = Dice(f"{seed}/{split}/{index}")
    zenith, haze = dice.pick(SKIES)
    left, right = -dice.between(5.5, 9), dice.between(3.2, 6)
    left_wall, right_wall = left - dice.between(2.5, 5), right + dice.between(2.5, 5)
    street = Street(dice, left, right, left_wall, right_wall, haze)
    guest = GUESTS[(index + FRAMES["train"] * (split == "val")) % len(GUESTS)]

    things = [*_traffic(street, guest), *_pavement(street), *_people(street)]
    things.sort(key=lambda thing: -thing[0])
    shapes = [*_backdrop(street, zenith), *_floor(street, guest is TRAM)]
    for side, wall in (-1, left_wall), (1, right_wall):
        row = _park if dice.chance(0.3) else _houses
        shapes += row(street, wall, side)
    for _, thing in things:
        shapes += thing
    return shapes + _camera_frame()


def _backdrop(street: Street, zenith: Color) -> Iterator[Shape]:
    """The sky, and what closes the street at its far end."""
    dice = street.dice
    sky = [Paint(_box(0, 0, WIDTH, HORIZON), zenith, street.haze)]
    for _ in range(dice.count(3, 6)):
        x, y, size = dice.between(300, 1750), dice.between(40, 260), dice.between(60, 150)
        for _ in range(5):
            dx, dy, radius = (size * dice.between(*r) for r in ((-1.4, 1.4), (-0.1, 0.1), (0.4, 1)))
            puff = [(x + dx + radius * c, y + dy + radius * 0.3 * s) for c, s in CIRCLE]
            sky.append(Paint(puff, (255, 255, 252), alpha=80))
    yield _shape("sky", _box(0, 0, WIDTH, HORIZON + 20), sky)
    x = -85.0
    while x < 85:
        width, height = dice.between(5, 16), dice.between(5, 15)
        if dice.chance(0.5):
            crown = _blob(dice, x + width / 2, height / 3, width, height * 0.6, 0.2)
            outline = _upright(((px, max(py, 0)) for px, py in crown), FAR)
            green = _hazy(dice.pick(GREENS), street, FAR)
            yield _shape("vegetation", outline, [Paint(outline, _lit(green, 1.1), green)])
        else:
            gable = [(x, height), (x + width / 2, height + 4), (x + width, height)]
            house = _upright([(x, 0), *gable, (x + width, 0)], FAR)
            paints = [Paint(house, _hazy(dice.pick(WALLS), street, FAR)),
                      Paint(house[1:4], _hazy(dice.pick(ROOFS), street, FAR))]  # fmt: skip
            yield _shape("building", house, paints)
        x += width


def _floor(street: Street, tram: bool) -> Iterator[Shape]:
    """Grass, pavements, the road with its markings, rails."""
    dice, far_stone = street.dice, _hazy(STONE, street, FAR)
    grass = _box(0, HORIZON + 15, WIDTH, HEIGHT)
    yield _shape("terrain", grass, [Paint(grass, far_stone, (128, 146, 92))])
    pavement = _ground(street.left_wall, street.right_wall)
    joints = [
        Paint(_ground(street.left_wall, street.right_wall, z, z * 1.006), _lit(STONE, 0.9))
        for z in range(8, 60, 3)
    ]
    yield _shape("sidewalk", pavement, [Paint(pavement, far_stone, STONE), *joints])

    road, middle = _ground(street.left, street.right), (street.left + street.right) / 2 - 0.4
    paints = [Paint(road, _hazy(ASPHALT, street, FAR), ASPHALT)]
    for kerb in street.left + 0.12, street.right - 0.12:
        paints.append(Paint(_ground(kerb - 0.12, kerb + 0.12), _lit(STONE, 1.15)))
    for z in range(6, 120, 8):
        paints.append(Paint(_ground(middle - 0.07, middle + 0.07, z, z + 3), WHITE))
    if dice.chance(0.6):
        z0, x = dice.between(12, 30), street.left + 0.6
        while x < street.right - 0.8:
            paints.append(Paint(_ground(x, x + 0.5, z0, z0 + 3), WHITE))
            x += 1
    yield _shape("road", road, paints)
    if tram:
        x = _oncoming_lane(street)
        bed = _ground(x - 1.1, x + 1.1)
        paints = [Paint(bed, _hazy(ASPHALT, street, FAR), (118, 112, 110))]
        for rail in x - 0.72, x + 0.72:
            paints.append(Paint(_ground(rail - 0.05, rail + 0.05), (140, 142, 148), (70, 72, 78)))
        yield _shape("rail track", bed, paints)


def _oncoming_lane(street: Street) -> float:
    return street.left / 2 - 0.2


def _houses(street: Street, wall: float, side: int) -> list[Shape]:
    """A row of houses along the pavement, the farthest first."""
    dice, row = street.dice, []
    z = dice.between(12, 20)
    while z < FAR:
        length = dice.between(9, 20)
        row.append(_house(street, wall, side, z, min(z + length, FAR)))
        z += length + (dice.between(4, 9) if dice.chance(0.15) else 0)
    return row[::-1]


def _house(street: Street, x: float, side: int, z0: float, z1: float) -> Shape:
    """A house from z0 to z1 whose front stands at x and whose body lies on that side of it."""
    dice = street.dice
    wall, tiles, shutters = dice.pick(WALLS), dice.pick(ROOFS), dice.chance(0.4)
    floors, storey = dice.count(3, 5), dice.between(2.9, 3.4)
    eaves = floors * storey + 0.6
    ridge = eaves + dice.between(2, 4.5)
    light = 1.06 if side < 0 else 0.86  # the sun stands on the right

    def front(y0: float, y1: float, a: float, b: float, color: Color, fade: float = 1) -> Paint:
        quad = [_at(x, y0, a), _at(x, y1, a), _at(x, y1, b), _at(x, y0, b)]
        top = _lit(color, light)
        return Paint(quad, _hazy(top, street, z0), _hazy(_lit(top, fade), street, z0))

    gable = [(x, 0), (x, eaves), (x + side * 5, ridge), (x + side * 10, eaves), (x + side * 10, 0)]
    near, far = _upright(gable, z0), _upright(gable, z1)
    paints = [
        Paint(near, _hazy(_lit(wall, light * 0.8), street, z0)),
        Paint([near[1], near[2], far[2], far[1]], _hazy(_lit(tiles, light), street, z0)),
        front(0, eaves, z0, z1, wall, 0.9),
        front(0, storey, z0, z1, _lit(wall, 0.78)),
        front(eaves - 0.3, eaves, z0, z1, _lit(wall, 1.12)),
        front(storey - 0.1, storey + 0.1, z0, z1, _lit(wall, 1.1)),
    ]
    bays = int((z1 - z0 - 0.8) / 2.5) if z0 < 100 else 0
    for bay in range(bays):
        a = z0 + 1 + bay * (z1 - z0 - 0.8) / bays
        b = a + 1.25
        shop = (226, 194, 138) if dice.chance(0.2) else (100, 114, 122)
        paints.append(front(0.5, 2.5, a - 0.4, b + 0.4, shop, 0.8))
        for floor in range(1, floors):
            y = floor * storey + 0.9
            if shutters:
                paints.append(front(y, y + 1.6, a - 0.4, b + 0.4, tiles))
            pane = (250, 226, 168) if dice.chance(0.08) else (128, 150, 168)
            paints.append(front(y - 0.1, y + 1.7, a - 0.1, b + 0.1, _lit(wall, 1.16)))
            paints.append(front(y, y + 1.6, a, b, pane, 0.75))
    corners = near + far
    return _shape("building", [corners[i] for i in _hull(corners)], paints)


def _park(street: Street, wall: float, side: int) -> list[Shape]:
    """Trees behind a hedge."""
    dice, shapes, z = street.dice, [], FAR
    while z > 16:
        shapes += _tree(street, wall + side * dice.between(1.5, 9), z)
        z -= dice.between(0.06, 0.14) * z
    hedge = [_at(wall, 0, 12), _at(wall, 0, FAR)]
    z = FAR
    while z > 12:
        hedge.append(_at(wall, dice.between(1.2, 1.5), z))
        z *= 0.97
    green = dice.pick(GREENS)
    paint = Paint(hedge, _hazy(_lit(green, 0.9), street, 60), _lit(green, 0.7))
    return [*shapes, _shape("vegetation", hedge, [paint])]


def _tree(street: Street, x: float, z: float) -> list[Shape]:
    dice, green = street.dice, _hazy(street.dice.pick(GREENS), street, z)
    width, height = dice.between(1.8, 3.2), dice.between(2.2, 3.6)
    y = 2.6 + height * 0.75
    trunk = _upright([(x - 0.17, 0), (x - 0.12, y), (x + 0.12, y), (x + 0.17, 0)], z)
    crown = _upright(_blob(dice, x, y, width, height, 0.25), z)
    paints = [Paint(crown, green, _lit(green, 0.78))]
    for _ in range(9):
        dx, dy = dice.between(-0.8, 0.6) * width, dice.between(-0.5, 0.8) * height
        leaves = _upright(_blob(dice, x + dx, y + dy, width / 3, height / 4, 0.25), z)
        paints.append(Paint(leaves, _lit(green, 1.02 + 0.12 * dy / height)))
    bark = _hazy((98, 78, 62), street, z)
    return [
        _shadow(x - 1, x + 2, z - 0.5, z + 0.5),
        _shape("vegetation", trunk, [Paint(trunk, bark)]),
        _shape("vegetation", crown, paints),
    ]


# ---------------------------------------------------------------------- what stands and moves


def _traffic(street: Street, guest: Model | None) -> Iterator[Thing]:
    """Vehicles on the road: ahead of us, coming, parked, crossing."""
    dice, lane = street.dice, _oncoming_lane(street)
    ahead, coming = 10.0, 14.0
    if guest in (CARAVAN, TRAILER):
        ahead = dice.between(16, 30)
        yield _vehicle(street, guest, 0.3, ahead)
        yield _vehicle(street, SALOON, 0.3, ahead + 6)
    elif guest:
        coming = dice.between(15, 30) + guest.profile[-1][0]
        yield _vehicle(street, guest, lane, coming - guest.profile[-1][0] / 2, (0, -1))
    while ahead < 130:
        ahead += dice.between(8, 60)
        yield _vehicle(street, dice.pick(CARS), dice.between(-0.3, 0.5), ahead)
    while coming < 140:
        coming += dice.between(10, 60)
        yield _vehicle(street, dice.pick(CARS), lane, coming, (0, -1))
    for x, way in (street.left + 1.1, -1), (street.right - 1.1, 1):
        z = dice.between(10, 30) if dice.chance(0.75) else FAR
        while z < 120:
            if dice.chance(0.6):
                yield _vehicle(street, dice.pick(CARS), x, z, (0, way))
            z += dice.between(5.2, 8)
    if dice.chance(0.35):
        yield _vehicle(street, dice.pick(CARS), dice.between(-3, 3), dice.between(55, 110), (1, 0))
    if dice.chance(0.35):
        x, z = dice.pick((street.left - 1, street.right + 1)), dice.between(60, 120)
        row = [_vehicle(street, dice.pick(CARS), x, z + 5 * i) for i in (2, 1, 0)]
        yield _group("cargroup", row)


def _pavement(street: Street) -> Iterator[Thing]:
    """Trees, lamps, signs, posts and bicycles along both kerbs."""
    dice = street.dice
    for kerb, wall, side in (
        (street.left, street.left_wall, -1),
        (street.right, street.right_wall, 1),
    ):
        trees = 0.6 if dice.chance(0.5) else 0
        z = dice.between(14, 26)
        while z < 130:
            if dice.chance(trees):
                yield z, _tree(street, kerb + side, z)
            elif dice.chance(0.5):
                yield z, _lamp(street, kerb + side * 0.6, z, -side)
            else:
                yield z, _sign(street, kerb + side * 0.6, z)
            z += dice.between(6, 16)
        if dice.chance(0.2):  # posts on the road's side of the parked cars
            z = dice.between(14, 24)
            while z < 60:
                yield z, [_post(street, kerb - side * 2.3, z, 1.1, 0.07)]
                z += dice.between(4, 9)
        if dice.chance(0.45):
            z = dice.between(16, 40)
            yield z, _traffic_light(street, kerb + side * 0.4, z)
        middle = (kerb + wall) / 2
        for _ in range(dice.count(0, 2)):
            z = dice.between(14, 45)
            yield z, _cycle(street, middle + side * dice.between(0, 1.2), z, BICYCLE_SIDE)
        if dice.chance(0.2):
            z = dice.between(20, 50)
            rack = [(z + i / 4, _cycle(street, middle + 0.35 * i, z + i / 4, BICYCLE_SIDE))
                    for i in (3, 2, 1, 0)]  # fmt: skip
            yield _group("bicyclegroup", rack)


def _people(street: Street) -> Iterator[Thing]:
    """People on the pavements and crossing, and riders."""
    dice = street.dice
    for kerb, wall in (street.left, street.left_wall), (street.right, street.right_wall):
        for _ in range(dice.count(0, 10)):
            z = 14 + 90 * dice.between(0, 1) * dice.between(0.3, 1)
            yield z, _person(street, dice.between(kerb, wall), z)
        if dice.chance(0.15):
            z = dice.between(30, 80)
            crowd = [(z + i / 4, _person(street, kerb + (wall - kerb) * i / 6, z + i / 4))
                     for i in (5, 4, 3, 2, 1)]  # fmt: skip
            yield _group("persongroup", crowd)
    if dice.chance(0.4):
        for _ in range(dice.count(1, 4)):
            z = dice.between(16, 45)
            yield z, _person(street, dice.between(street.left, street.right), z)
    for cycle, rider in (
        (BICYCLE_SIDE, RIDER_SIDE), (BICYCLE_BACK, RIDER_BACK), (MOTORCYCLE, RIDER_SIDE)
    ):  # fmt: skip
        if dice.chance(0.25):
            x = dice.pick((street.left + 2.8, street.right - 2.7)) + dice.between(-0.3, 0.3)
            z = dice.between(13, 45)
            yield z, _cycle(street, x, z, cycle, rider)
    if dice.chance(0.3):
        z = dice.between(16, 50)
        yield z, _cycle(street, street.right + 0.8, z, MOTORCYCLE)


def _group(label: str, members: Sequence[Thing]) -> Thing:
    """Things that could not be told apart: the photograph has each, the maps one outline."""
    shapes = [shape._replace(label=None) for _, member in members for shape in member]
    corners: list[Point] = [point for shape in shapes for point in shape.polygon]
    outline = _shape(label, [corners[i] for i in _hull(corners)])
    return min(z for z, _ in members), [*shapes, outline]


def _shadow(x0: float, x1: float, near: float, far: float) -> Shape:
    patch = _ground(x0, x1, near, far)
    return _shape(None, patch, [Paint(patch, (20, 22, 36), alpha=110)])


class Placed(NamedTuple):
    """A vehicle on the street, its middle at x and z, heading along x or z."""

    model: Model
    x: float
    z: float
    heading: tuple[int, int]

    def at(self, along: float, y: float, side: float) -> Point:
        """The pixel of a place on the vehicle; `side` is -1 at its left, 1 at its right."""
        dx, dz = self.heading
        along -= self.model.profile[-1][0] / 2
        side *= self.model.width / 2 - self.model.taper / 2 * max(y - 1, 0)
        return _at(self.x + along * dx + side * dz, y, self.z + along * dz - side * dx)

    def on_edge(self, edge: int, share: float, side: float) -> Point:
        """The same for a place `share` of the way along an edge of the profile."""
        (a, b), (c, d) = self.model.profile[edge : edge + 2]
        return self.at(a + (c - a) * share, b + (d - b) * share, side)


def _vehicle(
    street: Street, model: Model, x: float, z: float, heading: tuple[int, int] = (0, 1)
) -> Thing:
    placed = Placed(model, x, z, heading)
    long, wide = model.profile[-1][0] / 2, model.width / 2
    across, deep = (wide, long) if heading[1] else (long, wide)
    shapes = [
        _shadow(x - across - 0.15, x + across + 0.4, z - deep - 0.1, z + deep),
        _shape(model.label, _rounded([*_silhouette(placed)]), _bodywork(street, placed)),
    ]
    if heading[1] and z < 32:
        end = 0 if heading[1] > 0 else len(model.profile) - 2
        corners = ((0.32, -0.28), (0.32, 0.28), (0.5, 0.28), (0.5, -0.28))
        plate = [placed.on_edge(end, share, side) for share, side in corners]
        shapes.append(_shape("license plate", plate, [Paint(plate, WHITE)]))
    return z - deep, shapes


def _silhouette(placed: Placed) -> Iterator[Point]:
    """The hull of the body, with the tyres standing out below its floor.

    Far away, annotators outline a vehicle down to the ground and leave out the tyres.
    """
    model, near = placed.model, placed.z < 35
    floor, length = model.profile[0][1], model.profile[-1][0]
    corners = [
        (along, y if near or y > floor else 0.0, side)
        for side in (-1, 1)
        for along, y in model.profile
    ]
    hull = _hull([placed.at(*corner) for corner in corners])
    for i, j in zip(hull, [*hull[1:], hull[0]], strict=True):
        (a0, y0, s0), (a1, y1, s1) = corners[i], corners[j]
        yield placed.at(a0, y0, s0)
        if not y0 == y1 == floor:
            continue
        if s0 == s1:
            tyres = [abs(wheel - a0) / length for wheel in model.wheels]
            size = 0.3 / length
        else:
            tyres, size = [0.08, 0.92] if model.wheels else [], 0.06
        for tyre in sorted(tyres):
            for share, y in ((-size, floor), (0.01 - size, 0), (size - 0.01, 0), (size, floor)):
                share += tyre
                yield placed.at(a0 + (a1 - a0) * share, y, s0 + (s1 - s0) * share)


def _bodywork(street: Street, placed: Placed) -> Iterator[Paint]:
    """The faces of a vehicle that one sees. As it is convex, none of them hides another."""
    model, heading, z = placed.model, placed.heading, placed.z
    body = street.dice.pick(model.paints)
    tones = {"body": body, "glass": GLASS, "dark": _lit(body, 0.5), "light": _lit(body, 1.35)}
    last = len(model.profile) - 2

    def face(tone: str, light: float, corners: Sequence[Point]) -> Paint:
        color = tones[tone]
        top, bottom = (_hazy(_lit(color, light * fade), street, z) for fade in (1.1, 0.9))
        return Paint(corners, top, bottom)

    def patch(edge: int, start: float, stop: float, left: float, right: float) -> list[Point]:
        return [placed.on_edge(edge, share, side) for share, side in
                ((start, left), (start, right), (stop, right), (stop, left))]  # fmt: skip

    yield Paint(_box(0, 0, WIDTH, HEIGHT), _hazy(RUBBER, street, z))  # the dark below it
    for edge in range(last + 1):
        quad = patch(edge, 0, 1, -1, 1)
        if _turn(*quad[:3]) > 0:  # it faces away
            continue
        yield face("body", 0.95 if edge in (0, last) else 1.15, quad)
        if edge in model.glass:
            yield face("glass", 1.1, patch(edge, 0.08, 0.92, -0.9, 0.9))
    for side in (-1, 1):
        flank = [placed.at(along, y, side) for along, y in model.profile]
        if _turn(flank[0], flank[-1], flank[len(flank) // 2]) * side > 0:
            continue
        yield face("body", 0.85, flank)
        for tone, part in model.side:
            yield face(tone, 1, [placed.at(along, y, side) for along, y in part])
        for wheel in model.wheels:
            for radius, color in ((0.36, RUBBER), (0.2, (150, 152, 158))):
                tyre = [placed.at(along, y, side) for along, y in _disc(wheel, 0.34, radius)]
                yield Paint(tyre, _hazy(color, street, z))
    if heading[1] > 0:
        yield face("dark", 1, patch(0, 0, 0.2, -1, 1))
        for left in (-0.94, 0.66):
            yield Paint(patch(0, 0.55, 0.85, left, left + 0.28), (196, 50, 46))
    elif heading[1] < 0:
        yield face("dark", 1, patch(last, 0.8, 1, -1, 1))
        for left in (-0.94, 0.66):
            yield Paint(patch(last, 0.1, 0.4, left, left + 0.28), (250, 244, 214))


def _figure(street: Street, label: str, figure: Figure, x: float, z: float, scale: float) -> Shape:
    """A figure standing at x and z; `scale` is metres for a centimetre, below 0 if mirrored."""
    dice = street.dice

    def place(points: Iterable[Point], slip: float = 0) -> list[Point]:
        return _upright(((x + (px + dice.between(-slip, slip)) * scale, py * abs(scale))
                         for px, py in points), z)  # fmt: skip

    colors = {name: dice.pick(choice) for name, choice in COLORS.items()}
    paints = []
    for name, part in figure.parts:
        color = colors[name.removeprefix("dark ")]
        color = _hazy(_lit(color, 0.8 if name.startswith("dark ") else 1), street, z)
        paints.append(Paint(place(part), _lit(color, 1.06), _lit(color, 0.92)))
    return _shape(label, place(figure.outline, slip=1.2), paints)


def _person(street: Street, x: float, z: float) -> list[Shape]:
    dice = street.dice
    size = dice.between(0.9, 1.08) if dice.chance(0.9) else dice.between(0.6, 0.8)
    scale = dice.pick((-size, size)) / 100
    figure = dice.pick((WALKING, WALKING, SKIRT))
    shadow = _shadow(x - 0.25, x + 0.6, z - 0.15, z + 0.15)
    return [shadow, _figure(street, "person", figure, x, z, scale)]


def _cycle(
    street: Street, x: float, z: float, figure: Figure, rider: Figure | None = None
) -> list[Shape]:
    dice, label = street.dice, "motorcycle" if figure is MOTORCYCLE else "bicycle"
    scale = dice.pick((-0.01, 0.01))
    reach = 0.3 if figure is BICYCLE_BACK else 0.9
    shapes = [
        _shadow(x - reach, x + reach + 0.2, z - 0.2, z + 0.2),
        _figure(street, label, figure, x, z, scale),
    ]
    if figure is BICYCLE_SIDE and z < 32:
        behind = "road" if street.left < x * 1.4 < street.right else "sidewalk"
        for gap in GAPS:
            if dice.chance(0.3):
                through = _upright(((x + px * scale, py / 100) for px, py in gap), z)
                shapes.append(_shape(behind, through))
    if rider:
        shapes.append(_figure(street, "rider", rider, x, z, scale))
    return shapes


def _post(street: Street, x: float, z: float, height: float, width: float) -> Shape:
    bar = _upright(_box(x - width / 2, 0, x + width / 2, height), z)
    gleam = _upright(_box(x - width / 4, 0, x, height), z)
    steel = _hazy(STEEL, street, z)
    return _shape("pole", bar, [Paint(bar, steel), Paint(gleam, _lit(steel, 1.2))])


def _lamp(street: Street, x: float, z: float, toward: int) -> list[Shape]:
    arm = _upright(_bar((x, 7.4), (x + toward * 1.8, 7.7), 0.1), z)
    head = _upright(_bar((x + toward * 1.6, 7.62), (x + toward * 2.4, 7.72), 0.2), z)
    steel = _hazy(STEEL, street, z)
    return [
        _post(street, x, z, 7.5, 0.16),
        _shape("pole", arm, [Paint(arm, steel)]),
        _shape("static", head, [Paint(head, _lit(steel, 1.2), _lit(steel, 0.7))]),
    ]


def _sign(street: Street, x: float, z: float) -> list[Shape]:
    rim, face, outline = street.dice.pick(SIGNS)
    board, inner = (
        _upright(((x + px * size, 2.6 + py * size) for px, py in outline), z)
        for size in (0.36, 0.26)
    )
    paints = [Paint(board, _hazy(rim, street, z)), Paint(inner, _hazy(face, street, z))]
    return [_post(street, x, z, 2.5, 0.09), _shape("traffic sign", board, paints)]


def _traffic_light(street: Street, x: float, z: float) -> list[Shape]:
    box = _upright(_box(x - 0.17, 2.4, x + 0.17, 3.4), z)
    paints, on = [Paint(box, _hazy(RUBBER, street, z))], street.dice.pick(LIGHTS)
    for i, lamp in enumerate(LIGHTS):
        bulb = _upright(_disc(x, 3.22 - 0.31 * i, 0.12), z)
        paints.append(Paint(bulb, lamp if lamp is on else _lit(lamp, 0.35)))
    return [_post(street, x, z, 3, 0.12), _shape("traffic light", box, paints)]


def _camera_frame() -> list[Shape]:
    """What every frame shows in front of the street: our own bonnet, and the picture's edges."""
    w, h = WIDTH - 1, HEIGHT - 1
    bonnet = [(x, h - 78 + 78 * (x - CENTRE) ** 2 / 760**2) for x in range(280, 1801, 40)]
    shine = [(x, y + 10 + abs(x - CENTRE) / 60) for x, y in bonnet]
    paints = [
        Paint(_box(0, h - 78, w, h), (56, 64, 78), (30, 34, 44)),
        Paint([*shine, *((x, y + 4) for x, y in reversed(shine))], (120, 134, 152), alpha=120),
    ]
    inside = _box(5, 5, w - 5, h - 3)
    return [
        _shape("ego vehicle", bonnet, paints),
        _shape("rectification border", _box(0, h - 12, w, h)),
        _shape("out of roi", [*_box(0, 0, w, h), (0, 0), *inside, inside[0]]),
    ]


# ------------------------------------------------------------------------ maps and photograph


def instance_map(shapes: Sequence[Shape]) -> npt.NDArray[np.uint16]:
    """`instanceIds` of a scene, (height, width): label id * 1000 + n, or the id for the rest.

    n counts the instances of each class in the order they are painted. A group, such as
    `cargroup`, and a class without instances have the label's id alone.
    """
    image = Image.new("I", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(image)
    labels = {label.name: label for label in LABELS}
    count: Counter[str] = Counter()
    for name, polygon, _ in shapes:
        if name is None:
            continue
        label = labels.get(name) or labels[name.removesuffix("group")]
        value = label.id
        if value < 0:
            continue
        if label.has_instances and label.name == name:
            value = value * 1000 + count[name]
            count[name] += 1
        draw.polygon(polygon, fill=value)
    return np.asarray(image).astype(np.uint16)


def photograph(shapes: Sequence[Shape]) -> npt.NDArray[np.uint8]:
    """The picture of a scene, (height, width, 3), drawn twice as large for smooth edges."""
    canvas = np.zeros((HEIGHT * 2, WIDTH * 2, 3), np.uint8)
    for _, outline, paints in shapes:
        for paint in paints:
            _fill(canvas, outline, paint)
    quarters = canvas.reshape(HEIGHT, 2, WIDTH, 2, 3).sum((1, 3), dtype=np.uint16)
    picture: npt.NDArray[np.uint8] = ((quarters + 2) // 4).astype(np.uint8)
    return picture


def _fill(canvas: npt.NDArray[np.uint8], outline: Sequence[Point], paint: Paint) -> None:
    """Paint what lies within both polygons."""
    # Whole numbers, as Pillow's releases differ in how they draw fractions.
    polygons = [
        [(math.floor(x * 2 + 0.5), math.floor(y * 2 + 0.5)) for x, y in polygon]
        for polygon in (paint.polygon, outline)
    ]
    (left, top), (right, bottom) = _bounds(polygons[0])
    (left2, top2), (right2, bottom2) = _bounds(polygons[1])
    x0, y0 = max(left, left2, 0), max(top, top2, 0)
    x1, y1 = min(right + 1, right2 + 1, WIDTH * 2), min(bottom + 1, bottom2 + 1, HEIGHT * 2)
    if x0 >= x1 or y0 >= y1:
        return
    inside = np.ones((y1 - y0, x1 - x0), bool)
    for polygon in polygons:
        stencil = Image.new("L", (x1 - x0, y1 - y0))
        ImageDraw.Draw(stencil).polygon([(x - x0, y - y0) for x, y in polygon], fill=1)
        inside &= np.asarray(stencil).astype(bool)
    first, last = paint.top, paint.bottom or paint.top
    rows = [_mix(first, last, (y - top) / (bottom - top + 1)) for y in range(y0, y1)]
    patch = canvas[y0:y1, x0:x1]
    color: npt.NDArray[Any] = np.array(rows, np.uint16)[:, None]
    if paint.alpha < 256:
        below = patch.astype(np.uint16)
        color = (below * (256 - paint.alpha) + color * paint.alpha) >> 8
    np.copyto(patch, color.astype(np.uint8), where=inside[:, :, None])


def _bounds(polygon: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    columns, rows = zip(*polygon, strict=True)
    return (min(columns), min(rows)), (max(columns), max(rows))


# -------------------------------------------------------------------------------------- files


def write_dataset(
    root: Path, *, seed: int = SEED, frames: Mapping[str, int] = FRAMES, photos: bool = True
) -> None:
    """Write a folder of made-up frames, as Cityscapes lays its own out.

    `frames` says how many to draw for each split: train, val, test. As in Cityscapes, the maps
    of the test split show no street, only the picture's edges. Without `photos` there is no
    `leftImg8bit`.
    """
    for split, count in frames.items():
        for index in range(count):
            _write_frame(root, seed, split, index, photos)


def _write_frame(root: Path, seed: int, split: str, index: int, photos: bool) -> None:
    city = CITIES[split]
    stem = f"{city}_{index // 10:06d}_{19 + index % 10 * 1177:06d}"
    shapes = scene(seed, split, index)
    if photos:
        photo = root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png"
        _write_png(photo, photograph(shapes))
    shown = _camera_frame() if split == "test" else [shape for shape in shapes if shape.label]
    instance_ids = instance_map(shown)
    label_ids = np.where(instance_ids < 1000, instance_ids, instance_ids // 1000).astype(np.uint8)
    # LABELS is in the order of the ids, so a label's place in the palette is its id.
    palette = np.array([(*label.color, 255) for label in LABELS if label.id >= 0], np.uint8)

    folder = root / "gtFine" / split / city
    _write_png(folder / f"{stem}_gtFine_instanceIds.png", instance_ids)
    _write_png(folder / f"{stem}_gtFine_labelIds.png", label_ids)
    _write_png(folder / f"{stem}_gtFine_color.png", palette.take(label_ids, axis=0))
    objects = [{"label": shape.label, "polygon": shape.polygon} for shape in shown]
    record = {"imgHeight": HEIGHT, "imgWidth": WIDTH, "objects": objects}
    text = json.dumps(record, separators=(",", ":")) + "\n"
    (folder / f"{stem}_gtFine_polygons.json").write_bytes(text.encode())


def _write_png(path: Path, pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    """Write a grey, RGB or RGBA picture. Pillow's own bytes differ from release to release."""
    height, width = pixels.shape[:2]
    kind = {1: 0, 3: 2, 4: 6}[pixels.size // (height * width)]
    header = struct.pack(">IIBBBBB", width, height, pixels.itemsize * 8, kind, 0, 0, 0)
    lines = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        body = zlib.compress(_filter_lines(lines, lines.shape[1] // width), 6)
        for name, data in (b"IHDR", header), (b"IDAT", body), (b"IEND", b""):
            file.write(struct.pack(">I", len(data)) + name + data)
            file.write(struct.pack(">I", zlib.crc32(name + data)))


def _filter_lines(lines: npt.NDArray[np.uint8], step: int) -> bytes:
    """Return the lines of a PNG, `step` bytes a pixel, each as differences from its neighbours.

    Each line takes the filter, of the five that PNG has, whose differences are smallest in sum, and
    the first of equals. So do the maps of Cityscapes: these take as long to decode.
    """
    around = np.pad(lines.astype(np.int16), ((1, 0), (step, 0)))
    left, above, corner = around[1:, :-step], around[:-1, step:], around[:-1, :-step]
    to_left, to_above = above - corner, left - corner  # how far left + above - corner is from them
    to_corner = abs(to_left + to_above)
    to_left, to_above = abs(to_left), abs(to_above)
    nearest = np.where(
        (to_left <= to_above) & (to_left <= to_corner),
        left,
        np.where(to_above <= to_corner, above, corner),
    )
    guesses = np.zeros_like(left), left, above, (left + above) // 2, nearest
    differences = np.stack([lines - guess.astype(np.uint8) for guess in guesses])
    sums = np.minimum(differences, -differences).sum(axis=2, dtype=np.int64)
    best = sums.argmin(axis=0)
    chosen = differences[best, np.arange(len(lines))]
    return np.column_stack((best.astype(np.uint8), chosen)).tobytes()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw made-up streets in Cityscapes' format.")
    parser.add_argument("--outdir", type=Path, default=HERE / "sample", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED)
    for split, count in FRAMES.items():
        parser.add_argument(f"--{split}", type=int, default=count, metavar="N",
                            help="number of frames, default: %(default)s")  # fmt: skip
    parser.add_argument("--no-photos", action="store_true", help="write the maps only: quick")
    args = parser.parse_args(argv)
    frames = {split: getattr(args, split) for split in FRAMES}
    write_dataset(args.outdir, seed=args.seed, frames=frames, photos=not args.no_photos)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
