"""What is painted on a photograph, pixel by pixel."""

from pathlib import Path

import numpy as np

from cityscapes_coco.pictures.colors import OUTCOME_COLORS
from cityscapes_coco.pictures.composing import compose
from cityscapes_coco.pictures.examples import Example
from cityscapes_coco.pictures.painting import paint
from tests.conftest import Coco
from tests.oracle import decode, encode
from tests.pictures.conftest import HEIGHT, WIDTH, Picture, example, photograph, predict

BUS = np.s_[210:240, 210:390]  # below the hole
CARS = np.s_[310:370, 60:240]


def painted(shown: Example) -> Picture:
    return paint(shown.photo, [*shown.drawings, *(shown.truth or ())])


def share_changed(picture: Picture, where: tuple[slice, slice]) -> float:
    return float((picture[where] != photograph()[where]).any(axis=2).mean())


def test_masks_are_filled_and_holes_are_not(data: Path, coco: Coco) -> None:
    shown = example(data, coco)
    picture, photo = painted(shown).astype(int), photograph().astype(int)
    assert (picture[110:190, 210:390] == photo[110:190, 210:390]).all(), "the hole"
    bus = shown.drawings[0]
    wanted = 0.3 * photo[BUS] + 0.7 * np.array(bus.color)
    assert bus.name == "bus" and (abs(picture[BUS] - wanted) <= 1).all()
    assert (picture[60:240, 101] == bus.line_color).all(), "the outline"
    assert sum(bus.line_color) > sum(bus.color)


def test_groups_are_hatched(data: Path, coco: Coco) -> None:
    assert 0.2 < share_changed(painted(example(data, coco)), CARS) < 0.7


def test_without_masks_nothing_is_painted(data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    assert (painted(example(data, coco)) == photograph()).all()


def test_of_a_body_the_visible_box_is_filled_and_ignore_regions_are_hatched(
    data: Path, coco: Coco
) -> None:
    person, bus, cars = coco["annotations"]
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    bus |= {"bbox": [-50, 50, 550, 200], "vis_bbox": [-50, 50, 200, 200], "ignore": 0}
    cars["ignore"] = 1
    person["vis_bbox"] = [900, 0, 10, 10]  # outside of the frame
    shown = example(data, coco)
    assert [drawing.label for drawing in shown.drawings] == ["bus", "ignore region", "person"]
    picture = painted(shown)
    assert share_changed(picture, np.s_[60:240, 10:140]) == 1
    assert share_changed(picture, np.s_[60:240, 160:490]) == 0
    assert 0.2 < share_changed(picture, CARS) < 0.7
    assert share_changed(picture, np.s_[300:320, 600:608]) == 0
    outlined = compose(shown, ["boxes"])
    assert share_changed(outlined[:HEIGHT], np.s_[48:52, 0:500]) > 0.5, "the whole body"


def test_right_predictions_are_filled_and_false_ones_are_hatched(data: Path, coco: Coco) -> None:
    bus = coco["annotations"][1]
    shown = example(data, coco, [predict(bus, 0.9)])
    wanted = 0.3 * photograph()[BUS] + 0.7 * np.array(OUTCOME_COLORS["right"])
    assert (abs(painted(shown)[BUS] - wanted) <= 1).all()
    false = example(data, coco, [predict(bus, 0.9, category_id=4)])
    assert 0.2 < share_changed(paint(false.photo, false.drawings), BUS) < 0.7


def test_a_prediction_of_no_pixels_paints_nothing(data: Path, coco: Coco) -> None:
    nothing = encode(np.zeros((HEIGHT, WIDTH), bool))
    shown = example(data, coco, [predict(coco["annotations"][1], 0.9, segmentation=nothing)])
    assert [drawing.outcome for drawing in shown.drawings] == ["false"]
    assert (paint(shown.photo, shown.drawings) == photograph()).all()


def test_what_is_found_has_a_white_outline_and_what_is_missed_is_filled(
    data: Path, coco: Coco
) -> None:
    cars = coco["annotations"][2]
    mask = decode(cars["segmentation"], HEIGHT, WIDTH)
    mask[300:340, 50:100] = False
    cars["segmentation"] = encode(mask)
    shown = example(data, coco, [predict(coco["annotations"][1], 0.9)])
    picture = painted(shown)
    assert (picture[60:240, 100] == 255).all()
    assert (paint(shown.photo, shown.drawings)[60:240, 100] != 255).any(axis=1).all()
    for nothing in np.s_[310:370, 110:240], np.s_[300:330, 50:90]:
        assert share_changed(picture, nothing) == 0, "a group that is found is not filled"
    person = picture[300:320, 600:608]
    assert (person[:2] == OUTCOME_COLORS["missed"]).all(), "the outline"
    assert share_changed(picture, np.s_[300:320, 600:608]) == 1
