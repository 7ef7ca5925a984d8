"""The polygons of a frame, drawn as a map of instance ids.

Rules and pixels are the same as in cityscapesscripts' `json2instanceImg.py`, which draws with
Pillow, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import cv2
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cityscapes_coco.cityscapes.annotation_json import decode_annotations
from cityscapes_coco.errors import UserError, guess, one_line
from cityscapes_coco.labels import LABELS_BY_NAME, Label
from cityscapes_coco.pixels.png import MOST_PIXELS
from cityscapes_coco.run.files import read_file

# A value of no label: maps of other tools may have such values too, and they are treated alike.
_UNKNOWN = 999
# More bytes than any street takes; published files have less than a megabyte.
MOST_BYTES = 1 << 24
# How far a point may be from the frame's corner, in pixels. Pillow computes with numbers of 24
# bits, which leaves it a share of 1/256 of a pixel here.
FAR = 1 << 16
# No street has so many objects, or points of one. Pillow takes 6 s for so many random points, and
# three times as long for twice as many.
MOST = 100_000
_GROUP = "group"

Length = Annotated[int, Meta(ge=1, le=MOST_PIXELS)]
Coordinate = Annotated[int, Meta(ge=-FAR, le=FAR)] | Annotated[float, Meta(ge=-FAR, le=FAR)]
Point = tuple[Coordinate, Coordinate]


class _Object(Struct):
    label: str
    polygon: Annotated[list[Point], Meta(max_length=MOST)]
    deleted: Any = None


class _Polygons(Struct):
    imgHeight: Length
    imgWidth: Length
    objects: Annotated[list[_Object], Meta(max_length=MOST)]


def draw_polygons(path: str, *, void_unknown: bool) -> tuple[NDArray[np.uint16], list[str]]:
    """Return the map, shape (height, width), that the polygons in the JSON file at `path` make, and
    the labels of polygons of fewer than two points, which are passed over.

    With `void_unknown`, labels that Cityscapes does not have get a value that no label has. Raises
    UserError if the file cannot be read or drawn; the error names the object.
    """
    content = read_file(path, MOST_BYTES)
    try:
        file = decode_annotations(content, _Polygons)
        if file.imgHeight * file.imgWidth > MOST_PIXELS:
            raise ValueError(f"claims {file.imgWidth} x {file.imgHeight} pixels, too many to draw")
        passed_over: list[str] = []
        objects = _list_painted(file, passed_over, void_unknown)
        return _paint(objects, file.imgHeight, file.imgWidth), passed_over
    except ValueError as error:
        raise UserError(path, str(error)) from error


def _list_painted(
    file: _Polygons, passed_over: list[str], void_unknown: bool
) -> Iterator[tuple[int, list[Point]]]:
    """Yield the value and the points of each object that is painted, in order; add the labels of
    those that are `passed_over`."""
    numbers: Counter[str] = Counter()
    for place, found in enumerate(file.objects):
        if found.deleted:
            continue
        label, is_group = _find_label(found.label)
        if label is None and not void_unknown:
            name = one_line(repr(found.label[:50]))
            raise ValueError(
                f"objects[{place}] has the label {name}, which Cityscapes does not have"
                f"{guess(found.label[:50], LABELS_BY_NAME)}; see --unknown-labels"
            )
        value = label.id if label else _UNKNOWN
        if label and label.has_instances and not is_group:
            value = 1000 * label.id + numbers[label.name]
            numbers[label.name] += 1
            if numbers[label.name] > 1000:
                raise ValueError(
                    f"objects[{place}] is {label.name} number 1,001; a map has numbers for 1,000"
                )
        if len(found.polygon) < 2:
            passed_over.append(found.label)
        elif value >= 0:
            yield value, found.polygon


def _paint(
    objects: Iterable[tuple[int, list[Point]]], height: int, width: int
) -> NDArray[np.uint16]:
    """Return a map on which objects are painted with their values, later ones over earlier ones."""
    painted = np.zeros((height, width), np.uint16)
    waiting = iter(objects)
    # Pillow fills images of 8 bits several times as fast as those of 32, which the official drawer
    # takes; the outlines are the same. An image has room for the numbers of 255 objects.
    while batch := [*islice(waiting, 255)]:
        layer = Image.new("L", (width, height))
        drawing = ImageDraw.Draw(layer)
        values = np.zeros(256, np.uint16)
        for number, (value, points) in enumerate(batch, 1):
            drawing.polygon(points, fill=number)
            values[number] = value
        numbers = np.asarray(layer)
        np.copyto(painted, cv2.LUT(numbers, values), where=numbers > 0)
    return painted


def _find_label(name: str) -> tuple[Label | None, bool]:
    """Return the label of a name, and whether it is a group: only if no label has this name."""
    if name in LABELS_BY_NAME:
        return LABELS_BY_NAME[name], False
    label = LABELS_BY_NAME.get(name.removesuffix(_GROUP))
    return label, label is not None
