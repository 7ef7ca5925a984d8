"""Which image set a photograph is of, and which of several photographs is taken."""

import shutil
from pathlib import Path

import pytest

import inspect_coco
from main import main
from tests.cityscapes.conftest import CLEAR, MAP, PLAIN, STEM, SUFFIX, build, convert, names
from tests.conftest import Capture

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
    "rather with an ending": (
        "leftImg8bit",
        [IMAGES + "_leftImg8bit.jpg"],
        [IMAGES + ".png"],
    ),
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


def test_a_set_may_be_the_folder_that_is_named(datadir: Path) -> None:
    build(datadir, MAP, FOGGY_PLAIN)
    images = ["--images", "leftImg8bit_foggy"]
    folder = datadir / "leftImg8bit_foggy"
    assert names(convert(datadir, *images, imagedir=folder)) == [FOGGY_PLAIN]


@pytest.mark.parametrize("name", [FOG, PLAIN])
def test_fog_may_be_in_a_data_folder_of_its_own(name: str, datadir: Path, capsys: Capture) -> None:
    photograph = f"foggy_cityscapes/leftImg8bit_foggy/train/{name}"
    build(datadir, f"cityscapes/{MAP}", f"cityscapes/leftImg8bit/train/{PLAIN}", photograph)
    assert names(convert(datadir, "--images", "leftImg8bit_foggy")) == [photograph]
    assert f"the data folder is {datadir}\n" in capsys.readouterr().err
    # Of clear photographs, the usual data folder has all.
    assert names(convert(datadir)) == [CLEAR]
    assert f"the data folder is {datadir / 'cityscapes'}\n" in capsys.readouterr().err


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


def test_masks_are_no_photographs(datadir: Path) -> None:
    build(datadir, MAP, f"masks/train/{STEM}.png", f"image_labels/train/{STEM}.png")
    build(datadir, f"gtFine/train/aachen/{STEM}_gtFine_color.png", f"depth/train/{STEM}.png")
    assert names(convert(datadir)) == [CLEAR]
    build(datadir, f"zzz/imgs/train/{STEM}.png")
    assert names(convert(datadir)) == [f"zzz/imgs/train/{STEM}.png"]


@pytest.mark.parametrize("options", [[], ["--panoptic"]])
def test_pictures_of_the_inspector_are_no_photographs(
    options: list[str], datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP)
    argv = ["--datadir", str(datadir), "--workers", "1", "--panoptic"]
    assert main(argv) == 0
    pictures = datadir / "pictures"
    assert inspect_coco.main(["--coco_dir", str(datadir), "--save", str(pictures), *options]) == 0
    assert len([*pictures.glob("*.png")]) == 1
    capsys.readouterr()
    assert main(argv) == 0
    assert "image sets there" not in capsys.readouterr().err
    assert main([*argv, "--images", "leftImg8bit*"]) == 1


@pytest.mark.parametrize("other", ["rightImg8bit", "disparity"])
def test_sets_that_the_maps_do_not_fit_are_never_proposed_and_warned_of(
    other: str, datadir: Path, capsys: Capture
) -> None:
    """They have frames of the same names, in which the objects are elsewhere."""
    build(datadir, MAP, f"{other}/train/aachen/{STEM}_{other}.png")
    convert(datadir)
    err = capsys.readouterr().err
    assert "maps whose image is not here: 1 " in err and "--images" not in err
    convert(datadir, "--images", other)
    err = capsys.readouterr().err
    assert "images of another camera than the maps were drawn on: 1, such as" in err
    assert main(["--datadir", str(datadir), "--images", "fog"]) == 1
    assert "the image sets there are: none" in capsys.readouterr().err


def test_a_city_may_be_called_brighton(datadir: Path, capsys: Capture) -> None:
    stem = STEM.replace("aachen", "brighton")
    build(
        datadir,
        f"gtFine/train/brighton/{stem}{SUFFIX}",
        f"leftImg8bit/train/brighton/{stem}_leftImg8bit.png",
    )
    convert(datadir)
    assert capsys.readouterr().err == ""
