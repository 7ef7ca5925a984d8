"""Boxes of both kinds, end to end: what is written, and what is said of a file that is wrong."""

import copy
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import inspect_coco
from cityscapes_coco import Options, UserError, convert_split, find_dataset, read_frames
from main import main
from tests import conftest
from tests.boxes import CITY_PERSONS, CLASSES, NAME, OBJECTS, VALIDATED, describe_box, write_boxes
from tests.conftest import Capture, Coco, fail, run
from tests.files import OUTPUT, SAMPLE, load, touch

PERSONS = OBJECTS[CITY_PERSONS]


def convert(datadir: Path, kind: str, *options: object) -> Coco:
    """Convert and check boxes, and return the file of train."""
    return conftest.convert(datadir, "--annotations", kind, "--verify", *options)


def written(datadir: Path, kind: str) -> Path:
    return datadir / "annotations" / OUTPUT.replace("gtFine", kind)


# By options: category id, iscrowd, and which object it is.
WRITTEN: dict[str, dict[str, list[tuple[int, int, int]]]] = {
    CITY_PERSONS: {
        "": [(1, 0, 0), (2, 0, 2), (3, 0, 3), (4, 0, 5)],
        "--crowd keep": [(1, 0, 0), (1, 1, 1), (2, 0, 2), (3, 0, 3), (1, 1, 4), (4, 0, 5)],
        "--crowd keep --categories pedestrian": [(1, 0, 0), *((1, 1, n) for n in range(1, 6))],
        "--categories rider --category-ids label": [(2, 0, 2)],
        "--categories person=pedestrian+rider 'person (other)' --category-ids zero": [
            *((0, 0, 0), (0, 0, 2), (1, 0, 5))
        ],
        "--min-area 1000 --crowd keep --categories 'sitting person'": [(1, 1, 0), (1, 1, 2)],
    },
    VALIDATED: {
        "": [(3, 0, 0), (1, 0, 2), (4, 0, 3)],
        "--crowd keep --category-ids label": [(26, 0, 0), (24, 1, 1), (24, 0, 2), (27, 0, 3)],
        "--crowd keep --categories big=car+truck": [(1, 0, 0), (1, 1, 1), (1, 0, 3)],
        "--min-area 241": [(1, 0, 2), (4, 0, 3)],
    },
}


@pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind in WRITTEN for options in WRITTEN[kind]]
)
def test_boxes_are_in_their_order(kind: str, options: str, datadir: Path, capsys: Capture) -> None:
    write_boxes(datadir, kind)
    coco = convert(datadir, kind, *shlex.split(options))
    wanted = WRITTEN[kind][options]
    for annotation, (category, is_region, place) in zip(coco["annotations"], wanted, strict=True):
        assert (annotation["category_id"], annotation["iscrowd"]) == (category, is_region)
        expected = describe_box(OBJECTS[kind][place]) | {"ignore": is_region}
        # As texts, so that 1 and 1.0 differ.
        told = {name: repr(value) for name, value in annotation.items()}
        assert told.items() >= {name: repr(value) for name, value in expected.items()}.items()
        assert len(told) == len(expected) + 4  # the ids and iscrowd, but no segmentation
    [image] = coco["images"]
    assert image.get("soft_label_classes") == (CLASSES if kind == VALIDATED else None)
    counts = Counter(is_region for _, is_region, _ in wanted)
    out = capsys.readouterr().out
    assert f"\n  instances{counts[0]:>15}\n" in out
    assert (f"\n  ignore regions, as crowds: {counts[1]}\n" in out) == bool(counts[1])
    keeps = "--crowd keep" in options
    assert ("left out, ignore regions: 1 " in out) == (not keeps)
    drops = "--categories" in options and not (keeps and kind == CITY_PERSONS)
    assert ("left out, classes not asked for: 1 " in out) == drops


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize(("reader", "workers"), [("pycocotools.coco", "1"), ("hotcoco", "2")])
def test_other_programs_read_boxes(reader: str, workers: str, kind: str, tmp_path: Path) -> None:
    module = pytest.importorskip(reader)
    options = "--crowd", "keep", "--workers", workers
    coco = convert(SAMPLE, kind, *options, "--outdir", tmp_path)
    boxes = []
    for image in coco["images"]:
        assert (SAMPLE / image["file_name"]).is_file()
        city = image["file_name"].split("/")[2]
        objects = load(SAMPLE / kind / "train" / city / image["seg_file_name"])["objects"]
        for x, y, w, h in (found["bbox"] for found in objects):
            boxes.append([x, y, w - x, h - y] if kind == VALIDATED else [x, y, w, h])
    read = module.COCO(str(tmp_path / OUTPUT.replace("gtFine", kind)))
    assert [list(a["bbox"]) for a in read.loadAnns(read.getAnnIds())] == boxes and boxes
    assert len(read.getImgIds()) == 3


def test_the_rest_is_as_for_maps(datadir: Path, capsys: Capture) -> None:
    """A photograph of another size, a list of frames, empty frames, and the inspector's check."""
    write_boxes(datadir, CITY_PERSONS)
    write_boxes(datadir, CITY_PERSONS, [PERSONS[1]], name="aachen_000001_000019")
    write_boxes(datadir, CITY_PERSONS, name="aachen_000002_000019")
    photograph = datadir / "leftImg8bit/train/aachen" / f"{NAME}_leftImg8bit.png"
    Image.new("RGB", (100, 50)).save(touch(photograph))
    (datadir / "frames.txt").write_text(f"{NAME}\naachen_000001_000019\n")
    options = "--frames", datadir / "frames.txt", "--empty-frames", "drop"
    coco = convert(datadir, CITY_PERSONS, *options, "--file-names", "base")
    [image] = coco["images"]
    assert image["file_name"] == f"{NAME}_leftImg8bit.png"
    assert image["seg_file_name"] == f"{NAME}_{CITY_PERSONS}.json"
    out, err = capsys.readouterr()
    assert "photographs of another size than their box file: 1, such" in err
    assert f"--split {CITY_PERSONS}_train\n" in out
    assert not {"segmentation", "panoptic", "unknown_labels"} & coco["info"]["options"].keys()
    assert inspect_coco.main(["--coco_dir", str(datadir), "--verify"]) == 0
    with pytest.raises(UserError, match="has boxes and no maps"):
        next(read_frames(find_dataset(datadir, "gtBboxCityPersons"), "train"))
    convert(datadir, CITY_PERSONS)
    content = (path := written(datadir, CITY_PERSONS)).read_bytes()
    dataset = find_dataset(datadir, "gtBboxCityPersons")
    convert_split(dataset, "train", datadir / "annotations", warn=str)
    assert path.read_bytes() == content, "from Python, the usual classes are those of the boxes"
    with pytest.raises(ValueError, match="panoptic train: gtBboxCityPersons has boxes and no mask"):
        convert_split(dataset, "train", datadir, Options(panoptic="train"))


def test_a_split_without_an_object_is_strange(datadir: Path, capsys: Capture) -> None:
    write_boxes(datadir, CITY_PERSONS, [PERSONS[1], PERSONS[4]])
    convert(datadir, CITY_PERSONS)
    out, err = capsys.readouterr()
    assert "no box file has an object of any class" in err
    assert "box files without any instance: 1" in out


def test_boxes_in_the_folder_of_their_archive_are_found(tmp_path: Path) -> None:
    write_boxes(tmp_path / "gtBbox_cityPersons_trainval", CITY_PERSONS)
    photograph = tmp_path / "leftImg8bit/train/aachen" / f"{NAME}_leftImg8bit.png"
    Image.new("RGB", (200, 100)).save(touch(photograph))
    assert convert(tmp_path, CITY_PERSONS)["images"]
    for kind, says in {
        "gtFine": "gtBbox_cityPersons_trainval has boxes only; the maps are in gtFine_trainvaltest",
        VALIDATED: "has other boxes; the box files are in the archive of gtBboxValidated",
    }.items():
        assert says in fail(main, "--datadir", tmp_path, "--annotations", kind)


def test_other_files_in_place_of_the_boxes_are_told(datadir: Path) -> None:
    folder = write_boxes(datadir, CITY_PERSONS).parent
    argv = "--datadir", datadir, "--annotations", CITY_PERSONS
    (folder / "aachen_000009_000019_gtFine_instanceIds.png").touch()
    code, _, err = run(main, *argv)
    assert code == 0 and "under another name" not in err
    for name, says in {
        "gtBboxValidated.json": "these are boxes; take --annotations gtBboxValidated",
        "gtFine_instanceIds.png": "these are the maps of --annotations gtFine",
        "gtFine_polygons.json": "unpack the gtBboxCityPersons archive here",
        "gtbboxcitypersons.JSON": "rename them to <frame>_gtBboxCityPersons.json; else unpack",
    }.items():
        for path in folder.iterdir():
            path.unlink()
        (folder / f"{NAME}_{name}").touch()
        err = fail(main, *argv)
        assert "no box files in it; expected" in err and says in err


def change(place: int, **fields: object) -> Callable[[list[Any]], object]:
    return lambda objects: objects[place].update(fields)


BAD_PERSONS: dict[str, Any] = {
    "not a JSON file (": b'{"imgHeight": 100, "obj',
    "should be an object, not a list": b"[]",
    "no imgHeight in it": b'{"objects": [], "imgWidth": 3}',
    "too many to be read": {"objects": 100_000 * [PERSONS[0]]},
    "imgWidth should be an integer >= 1": {"imgWidth": 0},
    "objects[1] has no bboxVis": lambda objects: objects[1].pop("bboxVis"),
    "objects[2].bbox[0] should be a number, not a text": change(2, bbox=["1", "2", "3", "4"]),
    "objects[1].bbox[0] should be a number, not a text": change(1, bbox=["x", 2, 3, 4]),
    "objects[2].bbox[1] should be a number, not NaN or Infinity": (
        change(2, bbox=[1, float("nan"), 3, 4])
    ),
    "objects[0].bboxVis is -1 wide and 4 high; below 0": change(0, bboxVis=[1, 2, -1, 4]),
    "objects[0].bbox[3] should be a number <= 1048576": change(0, bbox=[1, 2, 3, 1e300]),
    "objects[3] is of the class 'persons', not of pedestrian, rider, sitting person,": (
        change(3, label="persons")
    ),
    "objects[0].instanceId should be an integer": change(0, instanceId="24"),
    "can't decode byte 0xfc": (
        b'{"city": "Z\xfcrich", "imgHeight": 9, "imgWidth": 9, "objects": []}'
    ),
}
BAD_VALIDATED: dict[str, Any] = {
    "(maximum recursion depth": b'{"x": ' + b"[" * 100_000,
    "an empty file": b"",
    "imgHeight should be an integer <= 65535": {"imgHeight": 1 << 16},
    "objects[2].bbox is 20 wide and -1 high; below 0": change(2, bbox=[70, 2, 90, 1]),
    "objects[0] has no soft_label": {"objects": PERSONS},
    "objects[1].soft_label has 3 probabilities for 4 classes": change(1, soft_label=[0, 0, 1]),
    "objects[0] is of the class 'tram\\n', not of person, rider, car,": (
        {"classes": ["person", "tram\n", *CLASSES[2:]]}
    ),
    "objects[0].vote_counts": change(0, vote_counts=[3]),
    "classes[1] should be a text, not NaN or Infinity": (
        {"classes": ["person", float("nan"), *CLASSES[2:]]}
    ),
    "surrogates not allowed": change(0, vote_counts={"\ud800": 3}),
}


@pytest.mark.parametrize("says", [*BAD_PERSONS, *BAD_VALIDATED])
def test_a_wrong_file_is_one_line_that_names_the_object(says: str, datadir: Path) -> None:
    kind = CITY_PERSONS if says in BAD_PERSONS else VALIDATED
    damage = (BAD_PERSONS | BAD_VALIDATED)[says]
    good, name = write_boxes(datadir, kind), "aachen_000001_000019"
    bad = write_boxes(datadir, kind, name=name)
    coco = convert(datadir, kind)
    if isinstance(damage, bytes):
        bad.write_bytes(damage)
    elif isinstance(damage, dict):
        write_boxes(datadir, kind, name=name, **damage)
    else:
        damage(objects := copy.deepcopy(OBJECTS[kind]))
        write_boxes(datadir, kind, objects, name=name)
    _, line, error = fail(main, "--datadir", datadir, "--annotations", kind).splitlines()
    assert line.startswith(f"{bad}: ") and says in line and line.isprintable()
    assert "1 of 2 box files cannot be read, so no file is written; mend" in error
    assert load(written(datadir, kind)) == coco
    # The check has no converter to ask, and must not accept such a file.
    code, out, _ = run(inspect_coco.main, "--coco_dir", datadir, "--verify")
    assert code in (1, 3) and name in out
    coco = convert(datadir, kind, "--skip-bad")
    assert [image["seg_file_name"] for image in coco["images"]] == [good.name]
