"""Pages that are saved: the same whatever the user's settings are."""

import os
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures.figures import plain_text, save_page


def draw(figure: Figure) -> None:
    figure.suptitle(plain_text("$x^$ 汽车"))
    figure.add_subplot().plot([1, 3, 2])


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.b.PDF", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_the_ending_says_which_file_is_written(name: str, start: bytes, tmp_path: Path) -> None:
    pages = []
    for settings in {}, {"savefig.bbox": "tight", "font.size": 30, "text.usetex": True}:
        with matplotlib.rc_context():
            for key, value in settings.items():
                matplotlib.rcParams[key] = value  # type: ignore[index]
            save_page(draw, (640, 320), tmp_path / name, "--save")
        pages.append((tmp_path / name).read_bytes())
    assert pages[0].startswith(start) and pages[0] == pages[1]
    assert b"CreationDate" not in pages[0] and b"<dc:date>" not in pages[0]
    if name == "a.png":
        with Image.open(tmp_path / name) as picture:
            assert picture.size == (640, 320)
    assert matplotlib.rcParams["font.size"] == 10, "nothing else is changed"


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.png").mkdir()
    with pytest.raises(UserError, match=r"page.png: cannot be written: .*; see --plot"):
        save_page(draw, (640, 320), tmp_path / "page.png", "--plot")
    assert os.listdir(tmp_path / "page.png") == []
