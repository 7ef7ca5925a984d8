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
from tests.conftest import (
    PANOPTIC,
    STREET,
    Capture,
    Coco,
    WriteMap,
    convert,
    load,
    posix_only,
    read_folder,
    street,
    touch,
    write_json,
)

NAME = "aachen_000000_000019"
FOLDER = PANOPTIC.removesuffix(".json")


@pytest.fixture
def earlier(datadir: Path, write_map: WriteMap) -> dict[str, bytes]:
    """A folder of earlier output, of one map that is another one now."""
    write_map([[26000, 7]])
    convert(datadir, "--panoptic")
    write_map()
    return read_folder(datadir / "annotations")


def test_a_later_run_replaces_both(datadir: Path, earlier: dict[str, bytes]) -> None:
    touch(datadir / "annotations" / FOLDER / "b_gtFine_panoptic.png")
    convert(datadir, "--panoptic", "--verify")
    later = read_folder(datadir / "annotations")
    assert set(later) == set(earlier)
    assert all(later[name] != earlier[name] for name in earlier)


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_bad_map_the_earlier_files_are_there_and_nothing_else(
    workers: int, datadir: Path, earlier: dict[str, bytes], write_map: WriteMap, capsys: Capture
) -> None:
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
@pytest.mark.parametrize(
    ("most", "values"),
    [*((most, STREET) for most in (100, 900, 1500, 2200)), (6000, CARS)],
)
def test_on_a_disk_that_takes_no_more_the_earlier_files_stay(
    most: int,
    values: object,
    datadir: Path,
    earlier: dict[str, bytes],
    write_map: WriteMap,
    capsys: Capture,
) -> None:
    """Wherever the writing breaks off, one line names the file."""
    import resource

    write_map(values)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        code = main(["--datadir", str(datadir), "--workers", "1", "--panoptic"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    line = capsys.readouterr().err.splitlines()[-1]
    assert code == 1 and "cannot be written: File too large; choose a folder" in line
    assert line.startswith(f"error: {datadir / 'annotations'}{os.sep}")
    assert read_folder(datadir / "annotations") == earlier


def put_a_file(folder: Path) -> None:
    touch(folder)


def put_a_note_into_it(folder: Path) -> None:
    touch(folder / "notes.txt")


def put_a_folder_into_it(folder: Path) -> None:
    (folder / "more").mkdir(parents=True)


def put_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(parents=True)
    folder.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("put", "says"),
    [
        (put_a_file, "in the place of the folder"),
        (put_a_link, "in the place of the folder"),
        (put_a_folder_into_it, "holds more than panoptic maps: more; move it away, or"),
        (put_a_note_into_it, "holds more than panoptic maps: notes.txt; move it away, or"),
    ],
)
def test_what_is_no_folder_of_panoptic_maps_is_not_replaced(
    put: Callable[[Path], None], says: str, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    outdir = datadir / "annotations"
    put(outdir / FOLDER)
    before = sorted(outdir.rglob("*"))
    assert main(["--datadir", str(datadir), "--workers", "1", "--panoptic"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: {outdir / FOLDER}: ") and says in line
    assert sorted(outdir.rglob("*")) == before


def test_what_the_system_puts_into_the_folder_is_replaced(
    datadir: Path, earlier: dict[str, bytes]
) -> None:
    touch(datadir / "annotations" / FOLDER / ".DS_Store")
    touch(datadir / "annotations" / FOLDER / "Thumbs.db")
    convert(datadir, "--panoptic")
    assert set(read_folder(datadir / "annotations")) == set(earlier)


# As the inspector reads them.


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
    for options in ("--coco", path), ("--panoptic",), ("--panoptic", "--split", "train_trainId"):
        argv = ["--coco_dir", str(datadir), "--num_examples", "0", *map(str, options)]
        assert inspect_coco.main(argv) == 0
        lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
        assert lines[1:3] == ["class segments images", "road 2 2"]
        assert {"car 6 2", "sky 0 0", "all 12 2", "of these crowds: 2 car"} < set(lines)


STUFF, VOID, THING = (20, 580), (20, 620), (700, 300)  # pixels of the street, 40 times as large


def test_stuff_is_drawn_in_the_colours_of_cityscapes_and_void_is_not(
    datadir: Path, write_map: WriteMap
) -> None:
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


def test_segments_without_pixels_are_told_on_the_picture(
    path: Path, datadir: Path, capsys: Capture
) -> None:
    with Image.open(png_of(path)) as image:
        pixels = np.array(image)
    Image.fromarray(np.ascontiguousarray(pixels[..., ::-1])).save(png_of(path))
    argv = ["--coco_dir", str(datadir), "--panoptic", "--image", NAME, "--save", str(datadir / "p")]
    assert inspect_coco.main(argv) == 0
    err = capsys.readouterr().err
    assert "6 of 6 segments have no pixel in the PNG file; colours in BGR order?" in err


def test_noise_in_a_png_file_is_checked_within_bounds(
    path: Path, datadir: Path, capsys: Capture
) -> None:
    noise = np.random.default_rng(0).integers(1, 256, (16, 24, 3), np.uint8)
    Image.fromarray(noise).save(png_of(path))
    argv = ["--coco_dir", str(datadir), "--panoptic", "--verify"]
    assert inspect_coco.main(argv) == 1
    assert "  pixels of no segment: 384\n" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["annotations/pngs", "pngs"])
def test_png_files_in_another_folder_are_found(place: str, path: Path, datadir: Path) -> None:
    path.with_suffix("").rename(datadir / place)
    assert inspect_coco.main(["--coco_dir", str(datadir), "--panoptic", "--verify"]) == 0


def test_official_names_of_photographs_lead_to_the_photographs(
    path: Path, datadir: Path, capsys: Capture
) -> None:
    folder = datadir / "leftImg8bit" / "train" / "aachen"
    folder.mkdir(parents=True)
    Image.new("RGB", (24, 16)).save(folder / f"{NAME}_leftImg8bit.png")
    coco = load(path)
    coco["images"][0]["file_name"] = f"{NAME}_gtFine_leftImg8bit.png"
    write_json(path, coco)
    argv = ["--coco_dir", str(datadir), "--panoptic", "--image", NAME, "--save", str(datadir / "p")]
    capsys.readouterr()
    assert inspect_coco.main(argv) == 0
    assert capsys.readouterr().err == ""


def test_of_two_annotations_of_one_image_the_first_has_the_png_file(path: Path) -> None:
    coco = load(path)
    coco["annotations"].append(coco["annotations"][0] | {"file_name": "other.png"})
    assert read_coco(write_json(path, coco)).images[0].seg_file_name == png_of(path).name


def test_a_category_that_does_not_say_so_is_no_stuff(path: Path) -> None:
    coco = load(path)
    del coco["categories"][0]["isthing"]
    stuff = list_stuff(read_coco(write_json(path, coco)))
    assert coco["categories"][0]["id"] not in stuff and coco["categories"][1]["id"] in stuff


def test_a_dangling_link_in_the_folders_place_stays(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    folder = datadir / "annotations" / FOLDER
    folder.parent.mkdir()
    folder.symlink_to("nowhere")
    assert main(["--datadir", str(datadir), "--workers", "1", "--panoptic"]) == 1
    assert "in the place of the folder" in capsys.readouterr().err and folder.is_symlink()


def test_a_png_file_of_transposed_size_is_told(path: Path, datadir: Path, capsys: Capture) -> None:
    Image.new("RGB", (16, 24)).save(png_of(path))
    assert inspect_coco.main(["--coco_dir", str(datadir), "--panoptic", "--verify"]) == 1
    assert "has 16 x 24 pixels, not 24 x 16" in capsys.readouterr().out
