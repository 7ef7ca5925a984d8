"""Folders of splits: which there are, and which files in them count."""

from pathlib import Path

import pytest

from cityscapes_coco.cityscapes.split_folders import list_split_folders
from main import main
from tests.cityscapes.conftest import CLEAR, MAP, PLAIN, STEM, SUFFIX, build, convert, names
from tests.conftest import Capture, posix_only


def test_a_split_is_at_most_two_folders_down_and_in_no_other_split(tmp_path: Path) -> None:
    there = ["train", "a/train", "a/b/train"]
    for name in [*there, "a/b/c/train", "val/train", "a/val/train", "gtFine/train", "a/gtFine"]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    assert ["/".join(parts) for parts in list_split_folders(tmp_path, "train")] == there


def test_maps_may_be_without_folders_of_cities(datadir: Path) -> None:
    other = STEM.replace("aachen", "bad-honnef")
    build(datadir, f"gtFine/train/{STEM}{SUFFIX}", f"gtFine/train/{other}{SUFFIX}")
    assert names(convert(datadir)) == [CLEAR, CLEAR.replace("aachen", "bad-honnef")]


@posix_only
@pytest.mark.parametrize("name", ["gtFine/val", "gtFine/train/ulm"])
def test_a_split_or_city_that_is_a_link_to_nowhere_is_not_passed_over(
    name: str, datadir: Path, capsys: Capture
) -> None:
    build(datadir, MAP)
    (datadir / name).symlink_to(datadir / "share")
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    assert f"{datadir / name}: a link that leads nowhere" in capsys.readouterr().err


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
        f"leftImg8bit/train/._{PLAIN}",
    ],
)
@pytest.mark.parametrize("above", [False, True])
def test_debris_is_passed_over(name: str, above: bool, datadir: Path, capsys: Capture) -> None:
    folder = datadir / "cityscapes" if above else datadir
    build(folder, MAP, CLEAR)
    debris = (datadir if "/gtFine" in name else folder) / name
    debris.parent.mkdir(parents=True, exist_ok=True)
    debris.write_bytes(b"\0\5\x16\7")
    assert names(convert(datadir)) == [CLEAR]
    assert "not here" not in capsys.readouterr().err
