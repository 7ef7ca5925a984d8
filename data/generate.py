"""Draw made-up streets as a folder in Cityscapes' format.

Cityscapes itself may not be passed on, so the sample in this repository, the tests and the
benchmarks use these streets. Without arguments, the maps and polygons of `data/sample` are written
again, and its boxes. Its photographs show the same streets, but stay as they are: none are painted
here.

A scene is a list of shapes, drawn back to front. The same list makes the polygons, the maps and the
boxes, so all agree. Every size and place in a scene comes from plain arithmetic and
Random.random(), so it is the same scene on every machine.
"""

import argparse
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # so that `python data/generate.py` finds the package
    sys.path.insert(0, str(HERE.parent))

from cityscapes_coco.labels import LABELS  # noqa: E402  (needs the path set just above)

Point = tuple[float, float]
Pixel = tuple[int, int]
T = TypeVar("T")

WIDTH, HEIGHT = 2048, 1024
REACH = 5  # how far beyond the frame a polygon may go, in pixels
FRAMES = {"train": 3, "val": 2, "test": 1}
CITIES = {"train": "musterstadt", "val": "bad-beispiel", "test": "probeheim"}
SEED = 45

# The camera: pixels for a metre seen from one metre, the point where the street vanishes, and
# the height of the lens above the road in metres.
FOCAL, CENTRE, HORIZON, EYE = 2262, 1040, 430, 1.35
FAR = 170.0  # where the street ends, in metres


class Model(NamedTuple):
    """A vehicle: its side, in metres from rear to front, drawn out to its width.

    The side is convex, so that the hull of its corners is what one sees of it from anywhere.
    """

    label: str
    width: float
    taper: float  # how much narrower it gets with each metre of height, from one metre up
    wheels: list[float]
    side: list[Point]


# In metres, y up from the ground, but figures and the gaps in a bicycle in centimetres, `camera` in
# pixels. `paint` is how many draws coloured a figure in the photographs.
OUTLINES = json.loads((HERE / "outlines.json").read_bytes())
MODELS = {name: Model(**vehicle) for name, vehicle in OUTLINES["vehicles"].items()}
CARS = [MODELS[name] for name in ("hatchback", "hatchback", "saloon", "saloon", "van")]
# What CityPersons calls one person after the other.
PERSONS = (*["pedestrian"] * 5, "sitting person", "pedestrian", "person (other)")
# The classes of the validated boxes, and what annotators take each of them for.
MISTAKEN = {
    **{"person": "rider", "rider": "person", "car": "truck", "truck": "bus", "bus": "truck"},
    **{"train": "bus", "motorcycle": "bicycle", "bicycle": "motorcycle"},
}
# One rare vehicle for each frame in turn, so that a few frames hold every class.
GUESTS = ("tram", "truck", "bus", "caravan", "trailer", None, None, None)


class Shape(NamedTuple):
    """What an annotator's polygon outlines. A shadow is within a group's, but has none itself.

    `uncut` is the polygon before it was cut off near the frame's edges.
    """

    label: str
    polygon: list[Pixel]
    uncut: Sequence[Pixel] = ()


Parts = list[tuple[str, list[Point]]]  # labels and outlines, in metres
Thing = tuple[float, list[Shape]]  # the shapes of one thing, and how far away it is in metres


class Dice:
    """Draws made of random() alone, the one stream that Python promises never to change."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[int(len(items) * self._random())]

    def skip(self, draws: int) -> None:
        """Pass over the draws that coloured the sample's photographs: its shapes depend on them."""
        for _ in range(draws):
            self._random()


class Street(NamedTuple):
    """The kerbs and the walls behind the pavements, in metres to the right of the camera."""

    dice: Dice
    left: float
    right: float
    left_wall: float
    right_wall: float


def scene(seed: int, split: str, index: int) -> list[Shape]:
    """One street as shapes, back to front. It depends on nothing but the arguments.

    As in Cityscapes, the test split shows no street, only the bonnet and the picture's edges.
    """
    camera = [_shape(label, outline) for label, outline in OUTLINES["camera"]]
    if split == "test":
        return camera
    dice = Dice(f"{seed}/{split}/{index}")
    dice.skip(1)
    left, right = -dice.between(5.5, 9), dice.between(3.2, 6)
    left_wall, right_wall = left - dice.between(2.5, 5), right + dice.between(2.5, 5)
    street = Street(dice, left, right, left_wall, right_wall)
    guest = GUESTS[(index + FRAMES["train"] * (split == "val")) % len(GUESTS)]
    lane = left / 2 - 0.2  # where vehicles come towards the camera

    things = [*_traffic(street, lane, guest), *_pavement(street), *_people(street)]
    shapes = [
        *_backdrop(dice),
        _shape("terrain", [(0, 445), (WIDTH, 445), (WIDTH, HEIGHT), (0, HEIGHT)]),
        _ground("sidewalk", left_wall, right_wall),
        _ground("road", left, right),
    ]
    if dice.chance(0.6):  # a crossing
        dice.skip(1)
    if guest == "tram":
        shapes.append(_ground("rail track", lane - 1.1, lane + 1.1))
    for side, wall in (-1, left_wall), (1, right_wall):
        shapes += (_park if dice.chance(0.3) else _houses)(dice, wall, side)
    for _, thing in sorted(things, key=lambda thing: -thing[0]):
        shapes += thing
    shown = (Shape(s.label, cut(s.polygon), s.polygon) for s in shapes if s.label != "shadow")
    return [shape for shape in shown if shape.polygon] + camera


def _backdrop(dice: Dice) -> Iterator[Shape]:
    """The sky, and what closes the street at its far end."""
    dice.skip(18 * dice.pick(range(3, 7)))  # clouds
    yield _shape("sky", [(0, 0), (WIDTH, 0), (WIDTH, 450), (0, 450)])
    x = -85.0
    while x < 85:
        width, height = dice.between(5, 16), dice.between(5, 15)
        if dice.chance(0.5):
            crown = _crown(dice, x + width / 2, height / 3, width, height * 0.6, 0.2)
            yield _upright("vegetation", [(px, max(py, 0)) for px, py in crown], FAR)
            dice.skip(1)
        else:
            gable = [(x, height), (x + width / 2, height + 4), (x + width, height)]
            yield _upright("building", [(x, 0), *gable, (x + width, 0)], FAR)
            dice.skip(2)
        x += width


def _houses(dice: Dice, x: float, side: int) -> list[Shape]:
    """A row of houses, the farthest first, whose fronts stand at x and bodies on a side of it."""
    row, start = [], dice.between(12, 20)
    while start < FAR:
        length = dice.between(9, 20)
        end = min(start + length, FAR)
        dice.skip(3)
        floors, storey = dice.pick(range(3, 6)), dice.between(2.9, 3.4)
        eaves = floors * storey + 0.6
        ridge, back = eaves + dice.between(2, 4.5), x + side * 10
        if start < 100:
            dice.skip(int((end - start - 0.8) / 2.5) * floors)  # windows
        gable = [(x, 0), (x, eaves), (x + side * 5, ridge), (back, eaves), (back, 0)]
        corners = [_at(px, py, z) for z in (start, end) for px, py in gable]
        row.append(_shape("building", _hull(corners)))
        start += length + (dice.between(4, 9) if dice.chance(0.15) else 0)
    return row[::-1]


def _park(dice: Dice, wall: float, side: int) -> list[Shape]:
    """Trees behind a hedge."""
    shapes, z = [], FAR
    while z > 16:
        shapes += _tree(dice, wall + side * dice.between(1.5, 9), z)
        z -= dice.between(0.06, 0.14) * z
    hedge, z = [_at(wall, 0, 12), _at(wall, 0, FAR)], FAR
    while z > 12:
        hedge.append(_at(wall, dice.between(1.2, 1.5), z))
        z *= 0.97
    dice.skip(1)
    return [*shapes, _shape("vegetation", hedge)]


def _tree(dice: Dice, x: float, z: float) -> list[Shape]:
    dice.skip(1)
    width, height = dice.between(1.8, 3.2), dice.between(2.2, 3.6)
    y = 2.6 + height * 0.75
    trunk = [(x - 0.17, 0), (x - 0.12, y), (x + 0.12, y), (x + 0.17, 0)]
    crown = _crown(dice, x, y, width, height, 0.25)
    dice.skip(198)  # leaves
    return [_upright("vegetation", trunk, z), _upright("vegetation", crown, z)]


def _crown(dice: Dice, x: float, y: float, rx: float, ry: float, rough: float) -> list[Point]:
    """An ellipse of uneven bulges."""
    points = []
    for i in range(80):
        if i % 4 == 0:
            size = 1 - rough * dice.between(0, 1)
        reach = size + (-0.07, 0, 0.01, -0.02)[i % 4]
        # Rounded, as the last digits of a sine differ between machines.
        cos, sin = (round(function(math.pi * i / 40), 6) for function in (math.cos, math.sin))
        points.append((x + rx * reach * cos, y + ry * reach * sin))
    return points


def _traffic(street: Street, lane: float, guest: str | None) -> Iterator[Thing]:
    """Vehicles on the road: ahead of us, coming, parked, crossing."""
    dice, ahead, coming = street.dice, 10.0, 14.0
    if guest in ("caravan", "trailer"):
        ahead = dice.between(16, 30)
        yield _vehicle(dice, MODELS[guest], 0.3, ahead)
        yield _vehicle(dice, MODELS["saloon"], 0.3, ahead + 6)
    elif guest:
        length = MODELS[guest].side[-1][0]
        coming = dice.between(15, 30) + length
        yield _vehicle(dice, MODELS[guest], lane, coming - length / 2, dz=-1)
    while ahead < 130:
        ahead += dice.between(8, 60)
        yield _vehicle(dice, dice.pick(CARS), dice.between(-0.3, 0.5), ahead)
    while coming < 140:
        coming += dice.between(10, 60)
        yield _vehicle(dice, dice.pick(CARS), lane, coming, dz=-1)
    for x, way in (street.left + 1.1, -1), (street.right - 1.1, 1):
        z = dice.between(10, 30) if dice.chance(0.75) else FAR
        while z < 120:
            if dice.chance(0.6):
                yield _vehicle(dice, dice.pick(CARS), x, z, dz=way)
            z += dice.between(5.2, 8)
    if dice.chance(0.35):
        yield _vehicle(dice, dice.pick(CARS), dice.between(-3, 3), dice.between(55, 110), 1, 0)
    if dice.chance(0.35):
        x, z = dice.pick((street.left - 1, street.right + 1)), dice.between(60, 120)
        row = [_vehicle(dice, dice.pick(CARS), x, z + 5 * i) for i in (2, 1, 0)]
        yield _group("cargroup", row)


def _vehicle(dice: Dice, model: Model, x: float, z: float, dx: int = 0, dz: int = 1) -> Thing:
    """A vehicle whose middle is at x and z, heading along x or z."""
    length, floor = model.side[-1]

    def at(along: float, y: float, side: float) -> Point:
        """The pixel of a place on the vehicle; `side` is -1 at its left, 1 at its right."""
        along -= length / 2
        side *= model.width / 2 - model.taper / 2 * max(y - 1, 0)
        return _at(x + along * dx + side * dz, y, z + along * dz - side * dx)

    # Far away, annotators outline a vehicle down to the ground and leave out the tyres.
    places = [
        (along, y if z < 35 or y > floor else 0, s) for s in (-1, 1) for along, y in model.side
    ]
    seen = {at(*place): place for place in reversed(places)}
    corners = [seen[corner] for corner in _hull(seen)]
    outline = []
    for (a0, y0, s0), (a1, y1, s1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        outline.append(at(a0, y0, s0))
        if not y0 == y1 == floor:
            continue
        size, tyres = 0.06, [0.08, 0.92] if model.wheels else []
        if s0 == s1:
            size, tyres = 0.3 / length, sorted(abs(wheel - a0) / length for wheel in model.wheels)
        for tyre in tyres:
            for share, y in ((-size, floor), (0.01 - size, 0), (size - 0.01, 0), (size, floor)):
                share += tyre
                outline.append(at(a0 + (a1 - a0) * share, y, s0 + (s1 - s0) * share))
    rounded = [
        (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
        for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True)
        for share in (0.15, 0.85)
    ]

    dice.skip(1)
    across, deep = (model.width / 2, length / 2)[:: 1 if dz else -1]
    shapes = [
        _ground("shadow", x - across - 0.15, x + across + 0.4, z - deep - 0.1, z + deep),
        _shape(model.label, rounded),
    ]
    if dz and z < 32:
        (a0, y0), (a1, y1) = model.side[:2] if dz > 0 else model.side[-2:]
        shares = ((0.32, -0.28), (0.32, 0.28), (0.5, 0.28), (0.5, -0.28))
        plate = [at(a0 + (a1 - a0) * share, y0 + (y1 - y0) * share, side) for share, side in shares]
        shapes.append(_shape("license plate", plate))
    return z - deep, shapes


def _pavement(street: Street) -> Iterator[Thing]:
    """Trees, lamps, signs, posts and bicycles along both kerbs."""
    dice, left, right, left_wall, right_wall = street
    for kerb, wall, side in (left, left_wall, -1), (right, right_wall, 1):
        trees = 0.6 if dice.chance(0.5) else 0
        x, z = kerb + side * 0.6, dice.between(14, 26)
        while z < 130:
            if dice.chance(trees):
                yield z, _tree(dice, kerb + side, z)
            elif dice.chance(0.5):
                yield _furniture(x, z, OUTLINES["lamp"], -side)
            else:
                yield _furniture(x, z, dice.pick(OUTLINES["signs"]))
            z += dice.between(6, 16)
        if dice.chance(0.2):  # posts on the road's side of the parked cars
            z = dice.between(14, 24)
            while z < 60:
                yield _furniture(kerb - side * 2.3, z, OUTLINES["post"])
                z += dice.between(4, 9)
        if dice.chance(0.45):
            z = dice.between(16, 40)
            dice.skip(1)
            yield _furniture(kerb + side * 0.4, z, OUTLINES["traffic light"])
        middle = (kerb + wall) / 2
        for _ in range(dice.pick(range(3))):
            z = dice.between(14, 45)
            yield _cycle(street, middle + side * dice.between(0, 1.2), z, "bicycle")
        if dice.chance(0.2):
            z = dice.between(20, 50)
            rack = [_cycle(street, middle + 0.35 * i, z + i / 4, "bicycle") for i in (3, 2, 1, 0)]
            yield _group("bicyclegroup", rack)


def _furniture(x: float, z: float, parts: Parts, side: int = 1) -> Thing:
    """Parts that stand at x and z, mirrored where `side` is -1."""
    return z, [_upright(label, [(x + side * px, y) for px, y in part], z) for label, part in parts]


def _people(street: Street) -> Iterator[Thing]:
    """People on the pavements and crossing, and riders."""
    dice, left, right, left_wall, right_wall = street
    for kerb, wall in (left, left_wall), (right, right_wall):
        for _ in range(dice.pick(range(11))):
            z = 14 + 90 * dice.between(0, 1) * dice.between(0.3, 1)
            yield _person(dice, dice.between(kerb, wall), z)
        if dice.chance(0.15):
            z, gap = dice.between(30, 80), wall - kerb
            crowd = [_person(dice, kerb + gap * i / 6, z + i / 4) for i in (5, 4, 3, 2, 1)]
            yield _group("persongroup", crowd)
    if dice.chance(0.4):
        for _ in range(dice.pick(range(1, 5))):
            z = dice.between(16, 45)
            yield _person(dice, dice.between(left, right), z)
    for cycle, rider in ("bicycle", "cyclist"), ("narrow", "back"), ("motorcycle", "cyclist"):
        if dice.chance(0.25):
            x = dice.pick((left + 2.8, right - 2.7)) + dice.between(-0.3, 0.3)
            yield _cycle(street, x, dice.between(13, 45), cycle, rider)
    if dice.chance(0.3):
        yield _cycle(street, right + 0.8, dice.between(16, 50), "motorcycle")


def _person(dice: Dice, x: float, z: float) -> Thing:
    size = dice.between(0.9, 1.08) if dice.chance(0.9) else dice.between(0.6, 0.8)
    scale = dice.pick((-size, size)) / 100
    figure = dice.pick(("walking", "walking", "skirt"))
    shadow = _ground("shadow", x - 0.25, x + 0.6, z - 0.15, z + 0.15)
    return z, [shadow, _figure(dice, "person", figure, x, z, scale)]


def _cycle(street: Street, x: float, z: float, cycle: str, rider: str | None = None) -> Thing:
    dice, label = street.dice, "motorcycle" if cycle == "motorcycle" else "bicycle"
    scale = dice.pick((-0.01, 0.01))
    reach = 0.3 if cycle == "narrow" else 0.9
    shadow = _ground("shadow", x - reach, x + reach + 0.2, z - 0.2, z + 0.2)
    shapes = [shadow, _figure(dice, label, cycle, x, z, scale)]
    if cycle == "bicycle" and z < 32:
        behind = "road" if street.left < x * 1.4 < street.right else "sidewalk"
        for gap in OUTLINES["gaps"]:
            if dice.chance(0.3):
                shapes.append(_upright(behind, [(x + px * scale, py / 100) for px, py in gap], z))
    if rider:
        shapes.append(_figure(dice, "rider", rider, x, z, scale))
    return z, shapes


def _figure(dice: Dice, label: str, name: str, x: float, z: float, scale: float) -> Shape:
    """A figure standing at x and z; `scale` is metres for a centimetre, below 0 if mirrored."""
    figure = OUTLINES["figures"][name]
    dice.skip(figure["paint"])
    outline = ((px + dice.between(-1.2, 1.2), py) for px, py in figure["outline"])
    return _upright(label, [(x + px * scale, py * abs(scale)) for px, py in outline], z)


def _group(label: str, members: Sequence[Thing]) -> Thing:
    """Things that could not be told apart: one outline round all of them."""
    corners = [corner for _, shapes in members for shape in shapes for corner in shape.polygon]
    return min(z for z, _ in members), [_shape(label, _hull(corners))]


def _at(x: float, y: float, z: float) -> Point:
    """Where a point `x` metres right, `y` above the road and `z` ahead appears, in pixels."""
    return CENTRE + FOCAL * x / z, HORIZON + FOCAL * (EYE - y) / z


def _upright(label: str, outline: Iterable[Point], z: float) -> Shape:
    """A shape that faces the camera, `z` ahead; its outline is in metres."""
    return _shape(label, [_at(x, y, z) for x, y in outline])


def _ground(label: str, x0: float, x1: float, near: float = 5, far: float = FAR) -> Shape:
    return _shape(label, [_at(x0, 0, far), _at(x1, 0, far), _at(x1, 0, near), _at(x0, 0, near)])


def _shape(label: str, outline: Iterable[Point]) -> Shape:
    return Shape(label, [(math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in outline])


def _hull(points: Iterable[Point]) -> list[Point]:
    """The corners of the convex hull in order."""
    order, hull = sorted(points), []
    for way in (order, order[::-1]):
        chain: list[Point] = []
        for point in way:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        hull += chain[:-1]
    return hull


def _turn(a: Point, b: Point, c: Point) -> float:
    """Above zero if the way from a over b to c turns right in the picture."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def cut(polygon: list[Pixel]) -> list[Pixel]:
    """A polygon in reach that covers the same pixels of the frame; no corners if it has none."""
    columns, rows = zip(*polygon, strict=True)
    if max(columns) < 0 or min(columns) >= WIDTH or max(rows) < 0 or min(rows) >= HEIGHT:
        return []
    edges = list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))
    clockwise = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in edges) > 0
    corners: list[Pixel] = []
    for a, b in edges:
        for corner in _cut_edge(a, b, (a[1] > b[1]) == clockwise):
            while len(corners) > 1 and _turn(corners[-2], corners[-1], corner) == 0:
                corners.pop()
            corners.append(corner)
    return corners if len(set(corners)) > 2 else []


def _cut_edge(a: Pixel, b: Pixel, left: bool) -> list[Pixel]:
    """Corners from a to b, none of them out of reach, that part the same pixels as the edge.

    Pillow, and so the official tools, round an edge's x in each row, a half towards the inside;
    `left` says which side of the polygon the edge is on. Few edges meet a whole pixel where they
    leave the frame: instead, each corner is the farthest of the rounded places that a straight
    line leads to by way of all rounded places between.
    """
    first, last = np.clip([a, b], -REACH, (WIDTH - 1 + REACH, HEIGHT - 1 + REACH)).tolist()
    if (tuple(first), tuple(last)) == (a, b):
        return [a, b]
    step = 1 if first[1] <= last[1] else -1
    rows = np.arange(first[1], last[1] + step, step)
    columns = a[0] + (rows - a[1]) * (b[0] - a[0]) / ((b[1] - a[1]) or 1)
    columns = np.floor(columns + 0.5) if left else np.ceil(columns - 0.5)
    columns = columns.clip(-REACH, WIDTH - 1 + REACH)
    corners = [0]
    while corners[-1] < len(rows) - 1:
        aside = columns[corners[-1] + 1 :] - columns[corners[-1]]
        ahead = np.arange(1, len(aside) + 1)
        lowest = np.maximum.accumulate((aside - 0.4999) / ahead)
        highest = np.minimum.accumulate((aside + 0.4999) / ahead)
        straight = (lowest <= aside / ahead) & (aside / ahead <= highest)
        corners.append(corners[-1] + int(ahead[straight][-1]))
    return [(int(columns[i]), int(rows[i])) for i in corners]


def instance_map(shapes: Sequence[Shape]) -> npt.NDArray[np.uint16]:
    """`instanceIds` of a scene, (height, width): label id * 1000 + n, or the id for the rest.

    n counts the instances of each class in the order they are painted. A group, such as
    `cargroup`, and a class without instances have the label's id alone.
    """
    image = Image.new("I", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(image)
    for value, shape in number_shapes(shapes):
        draw.polygon(shape.polygon, fill=value)
    return np.asarray(image).astype(np.uint16)


def number_shapes(shapes: Sequence[Shape]) -> Iterator[tuple[int, Shape]]:
    """Yield each shape that is painted, with its value in the map."""
    labels = {label.name: label for label in LABELS}
    count: Counter[str] = Counter()
    for shape in shapes:
        name = shape.label
        label = labels.get(name) or labels[name.removesuffix("group")]
        value = label.id
        if value < 0:
            continue
        if label.has_instances and label.name == name:
            value = value * 1000 + count[name]
            count[name] += 1
        yield value, shape


def list_persons(
    shapes: Sequence[Shape], visible: Mapping[int, list[int]]
) -> Iterator[dict[str, object]]:
    """Yield the objects of a CityPersons file: persons and riders who can be seen, and groups.

    The box of a whole body is the box of the outline, however much of it is covered. `visible` has
    the box of each value in the map.
    """
    for value, shape in number_shapes(shapes):
        if shape.label == "persongroup":
            whole = _box(shape.polygon)
            yield {"instanceId": value, "label": "person group", "bbox": whole, "bboxVis": whole}
        elif shape.label in ("person", "rider") and value in visible:
            # In the photographs all of them stand; so which ones do not is made up.
            label = PERSONS[value % len(PERSONS)] if shape.label == "person" else "rider"
            whole = _box(shape.uncut) if label in ("pedestrian", "rider") else visible[value]
            box = {"bbox": whole, "bboxVis": visible[value]}
            yield {"instanceId": value, "label": label, **box}


def list_validated(visible: Mapping[int, list[int]]) -> Iterator[dict[str, object]]:
    """Yield the objects of a file of validated boxes. Ten annotators vote, and some of them are
    mistaken, so that there are ties; most of them cannot tell what the smallest objects are."""
    names = {label.id: label.name for label in LABELS if label.name in MISTAKEN}
    for value, (x, y, width, height) in visible.items():
        name = names.get(value // 1000)
        if not name:
            continue
        mistaken = "cantsolve" if width * height < 150 else MISTAKEN[name]
        wrong = 6 if mistaken == "cantsolve" else 3 * value % 7
        votes = Counter({name: 10 - wrong, mistaken: wrong})
        soft = [votes[label] / 10 for label in (*MISTAKEN, "cantsolve")]
        box: dict[str, object] = {"bbox": [x, y, x + width, y + height]}
        if value % 7 == 5:
            certain = [float(label == name) for label in (*MISTAKEN, "cantsolve")]
            yield {**box, "soft_label": certain, "added_from_original_annotations": True}
        else:
            yield {**box, "soft_label": soft, "vote_counts": dict(+votes)}


def measure_visible(ids: npt.NDArray[np.uint16]) -> dict[int, list[int]]:
    """Return the box of each value of a map: x, y, width, height."""
    boxes = {}
    for value in np.unique(ids[ids >= 1000]).tolist():
        rows, columns = np.nonzero(ids == value)
        boxes[value] = _box(zip(columns.tolist(), rows.tolist(), strict=True))
    return boxes


def _box(pixels: Iterable[Pixel]) -> list[int]:
    columns, rows = zip(*pixels, strict=True)
    x, y = min(columns), min(rows)
    return [x, y, max(columns) - x + 1, max(rows) - y + 1]


def write_dataset(root: Path, *, seed: int = SEED, frames: Mapping[str, int] = FRAMES) -> None:
    """Write as many frames of each split as `frames` says, laid out as in Cityscapes."""
    # LABELS is in the order of the ids, so a label's place in the palette is its id.
    palette = np.array([(*label.color, 255) for label in LABELS if label.id >= 0], np.uint8)
    for split, count in frames.items():
        folder = root / "gtFine" / split / CITIES[split]
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            stem = f"{CITIES[split]}_{index // 10:06d}_{19 + index % 10 * 1177:06d}_gtFine"
            shapes = scene(seed, split, index)
            ids = instance_map(shapes)
            label_ids = np.where(ids < 1000, ids, ids // 1000).astype(np.uint8)
            Image.fromarray(ids).save(folder / f"{stem}_instanceIds.png")
            Image.fromarray(label_ids).save(folder / f"{stem}_labelIds.png")
            Image.fromarray(palette[label_ids]).save(folder / f"{stem}_color.png")
            objects = [{"label": shape.label, "polygon": shape.polygon} for shape in shapes]
            _write_json(folder / f"{stem}_polygons.json", {}, objects)
            if split == "test":  # has no boxes
                continue
            visible = measure_visible(ids)
            stem = stem.removesuffix("_gtFine")
            for kind, head, found in (
                ("gtBboxCityPersons", {}, list_persons(shapes, visible)),
                ("gtBboxValidated", {"classes": [*MISTAKEN, "cantsolve"]}, list_validated(visible)),
            ):
                path = root / kind / split / CITIES[split] / f"{stem}_{kind}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_json(path, head, [*found])


def _write_json(path: Path, head: Mapping[str, object], objects: Sequence[object]) -> None:
    """Write one of Cityscapes' JSON files; `head` stands before the objects."""
    record = {"imgHeight": HEIGHT, "imgWidth": WIDTH, **head, "objects": objects}
    path.write_bytes((json.dumps(record, separators=(",", ":")) + "\n").encode())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw made-up streets in Cityscapes' format.")
    parser.add_argument("--outdir", type=Path, default=HERE / "sample", help="default: %(default)s")
    write_dataset(parser.parse_args(argv).outdir)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
