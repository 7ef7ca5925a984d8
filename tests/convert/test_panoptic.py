"""Panoptic files: those of the official tool, whole or not there, and beside the instances."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from main import main
from tests.conftest import (
    OUTPUT,
    PANOPTIC,
    SAMPLE,
    Capture,
    Coco,
    WriteMap,
    convert,
    load,
    read_folder,
    street,
)

NAME = "aachen_000000_000019"
FOLDER = PANOPTIC.removesuffix(".json")
PNG = f"{NAME}_gtFine_panoptic.png"
PHOTOGRAPH = f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"


def read_ids(path: Path) -> NDArray[Any]:
    """The ids in a PNG file, as panopticapi reads them."""
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image).astype(int) @ (1, 256, 256**2)


# The same as the official tool's.


def assert_official(datadir: Path, tmp_path: Path, ids: str, split: str = "train") -> Coco:
    """Convert a split both ways, compare all but what the official tool lacks or gets wrong, and
    return our JSON file."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    official = pytest.importorskip("cityscapesscripts.preparation.createPanopticImgs")
    official.convert2panoptic(str(datadir / "gtFine"), str(theirs), ids == "train", [split])
    options = ["--outdir", str(ours), "--splits", split, "--workers", "1", "--panoptic", ids]
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
def test_the_sample_becomes_what_the_official_tool_makes_of_it(
    split: str, ids: str, tmp_path: Path
) -> None:
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


def test_the_official_score_of_a_file_with_itself_is_one(tmp_path: Path) -> None:
    """The evaluation demands each id of the PNG file in the JSON file, and the other way round."""
    official = pytest.importorskip("cityscapesscripts.evaluation.evalPanopticSemanticLabeling")
    convert(SAMPLE, "--outdir", tmp_path, "--panoptic")
    coco = load(tmp_path / PANOPTIC)
    categories = {category["id"]: category for category in coco["categories"]}
    pairs = [(annotation, copy.deepcopy(annotation)) for annotation in coco["annotations"]]
    folder = str(tmp_path / FOLDER)
    score = official.pq_compute_single_core(0, pairs, folder, folder, categories)
    quality, _ = score.pq_average(categories, isthing=None)
    assert quality["pq"] == 1.0 and quality["n"] > 10


# Beside the instances.


def test_the_instances_are_the_same_with_panoptic_files_and_without(
    datadir: Path, tmp_path: Path, write_map: WriteMap
) -> None:
    write_map(street())
    convert(datadir, "--outdir", tmp_path / "without")
    convert(datadir, "--outdir", tmp_path / "with", "--panoptic", "--verify")
    with_panoptic = read_folder(tmp_path / "with")
    assert set(with_panoptic) == {OUTPUT, PANOPTIC, f"{FOLDER}/{PNG}"}
    assert with_panoptic[OUTPUT] == read_folder(tmp_path / "without")[OUTPUT]


def test_what_is_about_instances_leaves_panoptic_files_alone(
    datadir: Path, tmp_path: Path, write_map: WriteMap
) -> None:
    write_map(street())
    write_map([[7, 7]], name="b_000000_000000")
    convert(datadir, "--outdir", tmp_path / "1", "--panoptic")
    options = "--categories bike=bicycle --min-area 99 --crowd keep --category-ids label"
    options += " --empty-frames drop --segmentation none --workers 3"
    convert(datadir, "--outdir", tmp_path / "2", "--panoptic", *options.split())
    first, second = read_folder(tmp_path / "1"), read_folder(tmp_path / "2")
    assert first.pop(OUTPUT) != second.pop(OUTPUT) and first == second
    assert len(json.loads(first[PANOPTIC])["images"]) == 2


def test_the_summary_counts_segments_and_names_the_file(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    convert(datadir, "--panoptic")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "panoptic segments 5" in lines
    assert lines[-2].startswith(f"written to {datadir / 'annotations' / PANOPTIC} (")
