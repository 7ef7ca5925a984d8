"""The names of files and images, each of which is there once."""

import os
import shutil
from pathlib import Path

import pytest

from main import main
from tests.conftest import OUTPUT, PANOPTIC, Capture, WriteMap, convert, load, touch

NAME = "aachen_000000_000019"
PNG = f"{NAME}_gtFine_panoptic.png"
PHOTOGRAPH = f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"


def test_a_frame_in_two_folders_is_said_and_never_gets_one_name_twice(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    path = write_map()
    shutil.copytree(path.parent, path.parent.with_name("aachen (1)"))
    assert len(convert(datadir)["images"]) == 2
    told = f"frames in several folders, all of them converted: 1, such as {path.name}"
    assert told in capsys.readouterr().err
    old = (datadir / "annotations" / OUTPUT).read_bytes()
    assert main(["--datadir", str(datadir), "--workers", "1", "--file-names", "base"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    name = f"{NAME}_leftImg8bit.png"
    assert line.startswith(
        f"error: {datadir}: --file-names base gives several images one name: {name}, 2 times;"
    )
    assert (datadir / "annotations" / OUTPUT).read_bytes() == old


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), PHOTOGRAPH),
        (("--file-names", "split"), PHOTOGRAPH.removeprefix("leftImg8bit/train/")),
        (("--file-names", "base"), PHOTOGRAPH.rpartition("/")[2]),
    ],
)
def test_the_names_of_images_are_those_of_photographs(
    options: tuple[str, ...], name: str, datadir: Path, write_map: WriteMap
) -> None:
    write_map()
    touch(datadir / PHOTOGRAPH)
    convert(datadir, "--panoptic", *options)
    coco = load(datadir / "annotations" / PANOPTIC)
    assert coco["images"] == [{"id": NAME, "file_name": name, "width": 4, "height": 3}]


def test_where_no_folder_has_the_name_of_the_split_names_have_no_folder(
    datadir: Path, tmp_path: Path, write_map: WriteMap
) -> None:
    write_map()
    touch(tmp_path / "photographs" / f"{NAME}_leftImg8bit.png")
    options = ["--imagedir", tmp_path / "photographs", "--file-names", "split"]
    [image] = convert(datadir, *options)["images"]
    assert image["file_name"] == f"{NAME}_leftImg8bit.png"


def test_coarse_maps_and_other_image_sets_have_files_of_their_own(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map(annotation_type="gtCoarse")
    for beta in ("0.01", "0.02"):
        touch(datadir / f"leftImg8bit_foggy/train/aachen/{NAME}_leftImg8bit_foggy_beta_{beta}.png")
    options = ["--annotations", "gtCoarse", "--images", "leftImg8bit_foggy_beta_*", "--panoptic"]
    assert main(["--datadir", str(datadir), "--workers", "1", "--verify", *options]) == 0
    name = "cityscapes_panoptic_gtCoarse_train_foggy_beta"
    coco = load(datadir / "annotations" / f"{name}.json")
    ids = [f"{NAME}_leftImg8bit_foggy_beta_{beta}" for beta in ("0.01", "0.02")]
    assert [image["id"] for image in coco["images"]] == ids
    assert [annotation["image_id"] for annotation in coco["annotations"]] == ids
    png = PNG.replace("gtFine", "gtCoarse")
    assert {annotation["file_name"] for annotation in coco["annotations"]} == {png}
    assert os.listdir(datadir / "annotations" / name) == [png]
    segments = sum(len(annotation["segments_info"]) for annotation in coco["annotations"])
    assert f"  panoptic segments{segments:7}\n" in capsys.readouterr().out


def test_images_that_would_have_one_id_are_refused(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    path = write_map()
    for folder in "leftImg8bit_foggy", "leftImg8bit_foggyDBF":
        touch(datadir / f"{folder}/train/aachen/{NAME}_leftImg8bit_foggy_beta_0.01.png")
    argv = ["--datadir", str(datadir), "--workers", "1", "--panoptic"]
    assert main([*argv, "--images", "leftImg8bit_foggy", "leftImg8bit_foggyDBF"]) == 1
    id_of_both = f"{NAME}_leftImg8bit_foggy_beta_0.01"
    assert (
        f"--panoptic gives several images one id: {id_of_both}, 2 times; take one"
        in capsys.readouterr().err
    )
    shutil.copytree(path.parent, path.parent.with_name("aachen (1)"))
    assert main(argv) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"--panoptic gives several frames one PNG file: {PNG}, 2 times; " in line


def test_below_the_split_is_below_the_last_folder_of_that_name(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map()
    touch(datadir / "train/images/train/aachen/aachen_000000_000019_leftImg8bit.png")
    [image] = convert(datadir, "--file-names", "split")["images"]
    assert image["file_name"] == "aachen/aachen_000000_000019_leftImg8bit.png"
