"""Polygons made up for tests, and the map that the official drawer makes of a file of them."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

# Labels, groups among them, that the drawer treats each in its own way.
LABELS = ["road", "sky", "static", "car", "person", "cargroup", "roadgroup", "pole", "polegroup"]
LABELS += ["license plate", "license plategroup", "unlabeled"]
DELETED: list[Any] = [0, 1, "0", "", None, False, True]
SQUARE = [[1, 1], [4, 1], [4, 3], [1, 3]]


def polygons(*objects: object, height: object = 6, width: object = 8) -> dict[str, Any]:
    return {"imgHeight": height, "imgWidth": width, "objects": [*objects]}


def of(label: object, polygon: object = SQUARE, **fields: object) -> dict[str, Any]:
    return {"label": label, "polygon": polygon, **fields}


def make_up(dice: Random) -> dict[str, Any]:
    """Make up overlapping polygons, degenerate ones, and ones far out of the frame."""
    height, width = dice.choice([(dice.randint(1, 20), dice.randint(1, 30)), (300, 700)])
    objects = []
    for _ in range(dice.randint(0, 9) if dice.random() < 0.97 else 600):
        far = dice.choice([0, 5, 60, 3000, 60_000])
        number = dice.uniform if dice.random() < 0.2 else dice.randint
        points = [
            [number(-far, width + far), number(-far, height + far)]
            for _ in range(dice.choice([2, 3, 4, 5, 9, 30]))
        ]
        if dice.random() < 0.3:
            points = dice.choice([[[x, points[0][1]] for x, _ in points], points[:1] * 3])
        deleted = {"deleted": dice.choice(DELETED)} if dice.random() < 0.2 else {}
        objects.append(of(dice.choice(LABELS), points, **deleted))
    return polygons(*objects, height=height, width=width)


def draw_officially(path: Path) -> NDArray[Any]:
    official = pytest.importorskip("cityscapesscripts.preparation.json2instanceImg")
    annotation = official.Annotation()
    annotation.fromJsonFile(str(path))
    return np.asarray(official.createInstanceImage(annotation, "ids"))
