"""What other tools write and pycocotools bears: null, and whole numbers with a point."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET

from cityscapes_coco import UserError
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import PanopticFile
from cityscapes_coco.coco.segmentations import decode_segmentation
from cityscapes_coco.scores.results import read_results
from tests.conftest import GOLDEN_VAL, Coco, load, write_json
from tests.oracle import coco_precision, count_runs, decode, encode

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
NEEDED = {
    "categories": ["id"],
    "images": ["id"],
    "annotations": ["id", "image_id", "category_id", "iscrowd", "area"],
}


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


@pytest.mark.parametrize(("part", "field"), pairs(NULLS))
def test_pycocotools_bears_these_nulls(part: str, field: str) -> None:
    """For masks, or for boxes at least."""
    assert 1 in judge(part, field, None)


@pytest.mark.parametrize(("part", "field"), pairs(INTEGERS))
def test_pycocotools_bears_whole_numbers_with_a_point(part: str, field: str) -> None:
    assert judge(part, field, float(CARS[part][-1][field])) == [1, 1]


@pytest.mark.parametrize(("part", "field"), pairs(NEEDED))
def test_pycocotools_fails_or_misses_an_instance_without_these(part: str, field: str) -> None:
    # A null as the id of an annotation does no harm there, but names no annotation.
    assert (field == "id" and part == "annotations") or 1 not in judge(part, field, None)


@pytest.mark.parametrize(("part", "field"), pairs(NULLS))
def test_a_null_that_pycocotools_bears_is_a_field_left_out(
    part: str, field: str, tmp_path: Path
) -> None:
    coco = load(GOLDEN_VAL)
    coco[part][1][field] = None
    with_null = read_coco(write_json(tmp_path / "null.json", coco))
    del coco[part][1][field]
    without = read_coco(write_json(tmp_path / "without.json", coco))
    assert getattr(with_null, part) == getattr(without, part)


@pytest.mark.parametrize(("part", "field"), pairs(NEEDED))
def test_a_null_in_a_field_that_is_needed_is_named(part: str, field: str, tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    coco[part][1][field] = None
    with pytest.raises(UserError, match=rf"{part}\[1\]\.{field} should be .*, not null"):
        read_coco(write_json(tmp_path / "null.json", coco))


@pytest.mark.parametrize(("part", "field"), pairs(INTEGERS))
def test_a_whole_number_may_have_a_point(part: str, field: str, tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    plain = read_coco(write_json(tmp_path / "plain.json", coco))
    for record in coco[part]:
        record[field] = float(record[field])
    read = read_coco(write_json(tmp_path / "float.json", coco))
    assert getattr(read, part) == getattr(plain, part)


def test_run_lengths_may_have_a_point(tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    counts = count_runs(decode(coco["annotations"][0]["segmentation"], 1024, 2048))
    for annotation, runs in zip(coco["annotations"], ("P5", [*map(float, counts)]), strict=False):
        annotation["segmentation"] = {"size": [1024.0, 2048.0], "counts": runs}
    first, second, *_ = read_coco(write_json(tmp_path / "file.json", coco)).annotations
    assert decode_segmentation(first) == {"size": (1024, 2048), "counts": "P5"}
    assert decode_segmentation(second) == {"size": (1024, 2048), "counts": counts}


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
    result = {"image_id": 1.0, "category_id": 3.0, "score": 1, "bbox": None}
    path = write_json(tmp_path / "results.json", [result | {"segmentation": [[0, 0, 1, 1, 2, 0]]}])
    [read] = read_results(path, read_coco(GOLDEN_VAL))
    assert (read.image_id, read.category_id, read.bbox) == (1, 3, UNSET)
