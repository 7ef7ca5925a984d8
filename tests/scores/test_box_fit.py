"""The scale of boxes of a resized image."""

import numpy as np
import pytest

from cityscapes_coco.scores.box_fit import fit_scales
from cityscapes_coco.scores.sampling import Truth

SIZE = np.array([2048.0, 1024.0])
TRUTH = np.array(
    [[100, 400, 60, 40], [900, 450, 30, 80], [1500, 380, 200, 90], [40, 500, 10, 25.0]]
)


@pytest.mark.parametrize("scale", [[2, 2], [0.5, 0.5], [3.2, 1.6], [2048, 1024], [0.01, 0.1]])
@pytest.mark.parametrize("offset", [[0, 0], [0, -256], [300, 100]])
def test_the_scale_and_offset_of_most_boxes_are_found(
    scale: list[float], offset: list[float]
) -> None:
    boxes = TRUTH.copy()
    boxes[:, :2] = (boxes[:, :2] - offset) / scale
    boxes[:, 2:] /= scale
    others = np.array([[7, 7, 33, 9], [np.nan] * 4, [5, 5, 0, 0]])
    truth = Truth(TRUTH, np.arange(4))
    found = [*fit_scales([np.concatenate((boxes, others))], [truth], SIZE)]
    assert any(np.allclose(s, scale, 0.01) and np.allclose(o, offset, 0, 2) for s, o in found)


def test_without_pairs_there_is_no_scale() -> None:
    nothing = np.zeros((0, 4))
    assert [*fit_scales([nothing], [Truth(nothing, np.zeros(0, int))], SIZE)] == []
