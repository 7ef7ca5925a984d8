"""Panoptic files: those of the official tool, whole or not there, and beside the instances."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from main import main
from tests.conftest import Capture, Coco, WriteMap, convert, street
from tests.files import OUTPUT, PANOPTIC, SAMPLE, load, read_folder

NAME = "aachen_000000_000019"
FOLDER = PANOPTIC.removesuffix(".json")
PNG = f"{NAME}_gtFine_panoptic.png"
PHOTOGRAPH = f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"


def read_ids(path: Path) -> NDArray[Any]:
    """The ids in a PNG file, as panopticapi reads them."""
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image).astype(int) @ (1, 256, 256**2)


def assert_official(datadir: Path, tmp_path: Path, ids: str, split: str = "train") -> Coco:
    """Convert a split both ways, compare all but what the official tool lacks or gets wrong, and
    return our JSON file."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    official = pytest.importorskip("cityscapesscripts.preparation.createPanopticImgs")
    official.convert2panoptic(str(datadir / "gtFine"), str(theirs), ids == "train", [split])
    options = ["--outdir", str(ours), "--splits", split, "--panoptic", ids]
    assert main(["--datadir", str(datadir), *options]) == 0
    [name] = [path.stem for path in theirs.glob("*.json")]
    expected, found = load(theirs / f"{name}.json"), load(ours / f"{name}.json")
    names = [image.pop("file_name") for image in expected["images"]]
    assert len(names) == len({image["file_name"] for image in found["images"]})
    bare = {**found, "images": [dict(image) for image in found["images"]]}
    for image in bare["images"]:
        del image["file_name"]
    assert {key: bare[key] for key in expected} == expected
    assert set(found) - set(expected) == {"info", "licenses"}
    pictures = sorted(os.listdir(theirs / name))
    assert pictures == sorted(os.listdir(ours / name))
    for picture in pictures:
        assert np.array_equal(read_ids(ours / name / picture), read_ids(theirs / name / picture))
    return found


@pytest.mark.parametrize(("split", "ids"), [("val", "train"), ("test", "label")])
def test_the_sample_becomes_the_official_files(split: str, ids: str, tmp_path: Path) -> None:
    coco = assert_official(SAMPLE, tmp_path, ids, split)
    assert all((SAMPLE / image["file_name"]).is_file() for image in coco["images"])


def noise(height: int, width: int, number: int) -> NDArray[np.uint16]:
    """A map that has each label, groups of each class, and instances with low and high numbers."""
    values = [*range(34), *(label * 1000 + n for label in range(24, 34) for n in (0, 7, 999))]
    return np.random.default_rng(number).choice(values, (height, width)).astype(np.uint16)


@pytest.mark.parametrize("ids", ["label", "train"])
def test_so_does_any_map(ids: str, datadir: Path, tmp_path: Path, write_map: WriteMap) -> None:
    """Also void from edge to edge, one pixel, and values that Cityscapes never writes: 11000 is a
    building, as the official tool takes it."""
    maps = [street(), noise(24, 40, 0), noise(7, 1, 1), [[0, 4, 29]], [[26000]], [[11000, 4000, 7]]]
    for number, values in enumerate(maps):
        write_map(values, name=f"a_{number:06d}_000000")
    coco = assert_official(datadir, tmp_path, ids)
    assert coco["annotations"][3]["segments_info"] == []
    assert "a_000005_000000_gtFine_instanceIds.png" in coco["info"]["foreign"]


def test_no_file_changes_the_other(datadir: Path, tmp_path: Path, write_map: WriteMap) -> None:
    write_map(street())
    write_map([[7, 7]], name="b_000000_000000")
    options = "--categories bike=bicycle --min-area 99 --crowd keep --category-ids label"
    options += " --empty-frames drop --segmentation none --workers 3 --panoptic"
    folders = []
    for number, given in enumerate(["", "--panoptic --verify", options]):
        convert(datadir, "--outdir", tmp_path / str(number), *given.split())
        folders.append(read_folder(tmp_path / str(number)))
    instances, both, others = folders
    other_png = PNG.replace(NAME, "b_000000_000000")
    assert set(both) == {OUTPUT, PANOPTIC, f"{FOLDER}/{PNG}", f"{FOLDER}/{other_png}"}
    assert others.pop(OUTPUT) != both[OUTPUT] and instances == {OUTPUT: both[OUTPUT]}
    del both[OUTPUT]
    assert others == both
    assert len(json.loads(both[PANOPTIC])["images"]) == 2


def test_the_summary_counts_segments(frame: Path, capsys: Capture) -> None:
    convert(frame, "--panoptic")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "panoptic segments 5" in lines
    assert lines[-2].startswith(f"written to {frame / 'annotations' / PANOPTIC} (")
