"""Frames that have polygons and no map, judged by the official drawer."""

import json
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest

import inspect_coco
from cityscapes_coco import Options, find_dataset, read_frames
from cityscapes_coco.check.drawing import redraw
from cityscapes_coco.cityscapes.id_map import read_id_map
from main import main
from tests.cityscapes.conftest import STEM, SUFFIX
from tests.cityscapes.polygons import SQUARE, draw_officially, make_up, of, polygons
from tests.conftest import Capture, Coco, WriteMap, convert, run, verify
from tests.files import GOLDEN_VAL, OUTPUT, PREDICTIONS, SAMPLE, load, read_folder, write_json
from tests.scores.conftest import score


def test_polygons_are_drawn_as_the_official_tool_draws_them(tmp_path: Path) -> None:
    """The check, which draws in its own way, draws the same."""
    dice = Random(5)
    made = [write_json(tmp_path / f"{n}_polygons.json", make_up(dice)) for n in range(400)]
    for path in [*SAMPLE.rglob("*_gtFine_polygons.json"), *made]:
        drawn = draw_officially(path)
        id_map, passed_over = read_id_map(str(path))
        assert np.array_equal(id_map, drawn) and not passed_over, path
        assert np.array_equal(redraw(str(path), void_unknown=False), drawn), path


@pytest.fixture
def without_maps(datadir: Path) -> Path:
    """The sample without its maps, but for one frame of train."""
    shutil.copytree(SAMPLE, datadir, dirs_exist_ok=True)
    for path in datadir.rglob("*_gtFine_*.png"):
        if "musterstadt_000000_000019" not in path.name:
            path.unlink()
    return datadir


def test_without_maps_all_is_the_same(without_maps: Path, tmp_path: Path, capsys: Capture) -> None:
    options = "--categories", "all", "--crowd", "keep", "--panoptic", "--verify"
    convert(SAMPLE, "--outdir", tmp_path / "maps", *options)
    capsys.readouterr()
    convert(without_maps, "--outdir", tmp_path / "drawn", *options)
    out, err = capsys.readouterr()
    assert out.count("  all exact\n") == 6 and out.count("drawn from their polygons: 2") == 2
    assert "train: frames without a map, drawn from their polygons: 2, such as muster" in err
    maps, drawn = read_folder(tmp_path / "maps"), read_folder(tmp_path / "drawn")
    assert maps.keys() == drawn.keys()
    for name, count in ("train", 2), ("val", 2), ("test", 1):
        path = OUTPUT.replace("train", name)
        one, other = (json.loads(files[path]) for files in (maps, drawn))
        assert other["info"].pop("drawn") == count and "drawn" not in one["info"]
        for image in other["images"]:
            image["seg_file_name"] = image["seg_file_name"].replace("_polygons.json", SUFFIX[7:])
        assert one == other
    assert all(maps[name] == drawn[name] for name in maps if name.endswith(".png"))


def test_a_file_finds_its_frames_by_maps_or_polygons(without_maps: Path, tmp_path: Path) -> None:
    """The scores too, which need the maps, are those of the sample."""
    one, other = (
        score(tmp_path, GOLDEN_VAL, PREDICTIONS, "--coco_dir", datadir)
        for datadir in (SAMPLE, without_maps)
    )
    assert one == other and one["cityscapes"]["average"]
    convert(without_maps)
    path = without_maps / "annotations" / OUTPUT
    for datadir in without_maps, SAMPLE:
        assert run(inspect_coco.main, "--coco_dir", datadir, "--coco", path, "--verify")[0] == 0
    [frame, *_] = read_frames(find_dataset(without_maps), "val")
    assert len(frame.instances) == 22 and frame.map_path.endswith("_gtFine_polygons.json")


def draw(datadir: Path, content: object, *options: str) -> tuple[int, str, str]:
    """Convert one frame of train that has no map."""
    path = datadir / f"gtFine/train/aachen/{STEM}_gtFine_polygons.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return run(main, "--datadir", datadir, "--crowd", "keep", "--verify", *options)


WRONG: dict[str, object] = {
    "not a JSON file": json.dumps(polygons(of("car")))[:-9],
    "not a file of this kind: should be an object, not a list": [],
    "no objects in it": {"imgHeight": 2, "imgWidth": 2},
    "objects[0] has no label": polygons({"polygon": SQUARE}),
    "objects[1] has no polygon": polygons(of("car"), {"label": "car"}),
    "objects[0].label should be a text": polygons(of(26)),
    "objects[1] has the label 'cars\\x1b', which Cityscapes does not have; did you mean car?": (
        polygons(of("car"), of("cars\x1b"))
    ),
    "the label 'dinogroup', which": polygons(of("dinogroup")),
    "objects[0].polygon[1][1] should be a number, not NaN or Infinity": (
        polygons(of("car", [[1, 2], [3, float("nan")]]))
    ),
    "objects[0].polygon[1][1] should be": polygons(of("car", [[1, 2], [3, "4"]])),
    "objects[0].polygon[0] should be": polygons(of("car", [[1, 2, 3]] * 3)),
    "objects[0].polygon[4][0] should be": polygons(of("car", [*SQUARE, [1e12, 1]])),
    "objects[1000] is car number 1,001; a map has numbers for 1,000": (
        polygons(*[of("car", [[1, 1], [1, 1]])] * 1001)
    ),
    "polygon should be a list of length <= 100000": polygons(of("car", [[1, 1]] * 100_001)),
    "60000 x 60000 pixels, too many": polygons(height=60_000, width=60_000),
    "imgWidth should be an integer >= 1": polygons(width=0),
    "not a": "[" * 100_000,
}
# What the check reads, as Python does.
TOLERATED = [f"objects[0].{part} should be" for part in ("polygon[1][1]", "polygon[0]")]
TOLERATED.append("objects[0].label should be a text")


@pytest.mark.parametrize("says", WRONG)
def test_bad_polygons_are_one_line(says: str, datadir: Path, capsys: Capture) -> None:
    code, _, err = draw(datadir, WRONG[says])
    [line] = [line for line in err.splitlines() if says in line]
    assert f"{STEM}_gtFine_polygons.json: " in line and "train will not be written" in line
    coco: Coco = {"images": [], "annotations": [], "categories": []}
    coco["images"] = [{"id": 1, "file_name": f"train/aachen/{STEM}_leftImg8bit.png"}]
    assert code == verify(datadir, coco) == 1
    assert "map that cannot be read: 1" in capsys.readouterr().out or says in TOLERATED


def test_a_thousand_of_a_class_are_converted(datadir: Path) -> None:
    """Unlike a published map, a drawn one cannot have lost the next instance to another class."""
    dots = [of("car", [[x, y], [x, y]]) for x in range(50) for y in range(20)]
    assert draw(datadir, polygons(*dots, height=20, width=50))[0] == 0
    assert len(load(datadir / "annotations" / OUTPUT)["annotations"]) == 1000


def test_short_polygons_are_passed_over_and_unknown_labels(datadir: Path) -> None:
    """As in a map, void covers what was painted before."""
    short = of("car", []), of("bus", [[1, 1]])
    content = polygons(of("car"), *short, of("dinosaur", [[3, 0], [3, 9]]))
    code, out, _ = draw(datadir, content, "--unknown-labels", "void")
    assert code == 0 and "left out, polygons of fewer than two points: 1 car, 1 bus\n" in out
    assert "maps with unknown labels, read as void: 1\n" in out and "all exact" in out
    coco = load(datadir / "annotations" / OUTPUT)
    assert [a["area"] for a in coco["annotations"]] == [9]
    assert coco["info"]["unknown"] == [f"{STEM}_gtFine_polygons.json"]


def test_coarse_polygons_and_those_of_any_folder_are_found(datadir: Path) -> None:
    path = datadir / "labels/val/aachen" / f"{STEM}_gtCoarse_polygons.json"
    path.parent.mkdir(parents=True)
    write_json(path, polygons(of("car")))
    [frame] = read_frames(find_dataset(datadir, "gtCoarse"), "val")
    assert (frame.width, frame.height, len(frame.instances)) == (8, 6, 1)


def test_a_map_wins_over_polygons(datadir: Path, write_map: WriteMap) -> None:
    draw(datadir, polygons(of("car")))
    path = write_map([[24000, 7]])
    options = Options(categories=("person", "road"))
    [frame] = read_frames(find_dataset(datadir), "train", options)
    assert frame.map_path == str(path) and len(frame.instances) == 2
