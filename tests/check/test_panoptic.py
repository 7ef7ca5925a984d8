"""The check of panoptic files: what is right passes, each kind of damage is named; and the look at
them, which counts and draws them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import inspect_coco
import main
from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.statistics import draw_statistics
from tests.conftest import (
    PANOPTIC,
    Capture,
    Change,
    Coco,
    WriteMap,
    convert,
    load,
    set_field,
    street,
    write_json,
)

NAME = "aachen_000000_000019"
FOLDER = PANOPTIC.removesuffix(".json")


@pytest.fixture
def path(datadir: Path, write_map: WriteMap) -> Path:
    """The panoptic file of the street, twice. In each frame there is road, five things, of which
    the trailer is void, and a group of cars."""
    write_map(street())
    write_map(street(), name="aachen_000001_000019")
    convert(datadir, "--panoptic")
    return datadir / "annotations" / PANOPTIC


def png_of(path: Path, number: int = 0) -> Path:
    return path.with_suffix("") / f"aachen_{number:06d}_000019_gtFine_panoptic.png"


def check(path: Path) -> Report:
    return verify_file(path, path.parent.parent)


# What is right.


def test_our_own_files_are_all_exact_and_void_is_none_of_them(path: Path) -> None:
    report = check(path)
    rows = {str(row): tally for row, tally in report.rows.items() if tally.in_maps}
    assert {name: tally.exact for name, tally in rows.items()} == {
        "road": 2,
        "person": 2,
        "car": 4,
        "bicycle": 2,
        "car group": 2,
    }
    assert all(tally.exact == tally.in_maps for tally in rows.values())
    assert not report.faults and report.exit_code == 0 and report.frames == 2


def use_numbers(coco: Coco) -> None:
    numbers = {image["id"]: number for number, image in enumerate(coco["images"])}
    for image in coco["images"]:
        image["id"] = numbers[image["id"]]
    for annotation in coco["annotations"]:
        annotation["image_id"] = numbers[annotation["image_id"]]


def leave_out_what_the_official_tool_lacks(coco: Coco) -> None:
    del coco["info"], coco["licenses"]
    for image in coco["images"]:
        image["file_name"] = f"{image['id']}_gtFine_leftImg8bit.png"
    coco["annotations"].reverse()


@pytest.mark.parametrize("change", [use_numbers, leave_out_what_the_official_tool_lacks])
def test_so_are_those_of_other_tools(change: Change, path: Path) -> None:
    coco = load(path)
    change(coco)
    report = check(write_json(path, coco))
    assert not report.faults and report.exit_code == 0


@pytest.mark.parametrize("change", [use_numbers, leave_out_what_the_official_tool_lacks])
def test_segments_of_another_photograph_are_no_match(change: Change, path: Path) -> None:
    """The maps are alike, so that nothing but the names tells which segments are of which."""
    coco = load(path)
    change(coco)
    first, second = coco["annotations"]
    first["image_id"], second["image_id"] = second["image_id"], first["image_id"]
    report = check(write_json(path, coco))
    assert report.faults == {"photograph of another frame": 2} and report.exit_code == 1


# Each kind of damage.


def segment(number: int) -> Callable[[Coco], Coco]:
    return lambda coco: dict.__getitem__(coco["annotations"][0], "segments_info")[number]


def set_in_segment(name: str, value: object, number: int = 0) -> Change:
    return lambda coco: segment(number)(coco).__setitem__(name, value)


def drop_in_segment(name: str) -> Change:
    return lambda coco: segment(0)(coco).pop(name)


def drop_segment(coco: Coco) -> None:
    coco["annotations"][0]["segments_info"].pop()


def add_segment(coco: Coco) -> None:
    segments = coco["annotations"][0]["segments_info"]
    segments.append(segments[-1] | {"id": 33001})


def repeat_segment(coco: Coco) -> None:
    coco["annotations"][0]["segments_info"] *= 2


DAMAGES: dict[str, tuple[Change, set[str], int]] = {
    "area": (set_in_segment("area", 1), {"wrong area"}, 1),
    "bbox": (set_in_segment("bbox", [0, 0, 1, 1]), {"wrong bbox"}, 1),
    "a group as thing": (set_in_segment("iscrowd", 0, 1), {"wrong iscrowd"}, 1),
    "a number that is neither": (set_in_segment("iscrowd", 2, 1), {"wrong iscrowd"}, 1),
    "stuff as group": (set_in_segment("iscrowd", 1), {"wrong iscrowd"}, 1),
    "category": (set_in_segment("category_id", 8), {"wrong category"}, 1),
    "no such category": (set_in_segment("category_id", 99), {"wrong category", "wrong id"}, 1),
    "a segment lost": (drop_segment, {"lost", "pixels of no segment"}, 1),
    "a segment too many": (
        add_segment,
        {"unexpected", "segment without pixels", "wrong map_value"},
        1,
    ),
    "a segment twice": (repeat_segment, {"unexpected", "wrong id", "wrong map_value"}, 1),
    "void as segment": (
        set_in_segment("id", 0),
        {"inexact", "pixels of no segment", "segment without pixels", "wrong id"}
        | {"wrong map_value"},
        1,
    ),
    "no area": (drop_in_segment("area"), {"missing field"}, 3),
    "no annotation": (
        lambda coco: coco["annotations"].pop(),
        {"lost", "wrong id", "PNG file that cannot be read"},
        1,
    ),
    "no image": (lambda coco: coco["images"].pop(), {"map without an image", "wrong id"}, 1),
    "an image twice": (
        lambda coco: coco["images"].append(coco["images"][0]),
        {"lost", "wrong id", "PNG file that cannot be read"},
        1,
    ),
    "size": (set_field("images", "width", 7), {"wrong image size"}, 3),
    "no isthing": (lambda coco: coco["categories"][0].pop("isthing"), {"missing field"}, 3),
    "stuff as thing": (set_field("categories", "isthing", 1), {"wrong isthing"}, 3),
    "an unknown class": (
        set_field("categories", "name", "tree", 8),
        {"unknown category"},
        3,
    ),
    "a PNG file elsewhere": (
        set_field("annotations", "file_name", "../elsewhere.png"),
        {"image without a map", "map without an image"},
        1,
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_the_json_file_is_named(damage: str, path: Path) -> None:
    change, kinds, code = DAMAGES[damage]
    coco = load(path)
    change(coco)
    report = check(write_json(path, coco))
    assert (set(report.faults), report.exit_code) == (kinds, code), report.culprits


def paint(*pixel: int) -> Callable[[Path], None]:
    """Change one pixel of the PNG file, on the road."""

    def change(png: Path) -> None:
        with Image.open(png) as image:
            pixels = np.array(image)
        pixels[0, 0] = pixel
        Image.fromarray(pixels).save(png)

    return change


def save_as(mode: str) -> Callable[[Path], None]:
    def change(png: Path) -> None:
        with Image.open(png) as image:
            converted = image.convert(mode)
        converted.save(png)

    return change


def flip_a_bit_of_the_checksum(png: Path) -> None:
    """Change the checksum of the chunk with the pixels, which Pillow does not look at."""
    content = bytearray(png.read_bytes())
    content[-13] ^= 1
    png.write_bytes(content)


BROKEN = {"PNG file that cannot be read", "inexact"}
DAMAGED_PNGS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "one pixel void": (paint(0, 0, 0), {"inexact"}),
    "one pixel of another segment": (paint(26000 % 256, 26000 // 256, 0), {"inexact"}),
    "one pixel of none": (paint(7, 0, 1), {"inexact", "pixels of no segment"}),
    "none": (Path.unlink, BROKEN),
    "no PNG": (lambda png: png.write_bytes(b"no PNG"), BROKEN),
    "cut off": (lambda png: png.write_bytes(png.read_bytes()[:-30]), BROKEN),
    "a bit of a checksum": (flip_a_bit_of_the_checksum, BROKEN),
    "grey": (save_as("L"), BROKEN),
    "a palette": (save_as("P"), BROKEN),
    "opacity": (save_as("RGBA"), BROKEN),
    "another size": (lambda png: Image.new("RGB", (9, 9)).save(png), BROKEN),
}


@pytest.mark.parametrize("damage", DAMAGED_PNGS)
def test_damage_of_a_png_file_is_named(damage: str, path: Path) -> None:
    change, kinds = DAMAGED_PNGS[damage]
    change(png_of(path))
    report = check(path)
    assert (set(report.faults), report.exit_code) == (kinds, 1)
    exact = sum(tally.exact for tally in report.rows.values())
    assert 6 <= exact < 12 and all(
        NAME in line for lines in report.culprits.values() for line in lines
    )


def test_both_programs_check_panoptic_files(path: Path, datadir: Path, capsys: Capture) -> None:
    argv = ["--coco_dir", str(datadir), "--panoptic", "--verify"]
    assert inspect_coco.main(argv) == 0
    assert f"{path}, held against its maps (2)" in capsys.readouterr().out
    png_of(path).unlink()
    assert inspect_coco.main(argv) == 1
    out = capsys.readouterr().out
    assert f"  PNG file that cannot be read: 1\n    {NAME}: {png_of(path)}: cannot be read: " in out
    assert main.main(["--datadir", str(datadir), "--panoptic", "--verify", "--workers", "2"]) == 0
    assert capsys.readouterr().out.count("\n  all exact\n") == 2


# The look at them.


def test_segments_are_counted(path: Path, datadir: Path, capsys: Capture) -> None:
    convert(datadir, "--panoptic", "train")
    capsys.readouterr()
    for options in (
        ["--json", str(path)],
        ["--panoptic"],
        ["--split", "train_trainId", "--panoptic"],
    ):
        argv = ["--coco_dir", str(datadir), "--num_examples", "0", *options]
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
        (save_as("L"), "has 1 channel(s) of 8 bits, where a panoptic map has three of 8"),
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
