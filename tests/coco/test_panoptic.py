"""Panoptic files as the inspector reads them: counted, drawn, or refused in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

import inspect_coco
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.statistics import draw_statistics
from tests.conftest import PANOPTIC, Capture, Coco, WriteMap, convert, load, street, write_json

NAME = "aachen_000000_000019"


@pytest.fixture
def path(datadir: Path, write_map: WriteMap) -> Path:
    """The panoptic file of the street, twice. In each frame there is road, five things, of which
    the trailer is void, and a group of cars."""
    write_map(street())
    write_map(street(), name="aachen_000001_000019")
    convert(datadir, "--panoptic")
    return datadir / "annotations" / PANOPTIC


def png_of(path: Path) -> Path:
    return path.with_suffix("") / f"{NAME}_gtFine_panoptic.png"


def save_as_grey(png: Path) -> None:
    with Image.open(png) as image:
        grey = image.convert("L")
    grey.save(png)


def test_segments_are_counted(path: Path, datadir: Path, capsys: Capture) -> None:
    convert(datadir, "--panoptic", "train")
    capsys.readouterr()
    for options in ("--json", path), ("--panoptic",), ("--panoptic", "--split", "train_trainId"):
        argv = ["--coco_dir", str(datadir), "--num_examples", "0", *map(str, options)]
        assert inspect_coco.main(argv) == 0
        lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
        assert lines[1:3] == ["class segments images", "road 2 2"]
        assert {"car 6 2", "sky 0 0", "all 12 2", "of these crowds: 2 car"} < set(lines)


STUFF, VOID, THING = (20, 580), (20, 620), (700, 300)  # pixels of the street, 40 times as large


def test_stuff_and_things_are_drawn_in_the_colours_of_cityscapes_and_void_is_not(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map(street().repeat(40, axis=0).repeat(40, axis=1))
    convert(datadir, "--panoptic")
    argv = ["--coco_dir", str(datadir), "--panoptic", "--save", str(datadir / "pictures")]
    assert inspect_coco.main(argv) == 0
    [picture] = (datadir / "pictures").iterdir()
    assert picture.name == f"{NAME}_leftImg8bit_panoptic.png"
    with Image.open(picture) as image:
        grey = 96  # of a missing photograph
        assert image.getpixel(VOID)[:3] == (grey, grey, grey)
        for place, color in (STUFF, (128, 64, 128)), (THING, (220, 20, 60)):
            mixed = [(grey + value) / 2 for value in color]
            assert image.getpixel(place)[:3] == pytest.approx(mixed, abs=1)


def test_statistics_are_of_things(path: Path, datadir: Path) -> None:
    figure = Figure()
    draw_statistics(figure, read_coco(path), "train")
    assert figure.get_suptitle() == "train: 2 images, 8 instances, 2 crowds not counted"
    classes = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert classes[0] == "person" and len(classes) == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Path.unlink, "cannot be read: No such file"),
        (lambda png: png.write_bytes(b"no PNG"), "not a PNG file; get it again"),
        (save_as_grey, "has 1 channel(s) of 8 bits, where a panoptic map has three of 8"),
        (lambda png: Image.new("RGB", (9, 9)).save(png), "has 9 x 9 pixels, not 24 x 16"),
    ],
)
def test_a_png_file_that_cannot_be_drawn_is_one_line(
    change: Callable[[Path], object], says: str, path: Path, datadir: Path, capsys: Capture
) -> None:
    change(png_of(path))
    argv = ["--coco_dir", str(datadir), "--panoptic", "--image", NAME, "--save", str(datadir)]
    assert inspect_coco.main(argv) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {png_of(path)}: ") and says in line


def test_a_name_that_leads_out_of_the_folder_is_not_opened(
    path: Path, datadir: Path, capsys: Capture
) -> None:
    png_of(path).rename(path.parent / "elsewhere.png")
    coco = load(path)
    coco["annotations"][0]["file_name"] = "../elsewhere.png"
    write_json(path, coco)
    argv = ["--coco_dir", str(datadir), "--panoptic", "--image", NAME, "--save", str(datadir)]
    assert inspect_coco.main(argv) == 1
    assert "has no PNG file in the folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"image_id": None}, "annotations[0].image_id should be an integer or a text, not null"),
        ({"segments_info": {}}, "annotations[0].segments_info should be a list, not an object"),
        ({"segments_info": [{"id": "1"}]}, "segments_info[0].id should be an integer, not a text"),
    ],
)
def test_a_bad_file_is_refused_by_record_and_field(
    record: Coco, says: str, path: Path, datadir: Path, capsys: Capture
) -> None:
    coco = load(path)
    coco["annotations"][0] |= record
    write_json(path, coco)
    assert inspect_coco.main(["--coco_dir", str(datadir), "--panoptic"]) == 1
    assert says in capsys.readouterr().err
