"""Results beside the truth, as boxes: judged by pycocotools."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.scores import sampling
from cityscapes_coco.scores.results import read_results
from tests.conftest import Coco
from tests.files import write_json
from tests.oracle import box_of, count_runs, encode

SIDES = st.integers(0, 6).map(float)
BOXES = arrays(np.float64, st.tuples(st.integers(1, 4), st.just(4)), elements=SIDES)


@given(BOXES, BOXES)
def test_overlaps_are_those_of_pycocotools(boxes: sampling.Boxes, others: sampling.Boxes) -> None:
    judged: Any = coco_mask.iou(boxes.tolist(), others.tolist(), [0] * len(others))
    assert np.allclose(sampling.measure_overlaps(boxes, others), np.nan_to_num(judged))


def test_a_box_that_is_not_there_lies_on_nothing() -> None:
    boxes = np.array([[np.nan] * 4, [0, 0, -3, -3], [1, 1, 2, 2]])
    assert sampling.measure_overlaps(boxes, np.array([[1, 1, 2, 2.0]])).tolist() == [[0], [0], [1]]


def sample(truth: Any, boxes: Any, **fields: Any) -> sampling.Sample:
    there = sampling.Truth(np.array(truth, np.float64).reshape(-1, 4), np.arange(len(truth)) + 1)
    categories = np.array(fields.get("categories", range(1, len(boxes) + 1)))
    scores = np.array(fields.get("scores", [0.5] * len(boxes)), np.float64)
    array = np.array(boxes, np.float64).reshape(-1, 4)
    return sampling.Sample(1, (100, 100), there, categories, scores, {"box": array})


def test_instances_are_counted_once() -> None:
    truth = [[0, 0, 10, 10], [50, 50, 10, 10], [80, 80, 5, 5]]
    there = sample(truth, [[0, 0, 10, 9], [0, 0, 9, 10], [50, 50, 10, 4]])
    nothing = sample([], [[0, 0, 1, 1]])
    assert sampling.count_found([there, nothing], [there.boxes["box"], nothing.boxes["box"]]) == 1
    assert sampling.count_possible([there, nothing, sample(truth, [[0, 0, 1, 1]])]) == 3 + 0 + 1


def test_of_results_on_an_instance_the_best_counts_and_each_counts_once() -> None:
    truth = [[0, 0, 10, 10], [0, 0, 10, 14]]
    boxes = [[0, 0, 10, 11], [0, 0, 10, 10], [0, 0, 10, 14], [90, 90, 5, 5]]
    scores = [0.9, 0.4, 0.3, 1]
    there = sample(truth, boxes, categories=[7, 8, 9, 6], scores=scores)
    # The first lies on both, and more on the first.
    assert sampling.list_found(there, there.boxes["box"]) == [(7, 1), (9, 2)]
    assert sampling.list_found(sample([], boxes), np.array(boxes, np.float64)) == []


def test_things_are_spread_evenly_from_the_first_to_the_last() -> None:
    assert sampling.spread(range(10), 4) == [0, 3, 6, 9]
    assert sampling.spread("abc", 5) == ["a", "b", "c"]


MASK = np.zeros((4, 6), bool)
MASK[1:3, 2:5] = True
LINE = np.zeros((4, 6), bool)
LINE[2, 5] = LINE[3, 0] = True  # along the rows, one run


def read_samples(folder: Path, results: list[Coco]) -> list[sampling.Sample]:
    image = {"id": 3, "file_name": "a.png", "width": 6, "height": 4}
    crowd = {"id": 2, "image_id": 3, "category_id": 1, "iscrowd": 1, "area": 1, "bbox": [0] * 4}
    thing = crowd | {"id": 1, "iscrowd": 0, "bbox": [2, 1, 3, 2]}
    coco = {"images": [image], "categories": [{"id": 1, "name": "car"}]}
    path = write_json(folder / "coco.json", coco | {"annotations": [thing, crowd]})
    of_trainer = write_json(folder / "results.json", results)
    read = read_coco(path)
    return sampling.sample_images(path, of_trainer, read, read_results(open_json(of_trainer), read))


RESULT: Coco = {"image_id": 3, "category_id": 1, "score": 0.5}


@pytest.mark.parametrize("compressed", [True, False])
def test_masks_are_bounded_in_each_way_to_read_them(compressed: bool, tmp_path: Path) -> None:
    def describe(mask: Any) -> Coco:
        return encode(mask) if compressed else {"size": [4, 6], "counts": count_runs(mask)}

    # The run lengths of a mask along its rows, and down its columns those of another one.
    rows = np.asarray(LINE, bool).ravel().reshape(6, 4).T
    masks = MASK, rows, np.zeros((4, 6), bool), np.ones((4, 6), bool)
    results = [RESULT | {"segmentation": describe(mask)} for mask in masks]
    [there] = read_samples(tmp_path, results)
    assert there.boxes["mask"][0].tolist() == [*box_of(MASK)] == [2, 1, 3, 2]
    assert there.boxes["along rows"][1].tolist() == [0, 2, 6, 2]
    assert np.isnan(there.boxes["mask"][2]).all() and np.isnan(there.boxes["inverted"][3]).all()
    assert there.boxes["mask"][3].tolist() == there.boxes["inverted"][2].tolist() == [0, 0, 6, 4]
    assert "box" not in there.boxes and there.truth.boxes.tolist() == [[2, 1, 3, 2]]


def test_a_polygon_is_bounded_where_it_is(tmp_path: Path) -> None:
    polygons = [[-3, 1, 2, 1, 2, 9], [0.5, 0.25, 1, 1, 1, 0.5]]
    [there] = read_samples(tmp_path, [RESULT | {"segmentation": polygons, "bbox": [0, 0, 2, 2]}])
    assert there.boxes["mask"].tolist() == [[-3, 0.25, 5, 8.75]]
    assert np.isnan(there.boxes["along rows"]).all()
    assert there.boxes["box"].tolist() == [[0, 0, 2, 2]]


def test_the_best_results_are_taken(tmp_path: Path) -> None:
    results = [RESULT | {"score": n / 100, "bbox": [n, 0, 1, 1]} for n in range(60)]
    [there] = read_samples(tmp_path, results)
    assert there.boxes["box"][:, 0].tolist() == [*range(59, 9, -1)]
    assert there.scores[0] == 0.59 and there.size == (4, 6)
