"""An image with its photograph: found, missing, or damaged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Coco, save_map
from tests.pictures.conftest import HEIGHT, PHOTO, WIDTH, example, photograph, predict


def test_each_instance_has_a_colour_of_its_own(data: Path, coco: Coco) -> None:
    coco["annotations"] *= 5
    drawings = example(data, coco).drawings
    assert len({(drawing.name, drawing.color) for drawing in drawings}) == len(drawings) == 15
    assert example(data, coco).drawings[0].color == drawings[0].color, "the same each time"


def test_large_ones_come_first(data: Path, coco: Coco) -> None:
    names = ["bus", "car", "person"]
    assert [drawing.name for drawing in example(data, coco).drawings] == names
    results = [predict(annotation, 0.9) for annotation in coco["annotations"]]
    shown = example(data, coco, results)
    assert [[d.name for d in side] for side in (shown.drawings, shown.truth or ())] == [names] * 2


def test_of_16_bits_the_high_ones_are_drawn(data: Path, coco: Coco) -> None:
    grey = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 65_536
    save_map(data / PHOTO, grey)
    assert (example(data, coco).photo == grey[..., None] // 256).all()


NAMES = ["../secret.png", "..\\secret.png", "{}/secret.png", "a/../../secret.png", "C:x", "", "\0"]


@pytest.mark.parametrize("name", [*NAMES, f"{PHOTO} ", "a" * 5000])
def test_no_name_leaves_the_folder(name: str, data: Path, coco: Coco, tmp_path: Path) -> None:
    Image.fromarray(photograph()).save(tmp_path / "secret.png")
    coco["images"][0]["file_name"] = name.format(tmp_path)
    note = example(data, coco).note
    assert note.startswith("no photograph ") and len(note) < 500


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
