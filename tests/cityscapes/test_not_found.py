"""What is said where maps or photographs are not found."""

import shutil
from pathlib import Path

import pytest

from main import main
from tests.cityscapes.conftest import CLEAR, MAP, PLAIN, STEM, SUFFIX, build, convert, names
from tests.conftest import Capture, fail

# What lies in place of the maps, and parts of what is said.
MISTAKEN: dict[str, tuple[list[str], list[str]]] = {
    "labelIds": (["_gtFine_labelIds.png", "_gtFine_color.png"], ["no instances apart", "unpack"]),
    "polygons of the label tool": (["_polygons.json"], ["rename them to <frame>_gtFine_polygons"]),
    "coarse polygons": (["_gtCoarse_polygons.json"], ["the polygons of --annotations gtCoarse"]),
    "train ids": (["_gtFine_instanceTrainIds.png"], ["train ids", "unpack the gtFine archive"]),
    "another spelling": (["_gtFine_instanceids.png"], [f"must end with {SUFFIX}"]),
    "upper case": (["_GTFINE_INSTANCEIDS.PNG"], [f"must end with {SUFFIX}"]),
    "no type": (["_instanceIds.png"], [f"must end with {SUFFIX}"]),
    "TIFF": (["_gtFine_instanceIds.tif"], ["as PNG of 16 bits"]),
    "JPEG": (["_gtFine_instanceIds.jpg"], ["JPEG changes the ids; unpack the gtFine archive"]),
    "coarse maps": (["_gtCoarse_instanceIds.png"], ["--annotations gtCoarse"]),
    "photographs": (["_leftImg8bit.png"], ["unpack the gtFine archive here"]),
    "other names": (["_ids.png"], [f"if these are maps, rename them to <frame>{SUFFIX}"]),
    "something else": ([".txt"], ["unpack the gtFine archive here"]),
}


@pytest.mark.parametrize("folder", ["", "aachen/"])
@pytest.mark.parametrize("case", MISTAKEN)
def test_what_lies_in_place_of_the_maps_is_named(case: str, folder: str, datadir: Path) -> None:
    endings, says = MISTAKEN[case]
    build(datadir, *(f"gtFine/train/{folder}{STEM}{ending}" for ending in endings))
    [line] = fail(main, "--datadir", datadir).splitlines()
    assert line.startswith(f"error: {datadir / 'gtFine/train'}: no maps in it; expected <city>")
    assert f"found 1 files such as {STEM}{endings[0]}" in line or "found 2 files" in line
    assert all(part in line for part in says)


def test_maps_of_another_name_beside_right_ones_are_named(datadir: Path, capsys: Capture) -> None:
    build(datadir, MAP, "gtFine/train/ulm/ulm_000000_000019_gtFine_instanceids.png")
    build(datadir, *(f"gtFine/train/{name}_gtFine_instanceIds.tif" for name in (STEM, "bonn_0_0")))
    assert len(names(convert(datadir))) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "files that look like maps under another name, left out: 2, such as bonn" in lines[0]
    assert "save them as PNG of 16 bits" in lines[0]


@pytest.mark.parametrize("folder", ["valid", "validation", "Val", "testing", "TEST"])
def test_what_looks_like_a_split_is_named(folder: str, datadir: Path, capsys: Capture) -> None:
    split = "val" if folder.lower().startswith("val") else "test"
    build(datadir, MAP, f"gtFine/{folder}/aachen/{STEM}{SUFFIX}")
    if (datadir / "gtFine" / split).exists():
        pytest.skip("the file system takes both for one name")
    convert(datadir)
    told = f"{folder} looks like the split {split}"
    assert f"not converted: {told}; if so, rename" in capsys.readouterr().err
    [line] = fail(main, "--datadir", datadir, "--splits", split).splitlines()
    assert f"no folder {split} in it" in line and told in line
    shutil.rmtree(datadir / "gtFine/train")
    assert told in fail(main, "--datadir", datadir)


def test_train_extra_is_not_taken_for_train(datadir: Path, capsys: Capture) -> None:
    coarse = MAP.replace("gtFine", "gtCoarse")
    build(datadir, coarse.replace("train", "val"), coarse.replace("train", "TrainExtra"))
    convert(datadir, "--annotations", "gtCoarse")
    [line] = [line for line in capsys.readouterr().err.splitlines() if "looks like" in line]
    assert "TrainExtra looks like the split train_extra; if so, rename" in line
    (datadir / "gtCoarse").rename(datadir / "gtFine")
    build(datadir, MAP.replace("train", "train_extra"), MAP.replace("train", "val"))
    shutil.rmtree(datadir / "gtFine/TrainExtra")
    convert(datadir)
    assert "looks like" not in capsys.readouterr().err


def test_where_no_photograph_is_found_it_says_what_there_is(datadir: Path, capsys: Capture) -> None:
    foggy = f"leftImg8bit_foggy/train/{PLAIN}".replace(".png", "_foggy_beta_0.02.png")
    build(datadir, MAP, foggy, "other/train/a.png", "x.zip")
    convert(datadir)
    [line] = capsys.readouterr().err.splitlines()
    assert f"maps whose image is not here: 1 (converted all the same), such as {CLEAR};" in line
    assert "a trainer will not find it either; looked for files of" in line
    assert f"in {datadir}, 5 folders deep; found there: leftImg8bit_foggy/train, other/" in line
    shutil.rmtree(datadir / "leftImg8bit_foggy")
    shutil.rmtree(datadir / "other")
    convert(datadir)
    assert "found there: gtFine, x.zip; name the folder of the images" in capsys.readouterr().err
    build(datadir, MAP.replace("000000", "000001"), CLEAR)
    convert(datadir)
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(f"{CLEAR.replace('000000', '000001')}; a trainer will not find it either")


def test_other_image_sets_that_are_there_are_listed(datadir: Path, capsys: Capture) -> None:
    roboflow = f"train/images/{STEM}_leftImg8bit_png.rf.0a1b.jpg"
    build(datadir, MAP, roboflow)
    convert(datadir)
    assert "image sets there: leftImg8bit_png.rf.0a1b, choose" in capsys.readouterr().err
    assert names(convert(datadir, "--images", "leftImg8bit_png.rf.*")) == [roboflow]
    err = fail(main, "--datadir", datadir, "--images", "rain")
    assert "the image sets there are: leftImg8bit_png.rf.0a1b" in err


# What lies in the data folder where no gtFine is, and parts of what is said.
NO_MAPS: dict[str, tuple[str, str]] = {
    "nothing": ("", "no gtFine folder in it; found nothing"),
    "others": ("readme", "no gtFine folder in it; found readme"),
    "no split": ("gtFine/foo/x", "found foo"),
    "no maps": ("gtFine/val/a/a_polygons.json", "no maps in it"),
    "an archive": ("gtFine_trainvaltest.zip", "; unpack gtFine_trainvaltest.zip here"),
    "photographs": (f"leftImg8bit/train/{STEM}_leftImg8bit.png", "has photographs only"),
    "boxes": (f"gtBboxCityPersons/train/a/{STEM}_gtBboxCityPersons.json", "has boxes only"),
    "another split": (f"gtFine/default/{STEM}{SUFFIX}", "rename default to train or val or test"),
}


def test_fine_maps_are_proposed_where_no_coarse_ones_are(datadir: Path) -> None:
    build(datadir, f"gtFine/train/a/{STEM}{SUFFIX}", f"gtBboxValidated/train/a/{STEM}.json")
    line = fail(main, "--datadir", datadir, "--annotations", "gtCoarse")
    assert "gtFine is there: take --annotations gtFine, or unpack gtCoarse.zip" in line


@pytest.mark.parametrize("case", NO_MAPS)
def test_where_no_maps_are_it_says_what_there_is_and_what_to_do(case: str, datadir: Path) -> None:
    path, says = NO_MAPS[case]
    build(datadir, *[path] * bool(path))
    [line] = fail(main, "--datadir", datadir).splitlines()
    assert line.startswith(f"error: {datadir}") and says in line


def test_a_folder_that_is_not_there_is_told_and_a_quote_in_its_name(datadir: Path) -> None:
    for name, says in ("x", "no such folder"), ('x"', "a quote is part of the name"):
        [line] = fail(main, "--datadir", datadir / name).splitlines()
        assert line.startswith(f"error: {datadir / name}: ") and says in line
    build(datadir, MAP)
    err = fail(main, "--datadir", datadir, "--imagedir", datadir / "x")
    assert err.startswith(f"error: {datadir / 'x'}: no such folder; --imagedir is the folder of")
