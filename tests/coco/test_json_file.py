"""What other tools write and pycocotools bears: null, and whole numbers with a point."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET

from cityscapes_coco import UserError
from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import CocoFile, PanopticFile
from cityscapes_coco.coco.segmentations import decode_segmentation
from cityscapes_coco.scores.results import read_results
from tests.conftest import Coco
from tests.files import write_json
from tests.oracle import coco_precision, encode

# By part, the fields that may be null: pycocotools scores boxes or masks all the same.
NULLS = {
    "categories": ["name", "supercategory"],
    "images": ["file_name", "seg_file_name", "width", "height"],
    "annotations": ["bbox", "map_value"],
}
INTEGERS = {
    "categories": ["id"],
    "images": ["id", "width", "height"],
    "annotations": ["id", "image_id", "category_id", "iscrowd", "map_value"],
}
# Without these, pycocotools fails or counts wrong.
NEEDED = {"categories": ["id"], "images": ["id"]}
NEEDED["annotations"] = ["id", "image_id", "category_id", "iscrowd", "area"]


def pairs(fields: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(part, field) for part, names in fields.items() for field in names]


# A file of two cars, with polygons.
CARS: Coco = {
    "info": {},
    "categories": [{"id": 1, "name": "car", "supercategory": "vehicle"}],
    "images": [
        {"id": n, "file_name": f"{n}.png", "seg_file_name": "", "width": 40, "height": 40}
        for n in (1, 2)
    ],
    "annotations": [
        {
            **{"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "area": 400},
            **{"bbox": [0, 0, 20, 20], "segmentation": [[0, 0, 20, 0, 20, 20, 0, 20]]},
            "map_value": 26000,
        }
        for n in (1, 2)
    ],
}


def judge(part: str, field: str, value: object) -> list[float | None]:
    """The AP by pycocotools of results that are the truth, for boxes and for masks, where the truth
    has another value in one field; None where pycocotools fails."""
    mask = np.zeros((40, 40), bool)
    mask[:20, :20] = True
    result = {"category_id": 1, "bbox": [0, 0, 20, 20], "segmentation": encode(mask)}
    results = [result | {"image_id": number, "score": number} for number in (1, 2)]
    coco = copy.deepcopy(CARS)
    coco[part][-1][field] = value
    found: list[float | None] = []
    for kind in "bbox", "segm":
        try:
            precision = coco_precision(coco, results, kind)
            found.append(round(float(precision[..., 0].mean()), 9))
        except (TypeError, AssertionError):
            found.append(None)
    return found


def read(folder: Path, coco: Coco) -> CocoFile:
    return read_coco(write_json(folder / "file.json", coco))


@pytest.mark.parametrize(("part", "field"), pairs(NULLS))
def test_a_null_that_pycocotools_bears_is_no_field(part: str, field: str, tmp_path: Path) -> None:
    """It bears it for masks, or for boxes at least."""
    assert 1 in judge(part, field, None)
    coco = copy.deepcopy(CARS)
    coco[part][-1][field] = None
    with_null = read(tmp_path, coco)
    del coco[part][-1][field]
    assert getattr(with_null, part) == getattr(read(tmp_path, coco), part)


@pytest.mark.parametrize(("part", "field"), pairs(NEEDED))
def test_a_null_in_a_field_that_is_needed_is_named(part: str, field: str, tmp_path: Path) -> None:
    # A null as the id of an annotation does no harm to pycocotools, but names no annotation.
    assert (field == "id" and part == "annotations") or 1 not in judge(part, field, None)
    coco = copy.deepcopy(CARS)
    coco[part][-1][field] = None
    with pytest.raises(UserError, match=rf"{part}\[\d\]\.{field} should be .*, not null"):
        read(tmp_path, coco)


@pytest.mark.parametrize(("part", "field"), pairs(INTEGERS))
def test_a_whole_number_may_have_a_point(part: str, field: str, tmp_path: Path) -> None:
    """So it may to pycocotools."""
    coco = copy.deepcopy(CARS)
    for record in coco[part]:
        record[field] = float(record[field])
    assert judge(part, field, coco[part][-1][field]) == [1, 1]
    assert getattr(read(tmp_path, coco), part) == getattr(read(tmp_path, CARS), part)


def test_run_lengths_may_have_a_point(tmp_path: Path) -> None:
    coco = copy.deepcopy(CARS)
    for annotation, runs in zip(coco["annotations"], ("P5", [5.0, 7.0, 1588.0]), strict=True):
        annotation["segmentation"] = {"size": [40.0, 40.0], "counts": runs}
    first, second = read(tmp_path, coco).annotations
    assert decode_segmentation(first) == {"size": (40, 40), "counts": "P5"}
    assert decode_segmentation(second) == {"size": (40, 40), "counts": [5, 7, 1588]}


def test_segments_and_results_are_mended_too(tmp_path: Path) -> None:
    segment: dict[str, Any] = {"id": 7.0, "category_id": 7.0, "iscrowd": 0.0, "bbox": None}
    coco: Coco = {
        "categories": [{"id": 7.0, "name": "road", "isthing": 0.0, "color": None}],
        "images": [{"id": "2.0", "file_name": None, "width": 6.0, "height": 4.0}],
        "annotations": [{"image_id": "2.0", "file_name": "a.png", "segments_info": [segment]}],
    }
    panoptic = read_coco(write_json(tmp_path / "panoptic.json", coco))
    assert isinstance(panoptic, PanopticFile) and panoptic.records.images[0].id == "2.0"
    assert (panoptic.annotations[0].map_value, panoptic.annotations[0].bbox) == (7, UNSET)
    result = {"image_id": 1.0, "category_id": 1.0, "score": 1, "bbox": None}
    path = write_json(tmp_path / "results.json", [result | {"segmentation": [[0, 0, 1, 1, 2, 0]]}])
    [found] = read_results(open_json(path), read(tmp_path, CARS))
    assert (found.image_id, found.category_id, found.bbox) == (1, 1, UNSET)
