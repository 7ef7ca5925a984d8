"""The form of boxes: test_suspicions.py has each; here is which is taken, and when. And the scale
of boxes of a resized image."""

import numpy as np
import pytest

from cityscapes_coco.scores.box_forms import find_reading, fit_scales
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


SIZE = np.array([2048.0, 1024.0])
STREET = np.array(
    [[100, 400, 60, 40], [900, 450, 30, 80], [1500, 380, 200, 90], [40, 500, 9, 25.0]]
)


@pytest.mark.parametrize("scale", [[2, 2], [0.5, 0.5], [3.2, 1.6], [2048, 1024], [0.01, 0.1]])
@pytest.mark.parametrize("offset", [[0, 0], [0, -256], [300, 100]])
def test_the_scale_and_offset_of_boxes_are_found(scale: list[float], offset: list[float]) -> None:
    boxes = STREET.copy()
    boxes[:, :2] = (boxes[:, :2] - offset) / scale
    boxes[:, 2:] /= scale
    others = np.array([[7, 7, 33, 9], [np.nan] * 4, [5, 5, 0, 0]])
    found = [*fit_scales([np.concatenate((boxes, others))], [STREET], SIZE)]
    assert any(np.allclose(s, scale, 0.01) and np.allclose(o, offset, 0, 2) for s, o in found)


def test_a_vote_between_two_cells_counts() -> None:
    box, truth = np.array([[[-185.0, 0, 4, 4]], [[0.0, 0, 4, 4]]])
    _, (scale, offset) = fit_scales([box], [truth], np.array([200.0, 100]))
    assert np.allclose(scale, 1) and np.allclose(offset, [185, 0])


def test_without_pairs_there_is_no_scale() -> None:
    nothing = np.zeros((0, 4))
    assert [*fit_scales([nothing], [nothing], SIZE)] == []
