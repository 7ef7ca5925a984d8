"""An example as one picture: masks, layers, labels, legend, and the saved file."""

from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from cityscapes_coco.pictures import composing
from cityscapes_coco.pictures.colors import OUTCOME_COLORS
from cityscapes_coco.pictures.composing import LAYERS, compose
from cityscapes_coco.pictures.examples import Example
from cityscapes_coco.pictures.label_places import place_labels
from tests.conftest import Coco
from tests.oracle import decode, encode
from tests.pictures.conftest import HEIGHT, PHOTO, WIDTH, Picture, example, photograph, predict


def written(shown: Example, *layers: str, scale: float = 1) -> dict[str, int]:
    """All texts that are written on a picture, and their sizes in pixels."""
    with mock.patch.object(composing, "write") as write:
        compose(shown, layers, scale)
    return {call.args[3]: call.args[4] for call in write.mock_calls}


def test_a_saved_picture_is_the_photograph_with_a_legend_below(data: Path, coco: Coco) -> None:
    coco["annotations"] = []
    composing.save_example(example(data, coco), data / "picture.png")
    with Image.open(data / "picture.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape == (HEIGHT + 40 + 14, WIDTH, 3)
    assert (pixels[:HEIGHT] == photograph()).all()
    assert (pixels[HEIGHT:] < 128).any(), "the name of the image"


def test_each_layer_can_be_left_out(data: Path, coco: Coco) -> None:
    shown = example(data, coco)
    layers = composing.list_layers(shown)
    assert layers == LAYERS[:3] and composing.list_layers(example(data, coco, [])) == LAYERS
    assert (compose(shown, ())[:HEIGHT] == photograph()).all()
    assert all((compose(shown, (layer,))[:HEIGHT] != photograph()).any() for layer in layers)
    missed = example(data, coco, [])
    assert (compose(missed, ("truth",))[:HEIGHT] != photograph()).any()


def test_boxes_without_masks_are_drawn(data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    for shown in example(data, coco), example(data, coco, []):
        changed = (compose(shown, ("boxes", "truth"))[:HEIGHT] != photograph()).any(axis=2)
        assert changed[50, 100:500].all() and changed[249, 100:500].all()
        assert changed[50:250, 100].all() and changed[50:250, 499].all()
        assert not changed[60:240, 110:490].any()


def test_small_instances_have_small_labels_and_choose_places_first(data: Path, coco: Coco) -> None:
    with mock.patch.object(composing, "place_labels", wraps=place_labels) as place:
        sizes = written(example(data, coco), *LAYERS)
    assert sizes["person"] == 14 and sizes["bus"] > 20
    left, top, right, bottom = place.mock_calls[0].args[0].T
    assert (np.diff((right - left) * (bottom - top)) > 0).all()
    assert written(example(data, coco), *LAYERS, scale=2)["person"] == 28


def test_the_legend_counts_instances_of_classes_or_of_outcomes(data: Path, coco: Coco) -> None:
    texts = [entry.text for entry in composing.list_entries(example(data, coco))]
    assert texts == ["person  1", "car group  1", "bus  1"]
    _, bus, cars = coco["annotations"]
    false = predict(bus, 0.6, category_id=4)
    shown = example(data, coco, [predict(bus, 0.876), predict(cars, 0.5), false])
    assert [entry.text for entry in composing.list_entries(shown)] == [
        "right  2:  1 car, 1 bus",
        "false  1:  1 train",
        "missed  1:  1 person",
        "found  2:  1 car group, 1 bus",
    ]
    assert [entry.text for entry in composing.list_entries(example(data, coco, []))] == [
        "missed  2:  1 person, 1 bus",
        "ignored  1:  1 car group",
    ]
    labels = {"bus 0.88", "car 0.50", "train 0.60", "person missed"}
    assert labels < written(shown, *LAYERS).keys()
    coco["categories"] = [{"id": n, "name": f"class {n}"} for n in range(1, 11)]
    shown = example(data, coco, [predict(bus, 0.9, category_id=n) for n in range(1, 11)])
    assert composing.list_entries(shown)[1].text.endswith(", 1 class 9, ...")


def test_a_note_can_be_read_on_a_bright_photograph(data: Path, coco: Coco) -> None:
    shown = example(data, coco)
    bright = shown._replace(photo=np.full_like(shown.photo, 255), note="a word " * 20)
    page = compose(bright, ())
    lines = (page[:HEIGHT] == 255).all(axis=(1, 2)).argmax()
    assert (page[:4] < 100).all() and (page[:lines] > 200).any()


def test_the_legend_has_as_many_rows_as_it_needs(data: Path, coco: Coco) -> None:
    coco["categories"] = [{"id": n, "name": f"a long class name {n}"} for n in range(1, 9)]
    coco["annotations"] = [coco["annotations"][0] | {"category_id": n} for n in range(1, 9)]
    page = compose(example(data, coco))
    assert page.shape == (HEIGHT + 5 * 40 + 14, WIDTH, 3)
    names = [f"a long class name {n}  1" for n in range(1, 9)]
    assert set(names) < written(example(data, coco)).keys()


def test_stuff_has_neither_label_nor_box_nor_count(data: Path, coco: Coco) -> None:
    shown = example(data, coco)
    stuff = [drawing._replace(is_stuff=True) for drawing in shown.drawings]
    shown = shown._replace(drawings=stuff)
    assert (compose(shown, ("boxes", "labels"))[:HEIGHT] == photograph()).all()
    assert [entry.text for entry in composing.list_entries(shown)] == ["person", "car group", "bus"]


def test_a_narrow_image_has_room_to_say_that_there_is_no_photograph(data: Path, coco: Coco) -> None:
    (data / PHOTO).unlink()
    coco["images"][0] |= {"width": 3, "height": 2}
    coco["annotations"] = []
    shown = example(data, coco)
    assert compose(shown, scale=1.5).shape[1:] == (960, 3)
    assert any(text.startswith(f"no photograph {PHOTO}") for text in written(shown))


def test_boxes_of_any_place_and_size_can_be_drawn(data: Path, coco: Coco) -> None:
    boxes = [(-40.5, 390, 900, 50), (799.6, 1, 0.2, 1), (9, 9, -5, -5), (1e18, -1e18, 1e18, 1)]
    coco["annotations"] = [coco["annotations"][0] | {"bbox": box} for box in boxes]
    with np.errstate(all="raise"):
        compose(example(data, coco))


BUS = np.s_[210:240, 210:390]  # below the hole
CARS = np.s_[310:370, 60:240]


def painted(shown: Example) -> Picture:
    return composing.paint(shown.photo, [*shown.drawings, *(shown.truth or ())])


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


def test_visible_boxes_are_filled_and_ignore_regions_are_hatched(data: Path, coco: Coco) -> None:
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
    assert 0.2 < share_changed(composing.paint(false.photo, false.drawings), BUS) < 0.7


def test_a_prediction_of_no_pixels_paints_nothing(data: Path, coco: Coco) -> None:
    nothing = encode(np.zeros((HEIGHT, WIDTH), bool))
    shown = example(data, coco, [predict(coco["annotations"][1], 0.9, segmentation=nothing)])
    assert [drawing.outcome for drawing in shown.drawings] == ["false"]
    assert (composing.paint(shown.photo, shown.drawings) == photograph()).all()


def test_what_is_found_has_a_white_outline_what_is_missed_is_filled(data: Path, coco: Coco) -> None:
    cars = coco["annotations"][2]
    mask = decode(cars["segmentation"], HEIGHT, WIDTH)
    mask[300:340, 50:100] = False
    cars["segmentation"] = encode(mask)
    shown = example(data, coco, [predict(coco["annotations"][1], 0.9)])
    picture = painted(shown)
    assert (picture[60:240, 100] == 255).all()
    assert (composing.paint(shown.photo, shown.drawings)[60:240, 100] != 255).any(axis=1).all()
    for nothing in np.s_[310:370, 110:240], np.s_[300:330, 50:90]:
        assert share_changed(picture, nothing) == 0, "a group that is found is not filled"
    person = picture[300:320, 600:608]
    assert (person[:2] == OUTCOME_COLORS["missed"]).all(), "the outline"
    assert share_changed(picture, np.s_[300:320, 600:608]) == 1
