"""What is drawn of the records of an image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Coco, annotate, save_map
from tests.pictures.conftest import HEIGHT, PHOTO, WIDTH, example, photograph


@pytest.mark.parametrize("field", ["bbox", "area", "iscrowd", "category_id", "id"])
def test_what_misses_a_field_is_drawn_all_the_same(field: str, data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation[field]
    masks = [drawing.rle for drawing in example(data, coco).drawings]
    assert len(masks) == 3 and all(masks)


def test_instances_of_a_class_differ_in_shade(data: Path, coco: Coco) -> None:
    coco["annotations"] *= 6
    drawings = example(data, coco).drawings
    assert len({drawing.color for drawing in drawings}) == len(drawings) == 18


@pytest.mark.parametrize(
    ("count", "drawn"), [(10, ""), (200, "200 of 200, 10"), (400, "300 of 400, 10")]
)
def test_what_is_drawn_of_an_image_is_bounded(
    count: int, drawn: str, data: Path, coco: Coco
) -> None:
    whole = annotate(np.ones((HEIGHT, WIDTH), np.bool_), id=1, image_id=1, category_id=1)
    coco["annotations"] = [whole] * count
    told = f" (drawn: {drawn} with masks)" if drawn else ""
    assert example(data, coco).title == PHOTO + told


def test_of_16_bits_the_high_ones_are_drawn(data: Path, coco: Coco) -> None:
    grey = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 65_536
    save_map(data / PHOTO, grey)
    assert (example(data, coco).photo == grey[..., None] // 256).all()


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.png", "..\\secret.png", "{}/secret.png", "a/../../secret.png"),
        *("C:x", "", "\0", f"{PHOTO} ", "a" * 5000),
    ],
)
def test_no_name_leads_out_of_the_data_folder_or_to_an_error(
    name: str, data: Path, coco: Coco, tmp_path: Path
) -> None:
    Image.fromarray(photograph()).save(tmp_path / "secret.png")
    coco["images"][0]["file_name"] = name.format(tmp_path)
    assert example(data, coco).note.startswith("no photograph ")


def cut(photo: Path) -> None:
    content = photo.read_bytes()
    photo.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (Path.unlink, "no photograph "),
        (cut, "cannot be read"),
        (lambda photo: Image.new("RGB", (10, 20)).save(photo), "has 10 x 20 pixels, not 800 x 400"),
    ],
)
def test_without_a_photograph_the_background_is_plain_and_says_so(
    spoil: Callable[[Path], object], note: str, data: Path, coco: Coco
) -> None:
    spoil(data / PHOTO)
    drawn = example(data, coco)
    assert note in drawn.note
    assert len(np.unique(drawn.photo)) == 1 and drawn.photo.shape == (HEIGHT, WIDTH, 3)
