"""COCO's score, judged by pycocotools' COCOeval, with each library that may match."""

from typing import Any
from unittest import mock

import msgspec
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cityscapes_coco.coco.records import Annotation, Result
from cityscapes_coco.scores import coco_score
from cityscapes_coco.scores.coco_score import CocoEvaluation, PycocotoolsEval, Shape
from cityscapes_coco.scores.results import Prediction
from tests.conftest import Coco
from tests.oracle import coco_precision, encode

# Boxes of 32 x 32 and 96 x 96 pixels, COCO's bounds of what is small and large, of one pixel more
# and less, and such that lie half and three quarters in each other; an empty one.
SIZES = [(32, 32), (96, 96), (32, 64), (31, 33), (33, 32), (24, 32), (96, 95), (97, 96), (96, 72)]
BOXES = [[0, 0, *size] for size in SIZES] + [[16, 0, 32, 32], [5, 5, 0, 9]]
TRUTH = st.tuples(
    st.sampled_from(BOXES), st.sampled_from([0, 1023, 1024, 1025, 9216, 9217]), st.booleans()
)
GUESS = st.tuples(st.sampled_from(BOXES), st.sampled_from([-1, 0.25, 0.5, 0.75]))
FRAME = st.tuples(st.lists(TRUTH, max_size=6), st.lists(GUESS, max_size=6))


def read(record: Coco, kind: type[Any]) -> tuple[Any, Any]:
    """Return a record and its mask, as the program has them."""
    fields = {name: value for name, value in record.items() if name != "segmentation"}
    return msgspec.convert(fields, kind), record.get("segmentation")


def as_mask(box: list[int]) -> Any:
    x, y, width, height = box
    mask = np.zeros((110, 110), np.bool_)
    mask[y : y + height, x : x + width] = True
    return encode(mask)


@pytest.mark.parametrize("shape", ["box", "mask"])
@pytest.mark.parametrize("library", dict.fromkeys((PycocotoolsEval, coco_score.StreamingEval)))
@example([([(BOXES[0], 1024, False)], [(BOXES[1], 0.5)] * 100 + [(BOXES[0], 0.25)])])
@example([([(BOXES[0], 1024, False)], [(BOXES[1], 0.5)] * 99 + [(BOXES[0], 0.25)])])
@settings(max_examples=100)
@given(st.lists(FRAME, min_size=1, max_size=3))
def test_precisions_are_those_of_pycocotools(shape: Shape, library: Any, frames: list[Any]) -> None:
    """At the bounds of areas and overlaps, on crowds, for equal scores, and for the 101st; for a
    category that nobody has, for annotations that are counted from 0, and for more images than
    are matched together."""
    coco: Coco = {"info": {}, "images": [], "annotations": [], "categories": [{"id": 3}, {"id": 7}]}
    results: list[Coco] = []
    field, form = ("bbox", list) if shape == "box" else ("segmentation", as_mask)
    with mock.patch.multiple(coco_score, StreamingEval=library, BATCH=2):
        evaluation = CocoEvaluation([shape], {3: "car", 7: "bus"}, with_boxes=shape == "box")
        for number, (truth, guesses) in enumerate(frames, 1):
            coco["images"].append({"id": number, "width": 110, "height": 110})
            ids = {"image_id": number, "category_id": 7}
            there = [
                {**ids, "id": len(coco["annotations"]) + place, "area": area, "iscrowd": int(crowd)}
                | {"bbox": box, field: form(box)}
                for place, (box, area, crowd) in enumerate(truth, 1)
            ]
            chosen = [{**ids, field: form(box), "score": score} for box, score in guesses]
            coco["annotations"] += there
            results += chosen
            evaluation.add(
                (110, 110),
                [read(record | {"id": record["id"] - 1}, Annotation) for record in there],
                [Prediction(*read(record, Result)) for record in chosen],
            )
    assume(results)
    judged = coco_precision(coco, results, "bbox" if shape == "box" else "segm")
    assert (evaluation.find_precision(shape) == judged).all()
