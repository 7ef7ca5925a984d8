from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

WriteMap = Callable[..., Path]


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """An empty data folder; what is written beside it stays inside pytest's temporary folder."""
    folder = tmp_path / "cityscapes"
    folder.mkdir()
    return folder


@pytest.fixture
def write_map(datadir: Path) -> WriteMap:
    """Writes one map into `datadir`, as Cityscapes names it, and returns its path."""

    def write(
        values: object,
        split: str = "train",
        name: str = "aachen_000000_000019",
        annotations: str = "gtFine",
    ) -> Path:
        folder = datadir / annotations / split / name.split("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}_{Path(annotations).name}_instanceIds.png"
        assert cv2.imwrite(str(path), np.array(values, np.uint16))
        return path

    return write


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
