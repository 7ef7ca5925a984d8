"""The form of boxes: test_suspicions.py has each; here is which is taken, and when."""

import numpy as np

from cityscapes_coco.scores.box_forms import find_reading
from cityscapes_coco.scores.sampling import Boxes, Sample, Truth

TRUTH = np.array([[20.0 * n, 7.0 * n, 4 + n, 9 - n] for n in range(8)])


def find(boxes: Boxes, truth: Boxes = TRUTH) -> str | None:
    there = Truth(truth, np.ones(len(truth), int))
    categories, scores = np.ones(len(boxes), int), np.ones(len(boxes))
    sample = Sample(1, (100, 200), there, categories, scores, {"box": boxes})
    reading = find_reading([sample], "box")
    return reading and reading.name


def test_boxes_that_lie_on_instances_are_read_as_they_are() -> None:
    assert find(TRUTH) is None
    squares = np.array([[20.0 * n, 7.0 * n, 9, 9] for n in range(8)])
    assert find(squares, squares) is None


def test_of_forms_that_explain_nearly_as_much_the_most_common_is_taken() -> None:
    """Width and height are equal, but for one box that has them the other way round."""
    squares = np.array([[20.0 * n, 7.0 * n, 9, 9] for n in range(30)])
    assert find(squares[:, [1, 0, 2, 3]], squares) == "[y, x, height, width]"
    squares[3, 2:] = 4, 12
    centers = squares + squares[:, [2, 3, 2, 3]] * [0.5, 0.5, 0, 0]
    centers[3, 2:] = 12, 4
    assert find(centers, squares) == "[center x, center y, width, height]"


def test_few_boxes_say_nothing() -> None:
    corners = np.concatenate((TRUTH[:, :2], TRUTH[:, :2] + TRUTH[:, 2:]), axis=1)
    assert find(corners) == "[x1, y1, x2, y2]"
    assert find(corners[:4], TRUTH[:4]) is None
    assert find(corners[:5], TRUTH[:5]) == "[x1, y1, x2, y2]"
    # Nor do they beside many that lie on nothing.
    for others, name in (20, "[x1, y1, x2, y2]"), (21, None):
        boxes = np.concatenate((corners[:5], np.zeros((others, 4))))
        truth = np.concatenate((TRUTH[:5], np.full((others, 4), np.nan)))
        assert find(boxes, truth) == name


def test_boxes_anywhere_have_no_form() -> None:
    """The scale that fits best is not enough."""
    anywhere = np.array([[(37.0 * n) % 190, (23 * n) % 90, 3 + n, 5 + n] for n in range(30)])
    assert find(anywhere) is None
