"""The polygons of a frame drawn once more, for the check.

The converter's way is not used here: the file is read with Python's `json`, the rules are stated
again, and the objects are painted front to back, each on a canvas of its own.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cityscapes_coco.cityscapes.polygons_json import FAR, MOST, MOST_BYTES
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS_BY_NAME
from cityscapes_coco.pixels.png import MOST_PIXELS
from cityscapes_coco.run.files import read_file

# What reading a file of any content may raise.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


def redraw(path: str, *, void_unknown: bool) -> NDArray[np.uint16]:
    """Return the map, shape (height, width), of the polygons in the JSON file at `path`; labels
    that Cityscapes does not have are 0.

    Raises UserError if the file cannot be read or drawn.
    """
    try:
        file = json.loads(read_file(path, MOST_BYTES))
        shape = int(file["imgHeight"]), int(file["imgWidth"])
        if not 0 < shape[0] * shape[1] <= MOST_PIXELS:
            raise ValueError(f"a size of {shape[1]} x {shape[0]}")
        values = _number(file["objects"])
        if None in values and not void_unknown:
            name = str(file["objects"][values.index(None)]["label"])
            raise ValueError(f"the label {name!r}, which Cityscapes does not have")
        return _paint(file["objects"], values, shape)
    except _BROKEN as error:
        raise UserError(path, f"polygons that cannot be drawn: {error}") from error


def _number(objects: Any) -> list[int | None]:
    """Return the value of each object: None for an unknown label, -1 for what is not drawn."""
    values: list[int | None] = []
    seen: dict[str, int] = {}
    for each in objects:
        name = each["label"]
        single = name in LABELS_BY_NAME
        label = LABELS_BY_NAME.get(name if single else name[: -len("group")])
        if each.get("deleted"):
            values.append(-1)
        elif label is None or not (single or name.endswith("group")):
            values.append(None)
        elif single and label.has_instances:
            seen[name] = seen.get(name, -1) + 1
            values.append(label.id * 1000 + seen[name])
        else:
            values.append(label.id)
    if max(seen.values(), default=0) > 999:
        raise ValueError("more than 1,000 objects of a class")
    return values


def _paint(objects: Any, values: list[int | None], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Paint the objects front to back: a pixel belongs to the last object that covers it."""
    height, width = shape
    painted = np.zeros(shape, np.uint16)
    free = np.ones(shape, np.bool_)
    for each, value in zip(reversed(objects), reversed(values), strict=True):
        points = each["polygon"]
        if value == -1 or len(points) < 2:
            continue
        is_near = all(abs(number) <= FAR for point in points for number in point)
        if not is_near or len(points) > MOST:
            raise ValueError(f"the polygon of {each['label']!r} is too long or too far away")
        rows = [int(y) for _, y in points]
        top, bottom = max(min(rows), 0), min(max(rows) + 1, height)
        if top >= bottom:
            continue
        # All columns, as Pillow rounds by where in a row an edge is.
        canvas = Image.new("L", (width, bottom - top))
        ImageDraw.Draw(canvas).polygon([(x, y - top) for x, y in points], fill=1)
        covered = (np.asarray(canvas) > 0) & free[top:bottom]
        painted[top:bottom][covered] = value or 0
        free[top:bottom] &= ~covered
    return painted
