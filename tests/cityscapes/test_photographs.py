"""Folders of photographs and maps as people have them: what is found, and what is said if not."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inspect_coco
from cityscapes_coco.cityscapes.dataset import find_dataset, find_root, list_frames
from cityscapes_coco.cityscapes.photographs import locate
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.drawings import Categories, load_example
from main import main
from tests.conftest import OUTPUT, ROOT, STREET, Capture, Coco, encode_png, join_chunks, load, touch

STEM = "aachen_000000_000019"
SUFFIX = "_gtFine_instanceIds.png"
MAP = f"gtFine/train/aachen/{STEM}{SUFFIX}"
MAP_FILE = join_chunks(encode_png(np.array(STREET)))


def build(root: Path, *names: str) -> Path:
    """Make a folder of maps and photographs; all other files are empty."""
    for name in names:
        touch(root / name)
        if "nstanceIds.p" in name:
            (root / name).write_bytes(MAP_FILE)
        elif name.lower().endswith((".png", ".jpg", ".jpeg")):
            Image.new("RGB", (4, 3), (10, 200, 30)).save(root / name)
    return root


def convert(datadir: Path, *options: object, imagedir: Path | None = None) -> Coco:
    """Convert and check, and have the check and the inspector find each photograph too."""
    outdir = datadir.parent / "out"
    shutil.rmtree(outdir, ignore_errors=True)
    folder = ["--imagedir", str(imagedir)] if imagedir else []
    argv = ["--datadir", str(datadir), "--outdir", str(outdir), "--workers", "1", *folder]
    assert main([*argv, *map(str, options), "--verify"]) == 0
    [path] = outdir.iterdir()
    argv = ["--coco_dir", str(datadir), "--json", str(path), *folder]
    assert inspect_coco.main([*argv, "--verify"]) == 0
    return load(path)


def names(coco: Coco) -> list[str]:
    return [image["file_name"] for image in coco["images"]]


# Where photographs are.

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
@pytest.mark.parametrize("kind", ["datadir", "split", "base"])
def test_maps_and_photographs_are_found_where_people_have_them(
    maps: str, photograph: str, given: str, folder: str, kind: str, datadir: Path, capsys: Capture
) -> None:
    frame, root = "ulm_000000_000019", datadir / folder
    photograph = photograph.replace("<frame>", frame)
    build(datadir, f"{maps}/{frame}{SUFFIX}", photograph)
    argv = ["--datadir", str(datadir / given), "--workers", "1", "--file-names", kind, "--verify"]
    assert main(argv) == 0
    err = capsys.readouterr().err
    assert "not here" not in err and "no map" not in err
    usual = given == "." and maps.startswith("gtFine/val")
    assert ("using the maps in" in err) != usual
    assert inspect_coco.main(["--coco_dir", str(datadir / given), "--verify"]) == 0

    [image] = read_coco(root / "annotations" / OUTPUT.replace("train", "val")).images
    name = str(image.file_name)
    if kind == "datadir":
        assert root / name == datadir / photograph
    assert f"/{photograph}".endswith(f"/{name}")
    assert locate(root, name) == datadir / photograph
    assert not load_example(datadir, root, image, [], Categories({}, {})).note


def test_sizes_are_compared_wherever_the_photographs_are(datadir: Path, capsys: Capture) -> None:
    build(datadir, MAP, f"images/{STEM}_leftImg8bit.png")
    Image.new("RGB", (2, 3)).save(datadir / f"images/{STEM}_leftImg8bit.png")
    convert(datadir, "--file-names", "base")
    out, err = capsys.readouterr()
    assert "photographs of another size than their map: 1, such as images/" in err
    assert out.count("photograph of another size than its map: 1") == 2


def test_the_better_place_is_taken_and_a_choice_between_equal_ones_is_named(
    datadir: Path, capsys: Capture
) -> None:
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


def test_photographs_of_other_frames_do_not_end_the_search(datadir: Path, capsys: Capture) -> None:
    other = "leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png"
    build(datadir, MAP, other, "leftImg8bit/train/aachen/x.txt", f"a/b/c/{STEM}_leftImg8bit.png")
    assert names(convert(datadir)) == [f"a/b/c/{STEM}_leftImg8bit.png"]
    assert "images that have no map, so left out: 1" in capsys.readouterr().err


def test_masks_are_no_photographs(datadir: Path) -> None:
    build(datadir, MAP, f"masks/train/{STEM}.png", f"image_labels/train/{STEM}.png")
    build(datadir, f"gtFine/train/aachen/{STEM}_gtFine_color.png", f"depth/train/{STEM}.png")
    assert names(convert(datadir)) == [f"leftImg8bit/train/aachen/{STEM}_leftImg8bit.png"]
    build(datadir, f"zzz/imgs/train/{STEM}.png")
    assert names(convert(datadir)) == [f"zzz/imgs/train/{STEM}.png"]


# Named by the user.


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
    argv = ["--coco_dir", str(datadir), "--json", str(datadir.parent / "out" / OUTPUT)]
    pictures = []
    for folder in [], ["--imagedir", str(elsewhere)]:
        assert inspect_coco.main([*argv, "--save", str(datadir), *folder]) == 0
        pictures.append((datadir / f"{STEM}_leftImg8bit_instances.png").read_bytes())
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("options", [[], ["--panoptic"]])
def test_pictures_of_the_inspector_are_no_photographs(
    options: list[str], datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP)
    argv = ["--datadir", str(datadir), "--workers", "1", "--panoptic"]
    assert main(argv) == 0
    pictures = datadir / "pictures"
    assert inspect_coco.main(["--coco_dir", str(datadir), "--save", str(pictures), *options]) == 0
    assert len(list(pictures.iterdir())) == 1
    capsys.readouterr()
    assert main(argv) == 0
    assert "image sets there" not in capsys.readouterr().err
    assert main([*argv, "--images", "leftImg8bit*"]) == 1


def test_a_folder_of_photographs_that_is_not_there_is_an_error(
    datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP)
    assert main(["--datadir", str(datadir), "--imagedir", str(datadir / "none")]) == 1
    assert f"error: {datadir / 'none'}: no such folder" in capsys.readouterr().err


def test_the_named_folder_of_one_split_has_no_photographs_of_another(
    datadir: Path, capsys: Capture
) -> None:
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


# Image sets.

FOG = f"aachen/{STEM}_leftImg8bit_foggy_beta_0.02.png"
PLAIN = f"aachen/{STEM}_leftImg8bit.png"
CLEAR = f"leftImg8bit/train/{PLAIN}"
FOGGY, DBF = f"leftImg8bit_foggy/train/{FOG}", f"leftImg8bit_foggyDBF/train/{FOG}"
FOGGY_PLAIN, AROUND = f"leftImg8bit_foggy/train/{PLAIN}", f"foggy/leftImg8bit/train/{PLAIN}"
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
    "fog in the same folder": ("*_foggy_*", [f"leftImg8bit/train/{FOG}"], [CLEAR]),
    "fog around the usual folder": ("foggy leftImg8bit", [AROUND, CLEAR], []),
    "an archive's folder": ("leftImg8bit_foggy", [f"leftImg8bit_trainvaltest_foggy/{FOGGY}"], []),
    "rain as JPEG, without cities": ("rain", [RAIN], [CLEAR]),
    "frames out of a sequence": (
        "leftImg8bit_sequence",
        [SEQUENCE],
        ["leftImg8bit_sequence/train/aachen/x_leftImg8bit.png"],
    ),
}


@pytest.mark.parametrize("case", SETS)
def test_a_set_is_chosen_by_its_folder_or_by_the_ending_of_its_files(
    case: str, datadir: Path
) -> None:
    image_sets, expected, beside = SETS[case]
    build(datadir, MAP, *expected, *beside)
    assert sorted(names(convert(datadir, "--images", *image_sets.split()))) == sorted(expected)


@pytest.mark.parametrize("name", [FOG, PLAIN])
def test_fog_may_be_in_a_data_folder_of_its_own(name: str, datadir: Path, capsys: Capture) -> None:
    photograph = f"foggy_cityscapes/leftImg8bit_foggy/train/{name}"
    build(datadir, f"cityscapes/{MAP}", f"cityscapes/leftImg8bit/train/{PLAIN}", photograph)
    assert names(convert(datadir, "--images", "leftImg8bit_foggy")) == [photograph]
    assert f"the data folder is {datadir}\n" in capsys.readouterr().err
    # Of clear photographs, the usual data folder has all.
    assert names(convert(datadir)) == [CLEAR]
    assert f"the data folder is {datadir / 'cityscapes'}\n" in capsys.readouterr().err


# What is not found.


def test_where_no_photograph_is_found_it_says_what_was_sought_and_what_is_there(
    datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP, FOGGY, "other/train/a.png", "x.zip")
    convert(datadir)
    [line] = capsys.readouterr().err.splitlines()
    for part in (
        "maps whose image is not here: 1 (converted all the same)",
        CLEAR,
        "a trainer will not find it either",
        f"in {datadir}, 5 folders deep",
        "found there: leftImg8bit_foggy/train, other/train; name the folder of the images",
    ):
        assert part in line
    shutil.rmtree(datadir / "leftImg8bit_foggy")
    shutil.rmtree(datadir / "other")
    convert(datadir)
    assert "found there: gtFine, x.zip; name the folder of the images" in capsys.readouterr().err


def test_other_image_sets_that_are_there_are_listed(datadir: Path, capsys: Capture) -> None:
    roboflow = f"train/images/{STEM}_leftImg8bit_png.rf.0a1b.jpg"
    build(datadir, MAP, roboflow)
    convert(datadir)
    assert "image sets there: leftImg8bit_png.rf.0a1b, choose" in capsys.readouterr().err
    assert names(convert(datadir, "--images", "leftImg8bit_png.rf.*")) == [roboflow]
    assert main(["--datadir", str(datadir), "--images", "rain"]) == 1
    assert "the image sets there are: leftImg8bit_png.rf.0a1b" in capsys.readouterr().err


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that are listed."""
    folders: list[str] = []
    scandir = os.scandir

    def count(folder: str | os.PathLike[str]) -> object:
        folders.append(os.fspath(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", count)
    return folders


def test_a_search_has_bounds(datadir: Path, listed: list[str]) -> None:
    """Of other datasets beside this one, no more than a number of folders is listed."""
    build(datadir, MAP, "a/b/c/d/e/f/aachen_000000_000019_leftImg8bit.png")
    for number in range(1200):
        (datadir / f"imagenet/train/n{number}").mkdir(parents=True)
    frames, imageless, _ = list_frames(find_dataset(datadir), "train")
    assert imageless == len(frames) == 1
    assert 1000 <= len(listed) < 1100


def test_each_folder_is_listed_once_where_all_is_in_its_place(
    datadir: Path, listed: list[str]
) -> None:
    build(datadir, MAP, CLEAR, f"leftImg8bit_rain/train/{PLAIN}")
    build(datadir, "imagenet/train/n1/x.png", "imagenet/train/n2/y.png", "videos/x.mp4")
    dataset = find_dataset(datadir)
    listed.clear()
    assert list_frames(dataset, "train").imageless == 0
    expected = {"", "gtFine/train", "gtFine/train/aachen", "leftImg8bit", "leftImg8bit/train"}
    expected |= {"leftImg8bit/train/aachen", "imagenet", "imagenet/train", "videos"}
    expected.add("leftImg8bit_rain")  # but none of the cities in it
    assert sorted(listed) == sorted(str(datadir / name) for name in expected)


# Maps.


@pytest.mark.parametrize(
    "name",
    [
        f"gtFine/train/aachen/._{STEM}{SUFFIX}",
        f"gtFine/train/.ipynb_checkpoints/{STEM}{SUFFIX}",
        f"gtFine/train/__MACOSX/aachen/{STEM}{SUFFIX}",
        f"__MACOSX/gtFine/train/aachen/{STEM}{SUFFIX}",
        f".backup/gtFine/train/aachen/{STEM}{SUFFIX}",
        "gtFine/train/Thumbs.db",
        "gtFine/train/aachen/desktop.ini",
        f"leftImg8bit/train/.ipynb_checkpoints/{STEM}_leftImg8bit.png",
        f"leftImg8bit/train/aachen/._{STEM}_leftImg8bit.png",
    ],
)
@pytest.mark.parametrize("above", [False, True])
def test_debris_is_passed_over(name: str, above: bool, datadir: Path, capsys: Capture) -> None:
    folder = datadir / "cityscapes" if above and "/gtFine" not in name else datadir
    build(folder, MAP, CLEAR)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"\0\5\x16\7")
    assert names(convert(datadir)) == [CLEAR]
    assert "not here" not in capsys.readouterr().err


def test_maps_may_be_without_folders_of_cities(datadir: Path, capsys: Capture) -> None:
    other = STEM.replace("aachen", "bad-honnef")
    build(datadir, f"gtFine/train/{STEM}{SUFFIX}", f"gtFine/train/{other}{SUFFIX}")
    found = names(convert(datadir))
    assert found == [
        f"leftImg8bit/train/{city}/{city}_000000_000019_leftImg8bit.png"
        for city in ("aachen", "bad-honnef")
    ]


def test_a_map_that_is_there_twice_is_named(datadir: Path, capsys: Capture) -> None:
    build(datadir, MAP, f"gtFine/train/{STEM}{SUFFIX}")
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    assert "the maps of this frame are in several folders" in capsys.readouterr().err


MISTAKEN: dict[str, tuple[list[str], list[str]]] = {
    "labelIds": (["_gtFine_labelIds.png", "_gtFine_color.png"], ["no instances apart", "unpack"]),
    "polygons": (["_gtFine_polygons.json", "_gtFine_labelIds.png"], ["json2instanceImg"]),
    "train ids": (["_gtFine_instanceTrainIds.png"], ["train ids", "unpack the gtFine archive"]),
    "another spelling": (["_gtFine_instanceids.png"], [f"must end with {SUFFIX}"]),
    "upper case": (["_GTFINE_INSTANCEIDS.PNG"], [f"must end with {SUFFIX}"]),
    "no type": (["_instanceIds.png"], [f"must end with {SUFFIX}"]),
    "TIFF": (["_gtFine_instanceIds.tif"], ["as PNG of 16 bits"]),
    "JPEG": (["_gtFine_instanceIds.jpg"], ["JPEG changes the ids; unpack the gtFine archive"]),
    "coarse maps": (["_gtCoarse_instanceIds.png"], ["--annotations gtCoarse"]),
    "something else": (["_leftImg8bit.png"], ["unpack the gtFine archive here"]),
}


@pytest.mark.parametrize("folder", ["", "aachen/"])
@pytest.mark.parametrize("case", MISTAKEN)
def test_what_lies_in_place_of_the_maps_is_named_with_the_remedy(
    case: str, folder: str, datadir: Path, capsys: Capture
) -> None:
    endings, says = MISTAKEN[case]
    build(datadir, *(f"gtFine/train/{folder}{STEM}{ending}" for ending in endings))
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {datadir / 'gtFine/train'}: no maps in it; expected <city>")
    assert f"found 1 files such as {STEM}{endings[0]}" in line or "found 2 files" in line
    assert all(part in line for part in says)


def test_maps_under_another_name_beside_right_ones_are_not_lost_without_a_word(
    datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP, "gtFine/train/ulm/ulm_000000_000019_gtFine_instanceids.png")
    build(datadir, *(f"gtFine/train/{name}_gtFine_instanceIds.tif" for name in (STEM, "bonn_0_0")))
    assert len(names(convert(datadir))) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "files that look like maps under another name, left out: 2, such as bonn" in lines[0]
    assert "save them as PNG of 16 bits" in lines[0]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("valid", "val"),
        ("validation", "val"),
        ("Val", "val"),
        ("testing", "test"),
        ("TEST", "test"),
    ],
)
def test_a_folder_that_looks_like_a_missing_split_is_named(
    folder: str, split: str, datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP, f"gtFine/{folder}/aachen/{STEM}{SUFFIX}")
    if (datadir / "gtFine" / split).exists():
        pytest.skip("the file system takes both for one name")
    convert(datadir)
    assert (
        f"not converted: {folder} looks like the split {split}; if so, rename"
        in capsys.readouterr().err
    )
    assert main(["--datadir", str(datadir), "--splits", split]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"no folder {split} in it" in line and f"{folder} looks like the split {split}" in line
    shutil.rmtree(datadir / "gtFine/train")
    assert main(["--datadir", str(datadir)]) == 1
    assert f"{folder} looks like the split {split}" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["L", "P"])
def test_of_a_map_of_8_bits_it_says_that_these_cannot_hold_instances(
    mode: str, datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP)
    Image.new(mode, (4, 3), 7).save(datadir / MAP)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    assert "8 bits cannot hold instance ids" in capsys.readouterr().err
