"""The made-up streets must be what Cityscapes' own tools would make of their polygons."""

import json
import zlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import createLabelImage
from PIL import Image

from cityscapes_coco.pixels.png import read_chunks
from data.generate import instance_map, scene, write_dataset
from tests.conftest import SAMPLE, run_script
from tests.oracle import CLASSES, read_maps


def files(root: Path) -> list[Path]:
    """What the generator writes; a conversion may have put `annotations` beside it."""
    folders = ("gtFine", "leftImg8bit")
    return sorted(p.relative_to(root) for f in folders for p in (root / f).rglob("*.*"))


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fresh")
    write_dataset(root, seed=5, frames={"val": 1})
    return root


@pytest.mark.parametrize("where", ["sample", "fresh"])
def test_maps_are_what_the_official_tools_make_of_the_polygons(where: str, fresh: Path) -> None:
    root = SAMPLE if where == "sample" else fresh
    polygons = sorted(root.rglob("*_polygons.json"))
    assert polygons
    for path in polygons:
        annotation = Annotation()
        annotation.fromJsonFile(str(path))
        for kind, official in (
            ("instanceIds", createInstanceImage(annotation, "ids")),
            ("labelIds", createLabelImage(annotation, "ids")),
            ("color", createLabelImage(annotation, "color")),
        ):
            drawn = read(path.with_name(path.name.replace("polygons.json", f"{kind}.png")))
            assert np.array_equal(drawn, np.asarray(official))


def test_lines_are_filtered_as_in_real_maps() -> None:
    """Half of the lines of ten real maps have filter 4, nearly all others 2: that is slower to
    decode than one filter for all, and benchmarks are held against it."""
    filters: Counter[int] = Counter()
    for path in (SAMPLE / "gtFine" / "train").rglob("*_instanceIds.png"):
        _, stream = read_chunks(path.read_bytes())
        filters.update(zlib.decompress(stream)[:: 1 + 2 * 2048])
    assert filters.total() == 3 * 1024
    assert 0.3 < filters[4] / filters.total() < 0.7
    assert (filters[2] + filters[4]) / filters.total() > 0.9


def test_the_sample_is_small_and_shows_every_class_and_both_kinds_of_group() -> None:
    assert sum((SAMPLE / path).stat().st_size for path in files(SAMPLE)) < 4_000_000
    labels: set[str] = set()
    for path in SAMPLE.rglob("*_polygons.json"):
        labels |= {shape["label"] for shape in json.loads(path.read_text())["objects"]}
    assert {"cargroup", "persongroup", "bicyclegroup", "license plate"} <= labels
    maps = {name: set(np.unique(id_map)) for name, id_map in read_maps(SAMPLE).items()}
    visible = set().union(*maps.values())
    assert {value // 1000 for value in visible if value >= 1000} == set(CLASSES)
    assert {24, 26, 33} <= visible  # the groups
    # The test split has no street in its maps.
    assert maps["probeheim_000000_000019_gtFine_instanceIds.png"] == {0, 1, 2, 3}


def test_the_script_draws_the_sample_again_but_no_photographs(tmp_path: Path) -> None:
    assert run_script("data/generate.py", "--outdir", tmp_path).returncode == 0
    written = files(tmp_path)
    assert written == [path for path in files(SAMPLE) if path.parts[0] == "gtFine"]
    for path in written:
        if path.suffix == ".png":  # pixels, as zlib-ng packs them into other bytes than zlib
            assert (read(tmp_path / path) == read(SAMPLE / path)).all(), path
        else:
            assert (tmp_path / path).read_bytes() == (SAMPLE / path).read_bytes(), path


def test_polygons_keep_to_the_frame_but_for_a_few_pixels(fresh: Path) -> None:
    for path in [*SAMPLE.rglob("*_polygons.json"), *fresh.rglob("*_polygons.json")]:
        for shape in json.loads(path.read_text())["objects"]:
            corners = np.array(shape["polygon"])
            assert len(corners) > 2, path
            assert (corners >= -5).all() and (corners <= (2048 + 4, 1024 + 4)).all(), path
            # Those that lie outside of it altogether are left out.
            assert (corners.max(0) >= 0).all() and (corners.min(0) < (2048, 1024)).all(), path


def test_a_frame_does_not_depend_on_how_many_are_made(tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", seed=3, frames={"train": 2})
    write_dataset(tmp_path / "b", seed=3, frames={"val": 1, "train": 1})
    shared = [path for path in files(tmp_path / "b") if "train" in path.parts]
    assert shared
    for path in shared:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_streets_are_as_crowded_and_as_broken_up_as_real_ones() -> None:
    """Loose bounds round 23 real frames: 24 instances a frame, median area 1,394 px, 23 % in
    several parts, 1.6 % with holes, a group in every second frame, 16,500 runs a frame."""
    areas, split, holed, groups, runs = [], 0, 0, 0, []
    frames = 24
    for index in range(frames):
        ids = instance_map(scene(11, "train", index)).astype(np.int32)
        runs.append(np.count_nonzero(np.diff(ids.ravel())))
        for value, area in zip(*np.unique(ids, return_counts=True), strict=True):
            groups += 24 <= value < 1000
            if value < 1000:
                continue
            areas.append(area)
            mask = (ids == value).astype(np.uint8)
            _, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            outer = int((tree.reshape(-1, 4)[:, 3] < 0).sum())
            split += outer > 1
            holed += outer < tree.size // 4

    assert 15 < len(areas) / frames < 35
    assert 900 < np.median(areas) < 2000
    assert 0.15 < split / len(areas) < 0.32
    assert 0.005 < holed / len(areas) < 0.04
    assert 0.25 < groups / frames < 1.2
    assert 11_000 < np.mean(runs) < 22_000
