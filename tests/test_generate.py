"""data/generate.py: it draws the sample again, which is what Cityscapes' own tools would draw."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cityscapes_coco.pixels.png import read_chunks
from tests.conftest import run_script
from tests.files import SAMPLE

PATHS = sorted(path.relative_to(SAMPLE) for path in SAMPLE.glob("gt*/**/*.*"))


def unpack(path: Path) -> bytes:
    """The filtered pixels of a PNG file, which zlib and zlib-ng pack into different bytes."""
    data = path.read_bytes()
    return zlib.decompress(read_chunks(data)[1]) if path.suffix == ".png" else data


def test_the_sample_is_drawn_again(tmp_path: Path) -> None:
    assert run_script("data/generate.py", "--outdir", tmp_path).returncode == 0
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")) == PATHS
    for path in PATHS:
        assert unpack(tmp_path / path) == unpack(SAMPLE / path), path


def test_the_maps_are_what_the_official_tools_make_of_the_polygons() -> None:
    drawers = pytest.importorskip("cityscapesscripts.preparation.json2instanceImg")
    labels = pytest.importorskip("cityscapesscripts.preparation.json2labelImg")
    for path in SAMPLE.rglob("*_polygons.json"):
        annotation = drawers.Annotation()
        annotation.fromJsonFile(str(path))
        for kind, drawn in (
            ("instanceIds", drawers.createInstanceImage(annotation, "ids")),
            ("labelIds", labels.createLabelImage(annotation, "ids")),
            ("color", labels.createLabelImage(annotation, "color")),
        ):
            name = path.name.replace("polygons.json", f"{kind}.png")
            with Image.open(path.with_name(name)) as ours:
                assert np.array_equal(np.asarray(ours), np.asarray(drawn)), (path, kind)
