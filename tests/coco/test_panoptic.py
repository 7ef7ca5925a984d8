"""Panoptic files are whole or not there; read by the inspector, they are drawn or refused."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import inspect_coco
from cityscapes_coco.coco.reading import list_stuff, read_coco
from cityscapes_coco.pictures.statistics import draw_statistics
from main import main
from tests.conftest import STREET, WriteMap, convert, fail, posix_only, run, street
from tests.files import PANOPTIC, load, read_folder, touch, write_json

NAME = "aachen_000000_000019"
Files = dict[str, bytes]
FOLDER = PANOPTIC.removesuffix(".json")


@pytest.fixture
def earlier(datadir: Path, write_map: WriteMap) -> dict[str, bytes]:
    """A folder of earlier output, of one map that is another one now."""
    write_map([[26000, 7]])
    convert(datadir, "--panoptic")
    write_map()
    return read_folder(datadir / "annotations")


def test_a_later_run_replaces_both_and_debris(datadir: Path, earlier: Files) -> None:
    for name in "b_gtFine_panoptic.png", ".DS_Store", "Thumbs.db":
        touch(datadir / "annotations" / FOLDER / name)
    convert(datadir, "--panoptic", "--verify")
    later = read_folder(datadir / "annotations")
    assert set(later) == set(earlier)
    assert all(later[name] != earlier[name] for name in earlier)


@pytest.mark.parametrize("workers", [1, 2])
def test_both_files_stay(workers: int, datadir: Path, earlier: Files, write_map: WriteMap) -> None:
    write_map(name="b_000000_000000").write_bytes(b"")
    argv = ["--datadir", str(datadir), "--workers", str(workers), "--panoptic"]
    assert main(argv) == 1
    assert read_folder(datadir / "annotations") == earlier
    assert main([*argv, "--skip-bad", "--verify"]) == 0
    coco = load(datadir / "annotations" / PANOPTIC)
    assert [image["id"] for image in coco["images"]] == [NAME]
    assert coco["info"]["skipped"] == ["b_000000_000000_gtFine_instanceIds.png"]


CARS = [[26000 + number for number in range(40)]]  # the file of instances is the largest


@posix_only
@pytest.mark.parametrize("most", [100, 900, 1500, 2200, 6000])
def test_a_full_disk_is_told(most: int, datadir: Path, earlier: Files, write_map: WriteMap) -> None:
    """Wherever the writing breaks off, one line names the file."""
    import resource

    write_map(CARS if most == 6000 else STREET)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        *_, line = fail(main, "--datadir", datadir, "--panoptic").splitlines()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written: File too large; choose a folder" in line
    assert line.startswith(f"error: {datadir / 'annotations'}{os.sep}")
    assert read_folder(datadir / "annotations") == earlier


def put_a_link(folder: Path) -> None:
    folder.parent.mkdir()
    (folder.parent / "elsewhere").mkdir()
    folder.symlink_to("elsewhere")


def put_a_dangling_link(folder: Path) -> None:
    folder.parent.mkdir()
    folder.symlink_to("nowhere")


PUT: list[tuple[Callable[[Path], object], str]] = [
    *((put, "in the place of the folder") for put in (touch, put_a_link, put_a_dangling_link)),
    (lambda folder: touch(folder / "more" / "a"), "holds more than panoptic maps: more; move it"),
    (lambda folder: touch(folder / "notes"), "holds more than panoptic maps: notes; move it away"),
]


@pytest.mark.parametrize(("put", "says"), PUT)
def test_what_holds_no_maps_stays(put: Callable[[Path], object], says: str, frame: Path) -> None:
    outdir = frame / "annotations"
    put(outdir / FOLDER)
    before = sorted(outdir.rglob("*"))
    *_, line = fail(main, "--datadir", frame, "--panoptic").splitlines()
    assert line.startswith(f"error: {outdir / FOLDER}: ") and says in line
    assert sorted(outdir.rglob("*")) == before


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


def change(path: Path, part: str, **fields: object) -> None:
    """Change the first record of a part of the file."""
    coco = load(path)
    coco[part][0] |= fields
    write_json(path, coco)


def inspect(path: Path, *options: object) -> tuple[int, str, str]:
    return run(inspect_coco.main, "--coco_dir", path.parent.parent, "--panoptic", *options)


def draw(path: Path, *options: object) -> tuple[int, str, str]:
    """Draw the first image."""
    return inspect(path, "--image", NAME, "--save", path.parent / "pictures", *options)


def test_segments_are_counted(path: Path, datadir: Path) -> None:
    convert(datadir, "--panoptic", "train")
    for options in ["--coco", path], ["--panoptic"], ["--panoptic", "--split", "train_trainId"]:
        argv = ["--coco_dir", datadir, "--num_examples", 0, *options]
        code, out, _ = run(inspect_coco.main, *argv)
        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert code == 0 and lines[1:3] == ["class segments images", "road 2 2"]
        assert {"car 6 2", "sky 0 0", "all 12 2", "of these crowds: 2 car"} < set(lines)


STUFF, VOID, THING = (20, 580), (20, 620), (700, 300)  # pixels of the street, 40 times as large


def test_stuff_is_drawn_in_its_colors_and_void_is_not(datadir: Path, write_map: WriteMap) -> None:
    write_map(street().repeat(40, axis=0).repeat(40, axis=1))
    convert(datadir, "--panoptic")
    argv = ["--coco_dir", str(datadir), "--panoptic", "--save", str(datadir / "pictures")]
    assert inspect_coco.main(argv) == 0
    [picture] = (datadir / "pictures").glob("*.png")
    assert picture.name == f"{NAME}_leftImg8bit_panoptic.png"
    with Image.open(picture) as image:
        grey = 96  # of a missing photograph
        assert image.getpixel(VOID)[:3] == (grey, grey, grey)
        mixed = [(grey + value) / 2 for value in (128, 64, 128)]
        assert image.getpixel(STUFF)[:3] == pytest.approx(mixed, abs=1)
        red, green, blue = image.getpixel(THING)[:3]
        assert red > max(green, blue) + 50, "a colour of persons"


def test_statistics_have_the_rows_of_stuff_below_those_of_things(path: Path) -> None:
    figure = Figure()
    draw_statistics(figure, read_coco(path), "train")
    assert (
        figure.get_suptitle()
        == "train: 2 images, 8 instances, 2 regions of stuff, crowds not counted: 2"
    )
    classes = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert classes[0] == "person" and classes[8] == "road" and len(classes) == 19


def save_as_grey(png: Path) -> None:
    Image.new("L", (24, 16)).save(png)


BAD_PNGS: dict[str, Callable[[Path], object]] = {
    "cannot be read: No such file": Path.unlink,
    "not a PNG file; get it again": lambda png: png.write_bytes(b"no PNG"),
    "has 1 channel(s) of 8 bits, where a panoptic map has three of 8": save_as_grey,
    "has 16 x 24 pixels, not 24 x 16": lambda png: Image.new("RGB", (16, 24)).save(png),
}


@pytest.mark.parametrize("says", BAD_PNGS)
def test_a_bad_png_file_is_one_line(says: str, path: Path) -> None:
    BAD_PNGS[says](png_of(path))
    code, _, err = draw(path)
    [line] = err.splitlines()
    assert code == 1 and line.startswith(f"error: {png_of(path)}: ") and says in line
    code, out, _ = inspect(path, "--verify")
    assert code == 1 and says in out


def test_a_name_that_leads_out_of_the_folder_is_not_opened(path: Path) -> None:
    png_of(path).rename(path.parent / "elsewhere.png")
    change(path, "annotations", file_name="../elsewhere.png")
    code, _, err = draw(path)
    assert code == 1 and "leads out of this folder, or is empty" in err


def test_segments_without_pixels_are_told(path: Path) -> None:
    with Image.open(png_of(path)) as image:
        pixels = np.array(image)
    Image.fromarray(np.ascontiguousarray(pixels[..., ::-1])).save(png_of(path))
    code, _, err = draw(path)
    assert code == 0
    assert "6 of 6 segments have no pixel in the PNG file; " in err
    assert "; colours in BGR order?" in err


def test_pixels_of_no_segment_are_told(path: Path) -> None:
    noise = np.random.default_rng(0).integers(1, 256, (16, 24, 3), np.uint8)
    noise[0, 0] = 0
    Image.fromarray(noise).save(png_of(path))
    code, out, _ = inspect(path, "--verify")
    assert code == 1 and "  pixels of no segment: 383\n" in out
    code, _, err = draw(path)
    assert code == 0 and "; 383 pixels of the PNG file are of no segment" in err


def test_segments_of_other_categories_than_the_drawn_one_are_segments(path: Path) -> None:
    code, _, err = draw(path, "--category", "car")
    assert code == 0 and "of no segment" not in err


@pytest.mark.parametrize("place", ["annotations/pngs", "pngs"])
def test_png_files_in_another_folder_are_found(place: str, path: Path, datadir: Path) -> None:
    path.with_suffix("").rename(datadir / place)
    assert inspect(path, "--verify")[0] == 0


def test_official_names_lead_to_the_photographs(path: Path, datadir: Path) -> None:
    photograph = datadir / f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"
    Image.new("RGB", (24, 16)).save(touch(photograph))
    change(path, "images", file_name=f"{NAME}_gtFine_leftImg8bit.png")
    code, _, err = draw(path)
    assert (code, err) == (0, "")


def test_of_two_annotations_of_one_image_the_first_has_the_png_file(path: Path) -> None:
    coco = load(path)
    coco["annotations"].append(coco["annotations"][0] | {"file_name": "other.png"})
    assert read_coco(write_json(path, coco)).images[0].seg_file_name == png_of(path).name


def test_a_category_that_does_not_say_so_is_no_stuff(path: Path) -> None:
    coco = load(path)
    del coco["categories"][0]["isthing"]
    stuff = list_stuff(read_coco(write_json(path, coco)))
    assert coco["categories"][0]["id"] not in stuff and coco["categories"][1]["id"] in stuff
