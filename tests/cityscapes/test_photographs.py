"""Photographs are found where people have them, and where the user says they are; which image set
each is of, and which of several is taken."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import inspect_coco
from cityscapes_coco import find_dataset
from cityscapes_coco.cityscapes.dataset import find_root, list_frames
from cityscapes_coco.cityscapes.photographs import locate
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.drawings import Categories
from cityscapes_coco.pictures.examples import Source, load_example
from main import main
from tests.cityscapes.conftest import CLEAR, MAP, PLAIN, STEM, SUFFIX, build, convert, names
from tests.conftest import Capture, fail, run
from tests.files import OUTPUT, ROOT

UNPACKED = "leftImg8bit_a/leftImg8bit"
# The folder of the map; the photograph; the folder that is given; the data folder.
LAYOUTS = [
    ("gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.JPEG", ".", "."),
    ("gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.png.jpg", ".", "."),
    ("gtFine/val/ulm", "leftImg8bit_jpg/val/ulm/<frame>_leftImg8bit.jpg", ".", "."),
    ("gtFine/val/ulm", "images/val/ulm/<frame>.jpg", ".", "."),
    ("gtFine/val/ulm", "images/val/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine/val/ulm", "images/validation/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine/val/ulm", "JPEGImages/<frame>_leftImg8bit.jpg", ".", "."),
    ("gtFine/val/ulm", "val/images/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine/val/ulm", "val/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine/val/ulm", "leftImg8bit_part1/leftImg8bit/val/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.png", "leftImg8bit", "."),
    ("gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.png", "leftImg8bit/val", "."),
    ("gtFine/gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine_a/gtFine/val/ulm", "leftImg8bit/val/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("gtFine_a/gtFine/val/ulm", "leftImg8bit_trainvaltest/val/ulm/<frame>.png", ".", "."),
    ("gtFine_a/gtFine/val/ulm", f"{UNPACKED}/val/ulm/<frame>.png", ".", "."),
    ("gtFine_a/gtFine/val/ulm", f"{UNPACKED}/val/<frame>.png", "leftImg8bit_a", "."),
    ("gtFine_a/gtFine/val/ulm", f"{UNPACKED}/val/<frame>.png", UNPACKED, "."),
    ("a/gtFine_a/gtFine/val/ulm", "a/leftImg8bit_a/leftImg8bit/val/<frame>.png", ".", "a"),
    ("b_trainvaltest/gtFine/val/ulm", "b_trainvaltest/images/<frame>.png", ".", "b_trainvaltest"),
    ("a b/gtFine_a/gtFine/val/ulm", "c d/leftImg8bit_a/leftImg8bit/val/<frame>.png", ".", "."),
    ("a/b/gtFine/val/ulm", "a/b/leftImg8bit/val/ulm/<frame>_leftImg8bit.png", ".", "a/b"),
    ("a/labels/val", "a/images/val/<frame>.png", ".", "a"),
    ("val/gtFine/ulm", "val/leftImg8bit/ulm/<frame>_leftImg8bit.png", ".", "."),
    ("a/val/gtFine", "a/val/images/<frame>.jpg", ".", "."),
]


def documented() -> list[tuple[str, str, str, str]]:
    """The layouts of the docs, in the same form."""
    page = (ROOT / "docs" / "folders.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("`file_name` starts with |\n")
    layouts = []
    for line in rest.partition("\n\n")[0].splitlines()[1:]:
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        map_name, photograph, given, start = cells
        maps, _, name = map_name.rpartition("/")
        assert name == f"<frame>{SUFFIX}" and start in photograph
        layouts.append((maps, photograph, given, photograph.partition(start)[0]))
    return layouts


@pytest.mark.parametrize(("maps", "photograph", "given", "folder"), [*LAYOUTS, *documented()])
def test_maps_and_photographs_are_found_where_people_have_them(
    maps: str, photograph: str, given: str, folder: str, datadir: Path, capsys: Capture
) -> None:
    frame, root = "ulm_000000_000019", datadir / folder
    photograph = photograph.replace("<frame>", frame)
    build(datadir, f"{maps}/{frame}{SUFFIX}", f"{maps}/{frame}_gtFine_color.png", photograph)
    assert main(["--datadir", str(datadir / given), "--verify"]) == 0
    err = capsys.readouterr().err
    assert "not here" not in err and "no map" not in err
    usual = given == "." and maps.startswith("gtFine/val")
    assert ("using the maps in" in err) != usual
    assert inspect_coco.main(["--coco_dir", str(datadir / given), "--verify"]) == 0
    [image] = read_coco(root / "annotations" / OUTPUT.replace("train", "val")).images
    assert root / str(image.file_name) == datadir / photograph
    # The names of --file-names split and base lead there, too.
    for tail in {name := str(image.file_name), name.rpartition("val/")[2], name.rpartition("/")[2]}:
        assert locate(root, tail) == datadir / photograph
        image.file_name = tail
        assert not load_example(Source(datadir, root, Categories({}, {}, {})), image, []).note


def test_sizes_are_compared_wherever_the_photographs_are(datadir: Path, capsys: Capture) -> None:
    build(datadir, MAP, photograph := f"images/{STEM}_leftImg8bit.png")
    Image.new("RGB", (3, 4)).save(datadir / photograph)
    convert(datadir, "--file-names", "base")
    out, err = capsys.readouterr()
    assert f"another size than their map: 1, such as {photograph} (3 x 4, the map 4 x 3)" in err
    assert out.count("photograph of another size than its map: 1") == 2


def test_photographs_of_other_frames_do_not_end_the_search(datadir: Path, capsys: Capture) -> None:
    other = "leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png"
    build(datadir, MAP, other, "leftImg8bit/train/aachen/x.txt", f"a/b/c/{STEM}_leftImg8bit.png")
    build(datadir, f"a/val/{STEM}_leftImg8bit.png")
    assert names(convert(datadir)) == [f"a/b/c/{STEM}_leftImg8bit.png"]
    assert "images that have no map, so left out: 1" in capsys.readouterr().err


def test_two_cities_may_have_frames_of_one_name(datadir: Path) -> None:
    for city in "aachen", "ulm":
        build(datadir, f"gtFine/train/{city}/x{SUFFIX}", f"images/train/{city}/x.png")
    assert names(convert(datadir)) == ["images/train/aachen/x.png", "images/train/ulm/x.png"]


@pytest.mark.parametrize("place", ["", "train/", "train/aachen/", "a/b/c/aachen/"])
def test_the_folder_of_photographs_can_be_named(place: str, datadir: Path, capsys: Capture) -> None:
    elsewhere = datadir.parent / "photos"
    build(datadir, MAP)
    build(elsewhere, f"{place}{STEM}.jpg")
    coco = convert(datadir, imagedir=elsewhere)
    assert f"{elsewhere}: the names of images in the file start here" in capsys.readouterr().err
    assert names(coco) == [f"{place}{STEM}.jpg"]
    assert coco["info"]["options"]["imagedir"] == "../photos"
    assert find_root(datadir, elsewhere) == elsewhere
    # Within the data folder, names start there as usual.
    elsewhere.rename(datadir / "photos")
    coco = convert(datadir, imagedir=datadir / "photos")
    assert names(coco) == [f"photos/{place}{STEM}.jpg"]
    assert coco["info"]["options"]["imagedir"] == "photos"
    assert find_root(datadir, datadir / "photos") == datadir


def test_the_inspector_draws_photographs_of_the_folder_that_is_named(datadir: Path) -> None:
    elsewhere = datadir.parent / "photos"
    build(datadir, MAP)
    build(elsewhere, f"{STEM}_leftImg8bit.png")
    convert(datadir, imagedir=elsewhere)
    argv = ["--coco_dir", datadir, "--coco", datadir.parent / "out" / OUTPUT, "--save", datadir]
    pictures = set()
    for folder in [], ["--imagedir", elsewhere]:
        assert run(inspect_coco.main, *argv, *folder)[0] == 0
        pictures.add((datadir / f"{STEM}_leftImg8bit_instances.png").read_bytes())
    assert len(pictures) == 2


def test_a_named_folder_of_one_split_has_none_of_another(datadir: Path, capsys: Capture) -> None:
    build(datadir, MAP.replace("train", "val"), f"leftImg8bit/train/{STEM[:-2]}07_leftImg8bit.png")
    photographs = datadir / "leftImg8bit" / "train"
    convert(datadir, imagedir=photographs)
    err = capsys.readouterr().err
    assert "maps whose image is not here: 1" in err and "no map" not in err
    convert(datadir, imagedir=photographs.rename(photographs.with_name("val")))
    assert "images that have no map, so left out: 1" in capsys.readouterr().err


def test_of_two_places_the_one_that_is_named_counts(datadir: Path) -> None:
    usual = f"leftImg8bit/train/aachen/{STEM}_leftImg8bit.png"
    build(datadir, MAP, usual, f"small/{usual}")
    coco = convert(datadir, imagedir=datadir / "small")
    assert names(coco) == [f"small/{usual}"]


def test_a_search_has_bounds(datadir: Path, listed: list[str]) -> None:
    """Of other datasets beside this one, no more than a number of folders is listed."""
    build(datadir, MAP)
    for number in range(1200):
        (datadir / f"imagenet/train/n{number}").mkdir(parents=True)
    assert list_frames(find_dataset(datadir), "train").imageless == 1
    assert 1000 <= len(listed) < 1100


def test_folders_of_cities_come_first(datadir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cityscapes_coco.cityscapes.photographs._MOST_FOLDERS", 10)
    build(datadir, MAP, f"b/c/{PLAIN}", *(f"a/c/{number}/x" for number in range(10)))
    assert list_frames(find_dataset(datadir), "train").imageless == 0


@pytest.mark.parametrize(("folder", "found"), [("a/b/c/d/e", True), ("a/b/c/d/e/f", False)])
def test_a_search_goes_five_folders_deep(folder: str, found: bool, datadir: Path) -> None:
    build(datadir, MAP, f"{folder}/{STEM}_leftImg8bit.png")
    assert list_frames(find_dataset(datadir), "train").imageless == (not found)


def test_each_folder_is_listed_once_if_all_is_in_place(datadir: Path, listed: list[str]) -> None:
    build(datadir, MAP, CLEAR, f"leftImg8bit_rain/train/{PLAIN}")
    build(datadir, "imagenet/train/n1/x.png", "imagenet/train/n2/y.png", "videos/x.mp4")
    dataset = find_dataset(datadir)
    listed.clear()
    assert list_frames(dataset, "train").imageless == 0
    expected = {"", "gtFine/train", "gtFine/train/aachen", "leftImg8bit", "leftImg8bit/train"}
    expected |= {"leftImg8bit/train/aachen", "imagenet", "imagenet/train", "videos"}
    expected.add("leftImg8bit_rain")  # but none of the cities in it
    assert sorted(listed) == sorted(str(datadir / name) for name in expected)


FOG = f"aachen/{STEM}_leftImg8bit_foggy_beta_0.02.png"
FOGGY, DBF = f"leftImg8bit_foggy/train/{FOG}", f"leftImg8bit_foggyDBF/train/{FOG}"
FOGGY_PLAIN, AROUND = f"leftImg8bit_foggy/train/{PLAIN}", f"foggy/leftImg8bit/train/{PLAIN}"
IMAGES = f"images/train/{STEM}"
RAIN, SEQUENCE = f"rain/train/{STEM}_rain.jpg", f"leftImg8bit_sequence/train/{PLAIN}"
# What is asked for; what is taken; what is there beside it.
SETS: dict[str, tuple[str, list[str], list[str]]] = {
    "by the ending, in a folder of another name": ("leftImg8bit_foggy_beta_0.02", [DBF], []),
    "by the ending, of two folders": ("leftImg8bit_foggy_beta_*", [FOGGY], [DBF]),
    "by the folder, of two": ("leftImg8bit_foggyDBF", [DBF], [FOGGY]),
    "by two folders": ("leftImg8bit_foggy*", [FOGGY, DBF], []),
    "by the folder, with plain names": ("leftImg8bit_foggy", [FOGGY_PLAIN], [CLEAR]),
    "clear, beside fog with plain names": ("leftImg8bit", [f"images/train/{PLAIN}"], [FOGGY_PLAIN]),
    "clear, beside fog in the same folder": ("leftImg8bit", [CLEAR], [f"leftImg8bit/train/{FOG}"]),
    "no clear one among plain names": ("leftImg8bit rain", [RAIN], [FOGGY_PLAIN]),
    "all there are, by the inner folder": ("*", [f"fog/{FOGGY}", f"fog/{DBF}"], []),
    "rather with an ending": ("leftImg8bit", [f"{IMAGES}_leftImg8bit.jpg"], [f"{IMAGES}.png"]),
    "fog in the same folder": ("*_foggy_*", [f"leftImg8bit/train/{FOG}"], [CLEAR]),
    "fog around the usual folder": ("foggy leftImg8bit", [AROUND, CLEAR], []),
    "an archive's folder": ("leftImg8bit_foggy", [f"leftImg8bit_trainvaltest_foggy/{FOGGY}"], []),
    "rain as JPEG, without cities": ("rain", [RAIN], [CLEAR]),
    "frames out of a sequence": ("*_sequence", [SEQUENCE], [SEQUENCE.replace("0019", "0018")]),
}


@pytest.mark.parametrize("case", SETS)
def test_a_set_is_chosen_by_its_folder_or_the_ending_of_its_files(case: str, datadir: Path) -> None:
    image_sets, expected, beside = SETS[case]
    build(datadir, MAP, *expected, *beside)
    assert sorted(names(convert(datadir, "--images", *image_sets.split()))) == sorted(expected)


def test_a_set_may_be_the_folder_that_is_named(datadir: Path) -> None:
    build(datadir, MAP, FOGGY_PLAIN)
    folder = datadir / "leftImg8bit_foggy"
    assert names(convert(datadir, "--images", folder.name, imagedir=folder)) == [FOGGY_PLAIN]


@pytest.mark.parametrize("name", [FOG, PLAIN])
def test_fog_may_be_in_a_data_folder_of_its_own(name: str, datadir: Path, capsys: Capture) -> None:
    photograph = f"foggy_cityscapes/leftImg8bit_foggy/train/{name}"
    build(datadir, f"cityscapes/{MAP}", f"cityscapes/leftImg8bit/train/{PLAIN}", photograph)
    assert names(convert(datadir, "--images", "leftImg8bit_foggy")) == [photograph]
    assert f"the data folder is {datadir}\n" in capsys.readouterr().err
    # Of clear photographs, the usual data folder has all.
    assert names(convert(datadir)) == [CLEAR]
    assert f"the data folder is {datadir / 'cityscapes'}\n" in capsys.readouterr().err


def test_the_better_place_is_taken_and_a_choice_is_named(datadir: Path, capsys: Capture) -> None:
    usual = f"leftImg8bit/train/aachen/{STEM}_leftImg8bit.jpg"
    build(datadir, MAP, f"backup/{usual}", f"images/train/{STEM}_leftImg8bit.png")
    assert names(convert(datadir)) == [f"backup/{usual}"]
    build(datadir, usual.replace("jpg", "jpeg"), usual)
    capsys.readouterr()
    assert names(convert(datadir)) == [usual]
    assert not capsys.readouterr().err
    build(datadir, f"x/{usual}")
    shutil.rmtree(datadir / "leftImg8bit")
    assert names(convert(datadir)) == [f"backup/{usual}"]
    [line] = capsys.readouterr().err.splitlines()
    assert "images that lie in two places: 1, such as in backup/leftImg8bit/train/aachen" in line
    assert "and in x/leftImg8bit/train/aachen; choose with --imagedir" in line


def test_masks_are_no_photographs(datadir: Path) -> None:
    build(datadir, MAP, f"masks/train/{STEM}.png", f"image_labels/train/{STEM}.png")
    build(datadir, f"gtFine/train/aachen/{STEM}_gtFine_color.png", f"depth/train/{STEM}.png")
    assert names(convert(datadir)) == [CLEAR]
    build(datadir, f"zzz/imgs/train/{STEM}.png")
    assert names(convert(datadir)) == [f"zzz/imgs/train/{STEM}.png"]


@pytest.mark.parametrize("options", [[], ["--panoptic"]])
def test_our_pictures_are_no_photographs(options: list[str], datadir: Path) -> None:
    build(datadir, MAP)
    argv = "--datadir", datadir, "--panoptic"
    assert run(main, *argv)[0] == 0
    pictures = datadir / "pictures"
    assert run(inspect_coco.main, "--coco_dir", datadir, "--save", pictures, *options)[0] == 0
    assert len([*pictures.glob("*.png")]) == 1
    code, _, err = run(main, *argv)
    assert code == 0 and "image sets there" not in err
    fail(main, *argv, "--images", "leftImg8bit*")


@pytest.mark.parametrize("other", ["rightImg8bit", "disparity"])
def test_sets_that_maps_do_not_fit_are_noted(other: str, datadir: Path, capsys: Capture) -> None:
    """They have frames of the same names, in which the objects are elsewhere."""
    build(datadir, MAP, f"{other}/train/aachen/{STEM}_{other}.png")
    convert(datadir)
    err = capsys.readouterr().err
    assert "maps whose image is not here: 1 " in err and "--images" not in err
    convert(datadir, "--images", other)
    err = capsys.readouterr().err
    assert "images of another camera than the maps were drawn on: 1, such as" in err
    assert "the image sets there are: none" in fail(main, "--datadir", datadir, "--images", "fog")


def test_a_city_may_be_called_brighton(datadir: Path, capsys: Capture) -> None:
    build(datadir, *(name.replace("aachen", "brighton") for name in (MAP, CLEAR)))
    convert(datadir)
    assert capsys.readouterr().err == ""
