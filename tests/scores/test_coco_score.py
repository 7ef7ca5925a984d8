"""COCO's score, judged by pycocotools' COCOeval."""

from typing import Any

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cityscapes_coco.scores.coco_score import CocoTruth, find_precision, match_category
from tests.conftest import Coco
from tests.oracle import coco_precision

# Boxes of 32 x 32 and 96 x 96 pixels, COCO's bounds of what is small and large, of one pixel more
# and less, and such that lie half and three quarters in each other; an empty one.
SIZES = [(32, 32), (96, 96), (32, 64), (31, 33), (33, 32), (24, 32), (96, 95), (97, 96), (96, 72)]
BOXES = [[0, 0, *size] for size in SIZES] + [[16, 0, 32, 32], [5, 5, 0, 9]]
TRUTH = st.tuples(
    st.sampled_from(BOXES), st.sampled_from([0, 1023, 1024, 1025, 9216, 9217]), st.booleans()
)
GUESS = st.tuples(st.sampled_from(BOXES), st.sampled_from([-1, 0.25, 0.5, 0.75]))
FRAME = st.tuples(st.lists(TRUTH, max_size=6), st.lists(GUESS, max_size=6))


@example([([(BOXES[0], 1024, False)], [(BOXES[1], 0.5)] * 100 + [(BOXES[0], 0.25)])])
@example([([(BOXES[0], 1024, False)], [(BOXES[1], 0.5)] * 99 + [(BOXES[0], 0.25)])])
@settings(max_examples=200)
@given(st.lists(FRAME, min_size=1, max_size=3))
def test_matches_are_those_of_cocoeval(frames: list[Any]) -> None:
    """At the bounds of areas and overlaps, on crowds, for equal scores, and for the 101st."""
    found = []
    annotations: list[Coco] = []
    results: list[Coco] = []
    for number, (truth, guesses) in enumerate(frames, 1):
        boxes, scores = [box for box, _ in guesses], np.array([s for _, s in guesses], float)
        regions, sizes, crowds = zip(*truth, strict=True) if truth else ((), (), ())
        there = CocoTruth(regions, np.array(sizes, float), np.array(crowds, bool))
        areas = np.array([w * h for _, _, w, h in boxes], float)
        if truth or guesses:
            found.append(match_category(boxes, areas, scores, there))
        ids = {"image_id": number, "category_id": 1}
        results += [{**ids, "bbox": box, "score": score} for box, score in guesses]
        for box, area, crowd in truth:
            ids["id"] = len(annotations) + 1
            annotations.append({**ids, "bbox": box, "area": area, "iscrowd": int(crowd)})
    assume(results)
    images = [{"id": number} for number in range(1, len(frames) + 1)]
    coco = {"info": {}, "images": images, "annotations": annotations, "categories": [{"id": 1}]}
    assert (find_precision([found]) == coco_precision(coco, results)).all()
