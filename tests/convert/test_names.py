"""The names of files and images, each of which is there once."""

import os
import shutil
from pathlib import Path

from main import main
from tests.conftest import Capture, WriteMap, convert, fail
from tests.files import OUTPUT, PANOPTIC, load, touch

NAME = "aachen_000000_000019"
PNG = f"{NAME}_gtFine_panoptic.png"
PHOTOGRAPH = f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"


def test_no_name_is_there_twice(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    path = write_map()
    shutil.copytree(path.parent, path.parent.with_name("aachen (1)"))
    assert len(convert(datadir)["images"]) == 2
    told = f"frames in several folders, all of them converted: 1, such as {path.name}"
    assert told in capsys.readouterr().err
    old = (datadir / "annotations" / OUTPUT).read_bytes()
    *_, line = fail(main, "--datadir", datadir, "--file-names", "base").splitlines()
    name = f"{NAME}_leftImg8bit.png"
    told = f"--file-names base gives several images one name: {name}, 2 times;"
    assert line.startswith(f"error: {datadir}: {told}")
    assert (datadir / "annotations" / OUTPUT).read_bytes() == old


def test_the_names_of_images_are_those_of_photographs(frame: Path) -> None:
    touch(frame / PHOTOGRAPH)
    for kind, folders in ("datadir", 0), ("split", 2), ("base", 3):
        name = PHOTOGRAPH.split("/", folders)[folders]
        convert(frame, "--panoptic", "--file-names", kind)
        coco = load(frame / "annotations" / PANOPTIC)
        assert coco["images"] == [{"id": NAME, "file_name": name, "width": 4, "height": 3}]


def test_without_a_folder_of_the_split_names_are_bare(frame: Path, tmp_path: Path) -> None:
    """The last folder of that name counts."""
    for folder, kept in ("photographs", ""), ("train/x/train/aachen", "aachen/"):
        touch(tmp_path / folder / f"{NAME}.png")
        options = ["--imagedir", tmp_path / folder.partition("/")[0], "--file-names", "split"]
        [image] = convert(frame, *options)["images"]
        assert image["file_name"] == f"{kept}{NAME}.png"


def test_other_maps_have_other_files(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map(kind="gtCoarse")
    for beta in ("0.01", "0.02"):
        touch(datadir / f"leftImg8bit_foggy/train/aachen/{NAME}_leftImg8bit_foggy_beta_{beta}.png")
    options = ["--annotations", "gtCoarse", "--images", "leftImg8bit_foggy_beta_*", "--panoptic"]
    assert main(["--datadir", str(datadir), "--verify", *options]) == 0
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


def test_images_of_one_id_are_refused(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    path = write_map()
    for folder in "leftImg8bit_foggy", "leftImg8bit_foggyDBF":
        touch(datadir / f"{folder}/train/aachen/{NAME}_leftImg8bit_foggy_beta_0.01.png")
    argv = ["--datadir", str(datadir), "--panoptic"]
    assert main([*argv, "--images", "leftImg8bit_foggy", "leftImg8bit_foggyDBF"]) == 1
    id_of_both = f"{NAME}_leftImg8bit_foggy_beta_0.01"
    assert f"several images one id: {id_of_both}, 2 times; take one" in capsys.readouterr().err
    shutil.copytree(path.parent, path.parent.with_name("aachen (1)"))
    assert main(argv) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"--panoptic gives several frames one PNG file: {PNG}, 2 times; " in line
