"""Examples as figures of matplotlib: the saved file, layers, labels and legend."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cityscapes_coco.pictures.drawings import Example
from cityscapes_coco.pictures.figures import LAYERS, list_layers, save_example
from tests.conftest import Coco
from tests.pictures.conftest import (
    HEIGHT,
    LEGEND,
    PHOTO,
    WIDTH,
    Picture,
    draw,
    example,
    example_of_results,
    photograph,
    predict,
)


def drawn(shown: Example, *layers: str) -> Picture:
    """The picture of an example, without its legend."""
    _, renderer = draw(shown, *layers)
    return np.asarray(renderer.buffer_rgba())[:HEIGHT, :, :3]


def test_a_saved_picture_is_the_photograph_pixel_by_pixel_with_a_legend_below(
    data: Path, coco: Coco
) -> None:
    coco["annotations"] = []
    save_example(example(data, coco), data / "picture.png")
    with Image.open(data / "picture.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape == (HEIGHT + 40 + 14, WIDTH, 3)
    assert (pixels[:HEIGHT] == photograph()).all()
    assert (pixels[HEIGHT:] < 128).any(), "the name of the image"


def test_each_layer_can_be_left_out(data: Path, coco: Coco) -> None:
    shown = example(data, coco)
    layers = list_layers(shown)
    assert layers == LAYERS[:3]
    assert (drawn(shown) == photograph()).all()
    assert all((drawn(shown, layer) != photograph()).any() for layer in layers)
    assert list_layers(example_of_results(data, coco, [])) == LAYERS


def test_boxes_without_masks_are_drawn_and_those_of_the_truth_are_white(
    data: Path, coco: Coco
) -> None:
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    for shown in example(data, coco), example_of_results(data, coco, []):
        picture = drawn(shown, "boxes", "truth")
        assert (picture[60:240, 110:490] == photograph()[60:240, 110:490]).all()
        line = picture[60:240, 99:101]
        assert (line != photograph()[60:240, 99:101]).any()
    assert (line == 255).all(axis=2).any(axis=1).all()


def test_the_smallest_and_the_largest_have_labels_of_at_least_14_pixels(
    data: Path, coco: Coco
) -> None:
    figure, renderer = draw(example(data, coco), *LAYERS)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert texts.keys() == {"person", "bus", "car group"}
    sizes = {name: float(text.get_fontsize()) * 128 / 72 for name, text in texts.items()}
    assert sizes["person"] == pytest.approx(14) and sizes["bus"] > 20
    for text in texts.values():
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.x1 <= WIDTH and box.y0 >= LEGEND and box.y1 <= HEIGHT + LEGEND


def test_labels_of_a_crowded_street_do_not_overlap(data: Path, coco: Coco) -> None:
    person = coco["annotations"][0] | {"segmentation": []}
    coco["annotations"] += [person | {"bbox": [300 + 9 * n, 300, 8, 20]} for n in range(25)]
    figure, renderer = draw(example(data, coco), *LAYERS)
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 28
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:n])


def test_the_legend_counts_each_kind(data: Path, coco: Coco) -> None:
    figure, _ = draw(example(data, coco))
    legend = [text.get_text() for text in figure.axes[1].texts]
    assert legend == [PHOTO, "person  1", "car group  1", "bus  1"]
    _, bus, cars = coco["annotations"]
    shown = example_of_results(data, coco, [predict(bus, 0.876), predict(cars, 0.5)])
    figure, _ = draw(shown, *LAYERS)
    texts = [{text.get_text() for text in axes.texts} for axes in figure.axes]
    assert texts[0] == {"bus 0.88", "car 0.50", "person missed"}
    kinds = {"person missed  1", "car  1", "bus  1", "truth found  1", "truth group  1"}
    assert texts[1] == {PHOTO, *kinds}


def test_names_are_drawn_as_they_are_but_not_without_end(data: Path, coco: Coco) -> None:
    """matplotlib takes text between dollars for a formula."""
    coco["categories"][0]["name"] = "$x^$\n2"
    coco["categories"][2]["name"] = "b" * 10**6
    figure, _ = draw(example(data, coco), *LAYERS)
    labels = {text.get_text() for text in figure.axes[0].texts}
    assert labels == {r"\$x^\$?2", f"{'b' * 147}...", "car group"}


def test_a_missing_photograph_is_told_in_the_picture(data: Path, coco: Coco) -> None:
    (data / PHOTO).unlink()
    figure, _ = draw(example(data, coco))
    texts = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert any(text.startswith(f"no photograph {PHOTO} in ") for text in texts)
