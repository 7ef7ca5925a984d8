"""What the tests of folders share: folders of empty files and small maps, converted and checked."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inspect_coco
from main import main
from tests.conftest import STREET, Coco
from tests.damage import encode_png, join_chunks
from tests.files import load, touch

STEM = "aachen_000000_000019"
SUFFIX = "_gtFine_instanceIds.png"
MAP = f"gtFine/train/aachen/{STEM}{SUFFIX}"
PLAIN = f"aachen/{STEM}_leftImg8bit.png"
CLEAR = f"leftImg8bit/train/{PLAIN}"
_MAP_FILE = join_chunks(encode_png(np.array(STREET)))


def build(root: Path, *names: str) -> Path:
    """Make a folder of maps and photographs; all other files are empty."""
    for name in names:
        touch(root / name)
        if "nstanceIds.p" in name:
            (root / name).write_bytes(_MAP_FILE)
        elif name.lower().endswith((".png", ".jpg", ".jpeg")):
            Image.new("RGB", (4, 3), (10, 200, 30)).save(root / name)
    return root


def convert_splits(data: Path, *options: object, imagedir: Path | None = None) -> dict[str, Coco]:
    """Convert, have both programs check each file, and return the files by type and split."""
    outdir = data.parent / "out"
    shutil.rmtree(outdir, ignore_errors=True)
    folder = ["--imagedir", str(imagedir)] if imagedir else []
    argv = ["--datadir", str(data), "--outdir", str(outdir), "--workers", "1", *folder]
    assert main([*argv, *map(str, options), "--verify"]) == 0
    files = {}
    for path in sorted(outdir.iterdir()):
        argv = ["--coco_dir", str(data), "--coco", str(path), *folder, "--verify"]
        assert inspect_coco.main(argv) == 0
        files[path.stem.removeprefix("instancesonly_filtered_")] = load(path)
    return files


def convert(datadir: Path, *options: object, imagedir: Path | None = None) -> Coco:
    """Convert a folder of one split, as `convert_splits` does."""
    [coco] = convert_splits(datadir, *options, imagedir=imagedir).values()
    return coco


def names(coco: Coco) -> list[str]:
    return [image["file_name"] for image in coco["images"]]


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
