"""What is painted on a photograph, pixel by pixel."""

from pathlib import Path

import numpy as np

from cityscapes_coco.pictures.drawings import Example
from cityscapes_coco.pictures.painting import paint
from tests.conftest import Coco
from tests.oracle import decode, encode
from tests.pictures.conftest import (
    HEIGHT,
    WIDTH,
    Picture,
    example,
    example_of_results,
    photograph,
    predict,
)

BUS = np.s_[210:240, 210:390]  # below the hole
CARS = np.s_[310:370, 60:240]


def painted(shown: Example) -> Picture:
    return paint(shown.photo, [*shown.drawings, *(shown.truth or ())])


def share_changed(picture: Picture, where: tuple[slice, slice]) -> float:
    return float((picture[where] != photograph()[where]).any(axis=2).mean())


def test_masks_are_filled_and_holes_are_not(data: Path, coco: Coco) -> None:
    picture, photo = painted(example(data, coco)).astype(int), photograph().astype(int)
    assert (picture[110:190, 210:390] == photo[110:190, 210:390]).all(), "the hole"
    # Cityscapes' colour of a bus, half of it.
    assert (abs(picture[BUS] - (photo[BUS] + (0, 60, 100)) / 2) <= 1).all()
    assert (picture[60:240, 101] == picture[150, 101]).all(), "the outline"
    assert (picture[150, 101] > (0, 60, 100)).all()


def test_groups_are_hatched(data: Path, coco: Coco) -> None:
    assert 0.2 < share_changed(painted(example(data, coco)), CARS) < 0.7


def test_without_masks_nothing_is_painted(data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    assert (painted(example(data, coco)) == photograph()).all()


def test_false_predictions_are_hatched_and_right_ones_are_filled(data: Path, coco: Coco) -> None:
    bus = coco["annotations"][1]
    false = example_of_results(data, coco, [predict(bus, 0.9, category_id=4)])
    assert 0.2 < share_changed(painted(false), BUS) < 0.7
    right = example_of_results(data, coco, [predict(bus, 0.9)])
    assert (painted(right)[BUS] == painted(example(data, coco))[BUS]).all()


def test_a_prediction_of_no_pixels_paints_nothing(data: Path, coco: Coco) -> None:
    nothing = encode(np.zeros((HEIGHT, WIDTH), bool))
    results = [predict(coco["annotations"][1], 0.9, segmentation=nothing)]
    shown = example_of_results(data, coco, results)
    assert (paint(shown.photo, shown.drawings) == photograph()).all()


def test_the_truth_over_predictions_is_a_white_outline(data: Path, coco: Coco) -> None:
    cars = coco["annotations"][2]
    mask = decode(cars["segmentation"], HEIGHT, WIDTH)
    mask[300:340, 50:100] = False
    cars["segmentation"] = encode(mask)
    shown = example_of_results(data, coco, [predict(coco["annotations"][1], 0.9)])
    picture = painted(shown)
    assert (picture[60:240, 100] == 255).all()
    assert (paint(shown.photo, shown.drawings)[60:240, 100] != 255).any(axis=1).all()
    for nothing in np.s_[310:370, 110:240], np.s_[300:330, 50:90]:
        assert share_changed(picture, nothing) == 0, "neither filled nor in a box"
