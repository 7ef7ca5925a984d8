"""Folders of splits: which there are, and which files in them count."""

from pathlib import Path

import pytest

from cityscapes_coco.cityscapes.split_folders import list_split_folders
from tests.cityscapes.conftest import CLEAR, MAP, PLAIN, STEM, SUFFIX, build, convert, names
from tests.conftest import Capture
from tests.files import touch


def test_a_split_is_at_most_two_folders_down_and_in_no_other_split(tmp_path: Path) -> None:
    there = ["train", "a/train", "a/b/train"]
    for name in [*there, "a/b/c/train", "val/train", "a/val/train", "gtFine/train", "a/gtFine"]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    assert ["/".join(parts) for parts in list_split_folders(tmp_path, "train")] == there


DEBRIS = [
    f"gtFine/train/aachen/._{STEM}{SUFFIX}",
    f"gtFine/train/.ipynb_checkpoints/{STEM}{SUFFIX}",
    f"gtFine/train/__MACOSX/aachen/{STEM}{SUFFIX}",
    f"__MACOSX/gtFine/train/aachen/{STEM}{SUFFIX}",
    f".backup/gtFine/train/aachen/{STEM}{SUFFIX}",
    *("gtFine/train/Thumbs.db", "gtFine/train/aachen/desktop.ini"),
    f"leftImg8bit/train/.ipynb_checkpoints/{STEM}_leftImg8bit.png",
    f"leftImg8bit/train/._{PLAIN}",
]


@pytest.mark.parametrize("name", DEBRIS)
@pytest.mark.parametrize("above", [False, True])
def test_debris_is_passed_over(name: str, above: bool, datadir: Path, capsys: Capture) -> None:
    folder = datadir / "cityscapes" if above else datadir
    build(folder, MAP, CLEAR)
    debris = (datadir if "/gtFine" in name else folder) / name
    touch(debris).write_bytes(b"\0\5\x16\7")
    assert names(convert(datadir)) == [CLEAR]
    assert "not here" not in capsys.readouterr().err
