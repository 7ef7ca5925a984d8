"""Files of boxes for the tests: of both kinds, whole or damaged."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = "aachen_000000_000019"
CITY_PERSONS, VALIDATED = "gtBboxCityPersons", "gtBboxValidated"
CLASSES = ["person", "car", "cantsolve", "truck"]


def person(label: str, value: int, box: list[float], visible: list[float]) -> dict[str, Any]:
    return {"instanceId": value, "label": label, "bbox": box, "bboxVis": visible}


# Whole bodies reach out of the frame; numbers are integers or not.
PERSONS = [
    person("pedestrian", 24000, [-3, 2, 30, 60], [0, 2, 20, 60]),
    person("person group", 24, [40, 10, 9, 9], [40, 10, 9, 9]),
    person("rider", 25000, [100, 20, 40, 64.5], [100.0, 20, 30, 43.0]),
    person("sitting person", 24002, [150, 20, 20, 40], [150, 20, 20, 40]),
    person("ignore", 0, [180, 20, 9, 9], [180, 20, 9, 9]),
    person("person (other)", 24001, [195, 90, 0, 9], [195, 90, 0, 9]),
]
# A car, what nobody could tell, a tie, and a truck that nobody voted for.
BOXES: list[dict[str, Any]] = [
    {"bbox": [-4, 2, 20, 12], "soft_label": [0.25, 0.75, 0, 0], "vote_counts": {"car": 3}},
    {"bbox": [50, 2, 60.5, 12], "soft_label": [0.2, 0.2, 0.6, 0.0]},
    {"bbox": [70, 2, 90, 42], "soft_label": [0.5, 0.5, 0.0, 0.0]},
    {
        **{"bbox": [5, 50, 35, 80], "soft_label": [0, 0, 0, 1]},
        "added_from_original_annotations": True,
    },
]
OBJECTS = {CITY_PERSONS: PERSONS, VALIDATED: BOXES}


def describe_box(found: dict[str, Any]) -> dict[str, Any]:
    """The fields that the annotation of an object has, besides the ids and the flags."""
    fields = dict(found)
    x, y, w, h = fields.pop("bbox")
    if "bboxVis" not in found:
        w, h = w - x, h - y
        return fields | {"bbox": [x, y, w, h], "area": w * h}
    visible = found["bboxVis"]
    share = visible[2] * visible[3] / (w * h) if w * h else 0
    fields = {"map_value": found["instanceId"], "vis_bbox": visible, "vis_ratio": share}
    return fields | {"bbox": [x, y, w, h], "area": w * h, "height": h}


def write_boxes(
    datadir: Path,
    kind: str,
    objects: Sequence[object] | None = None,
    name: str = NAME,
    split: str = "train",
    **head: object,
) -> Path:
    """Write one file of boxes as Cityscapes names it, of 200 x 100 pixels, and return its path."""
    path = datadir / kind / split / name.split("_")[0] / f"{name}_{kind}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record: dict[str, object] = {"imgHeight": 100, "imgWidth": 200}
    record |= {"classes": CLASSES} if kind == VALIDATED else {}
    record |= {"objects": OBJECTS[kind] if objects is None else objects} | head
    path.write_text(json.dumps(record))
    return path
