"""Results for the server of the benchmark: what its script asks for, whole or not at all."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluate_coco import main as evaluate
from main import main
from tests.conftest import Capture, Coco, WriteMap
from tests.files import GOLDEN_VAL, OUTPUT, PREDICTIONS, SAMPLE, load, write_json
from tests.oracle import decode, encode
from tests.scores.conftest import fail

LABELS = {1: 24, 2: 25, 3: 26, 4: 27, 5: 28, 6: 31, 7: 32, 8: 33}
BOX = np.ones((3, 4), bool)


def save(folder: Path, coco: Path, results: object, *options: object) -> dict[str, list[list[str]]]:
    """Save results, and return the lines of each text file, by its name."""
    path = results if isinstance(results, Path) else write_json(folder / "results.json", results)
    argv = ["--coco_dir", SAMPLE, "--coco", coco, "--results", path, "--save", folder / "upload"]
    assert evaluate([*map(str, argv), *map(str, options)]) == 0
    texts = sorted((folder / "upload").glob("*.txt"))
    assert texts
    return {text.name: [row.split(" ") for row in text.read_text().splitlines()] for text in texts}


def predict(**fields: object) -> Coco:
    return {"image_id": 1, "category_id": 3, "score": 0.5, "segmentation": encode(BOX)} | fields


@pytest.fixture
def streets(datadir: Path, write_map: WriteMap) -> Path:
    """Two frames of 4 x 3 pixels, of which one has a car."""
    write_map(np.full((3, 4), 26000), split="val")
    write_map(np.full((3, 4), 7), split="val", name="bad-ulm_000000_000019")
    return datadir


def convert_val(datadir: Path, *options: str) -> Path:
    assert main(["--datadir", str(datadir), *options]) == 0
    [path] = (datadir / "annotations").glob("*.json")
    return path


def test_each_result_has_a_line_and_a_mask(tmp_path: Path, capsys: Capture) -> None:
    """test_cityscapes_score.py has the official script score what is saved."""
    predictions = json.loads(PREDICTIONS.read_bytes())
    results = [*predictions, *predictions[:3]]
    lines = save(tmp_path, GOLDEN_VAL, results)
    coco = load(GOLDEN_VAL)
    stems = {image["id"]: image["seg_file_name"].partition("_gtF")[0] for image in coco["images"]}
    assert list(lines) == sorted(f"{stem}.txt" for stem in stems.values())
    named = set()
    for number, stem in stems.items():
        of_image = [result for result in results if result["image_id"] == number]
        of_image.sort(key=lambda result: -result["score"])
        for (name, label, score), result in zip(lines[f"{stem}.txt"], of_image, strict=True):
            assert (int(label), float(score)) == (LABELS[result["category_id"]], result["score"])
            with Image.open(tmp_path / "upload" / name) as mask:
                pixels = np.asarray(mask.convert("L")) > 0
            assert (pixels == decode(result["segmentation"], 1024, 2048)).all()
            named.add(name)
    assert {*os.listdir(tmp_path / "upload")} == named | set(lines)
    # They are counted by class.
    printed = capsys.readouterr().out.splitlines()
    place = printed.index(f"{tmp_path / 'upload'}: 49 masks of 2 frames, for the server")
    counts = dict(line.split() for line in printed[place + 1 : place + 9])
    assert list(counts) == [category["name"] for category in coco["categories"]]
    assert counts["rider"] == "5" and counts["bus"] == "0"
    assert sum(map(int, counts.values())) == 49
    assert printed[place + 9] == "  masks that repeat another one exactly: 3"


def test_the_best_of_each_frame_are_saved(streets: Path, tmp_path: Path) -> None:
    """Of equals, these are the first."""
    coco = convert_val(streets)
    scores = (0.25, 0.5, 0.75, 0.5)
    results = [predict(score=score, category_id=n) for n, score in enumerate(scores, 1)]
    lines = save(tmp_path, coco, results, "--top", 2)
    assert lines["aachen_000000_000019.txt"] == [
        ["aachen_000000_000019_000.png", "26", "0.75"],
        ["aachen_000000_000019_001.png", "25", "0.5"],
    ]
    assert lines["bad-ulm_000000_000019.txt"] == []


@pytest.mark.parametrize("skipped", [False, True])
def test_frames_left_out_have_an_empty_text(skipped: bool, streets: Path, tmp_path: Path) -> None:
    path = convert_val(streets, "--empty-frames", "drop")
    coco = load(path)
    if skipped:
        # Told to be unreadable, and not to be empty.
        coco["info"]["options"]["empty_frames"] = "keep"
        coco["info"]["skipped"] = ["bad-ulm_000000_000019_gtFine_instanceIds.png"]
        write_json(path, coco)
    lines = save(tmp_path, path, [predict()], "--coco_dir", streets)
    assert {name: len(of_frame) for name, of_frame in lines.items()} == {
        "aachen_000000_000019.txt": 1,
        "bad-ulm_000000_000019.txt": 0,
    }
    # Without the maps, nobody knows these frames.
    argv = "--coco", path, "--results", tmp_path / "results.json", "--save", tmp_path / "again"
    (tmp_path / "empty").mkdir()
    assert "no gtFine folder in it" in fail("--coco_dir", tmp_path / "empty", *argv)


def test_the_test_split_is_saved_and_not_scored(tmp_path: Path, capsys: Capture) -> None:
    coco = GOLDEN_VAL.with_name(OUTPUT.replace("train", "test"))
    results = [predict(segmentation=encode(np.ones((1024, 2048), bool)))]
    lines = save(tmp_path, coco, results, "--coco_dir", tmp_path)
    assert len(lines["probeheim_000000_000019.txt"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{coco}: has no annotations, so there is nothing to score")
    assert "1 masks of 1 frames" in out
    argv = "--coco", coco, "--results", tmp_path / "results.json"
    for options in [], ["--save", tmp_path / "again", "--scores", tmp_path / "scores.json"]:
        line = fail(*argv, *options)
        assert "has no annotations, so there is nothing to score" in line and "--save" in line
    assert {*os.listdir(tmp_path)} == {"results.json", "upload"}


def test_other_classes_are_left_out(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map(np.full((3, 4), 26000), split="val")
    categories = ["--categories", "human=person+rider", "car", "trailer"]
    coco = convert_val(datadir, *categories)
    results = [predict(category_id=number) for number in (1, 2, 2, 3)]
    [lines] = save(datadir, coco, results).values()
    assert [label for _, label, _ in lines] == ["26", "26"]
    said = "left out, no class that Cityscapes evaluates: 1 human, 1 trailer"
    assert said in capsys.readouterr().out


def test_names_neither_leave_the_folder_nor_hold_spaces(streets: Path, tmp_path: Path) -> None:
    coco = load(convert_val(streets))
    for image, name in zip(coco["images"], ("../a b$", "C:\\x"), strict=True):
        image["seg_file_name"] = f"x/{name}_gtFine_instanceIds.png"
    lines = save(tmp_path, write_json(tmp_path / "file.json", coco), [predict()])
    assert list(lines) == ["C__x.txt", "a_b_.txt"]
    assert lines["a_b_.txt"][0][0] == "a_b__000.png"


def test_what_is_no_upload_is_refused_and_leaves_nothing(streets: Path, tmp_path: Path) -> None:
    coco = convert_val(streets)
    twice = load(coco)
    twice["images"][1]["seg_file_name"] = twice["images"][0]["seg_file_name"]
    boxes = [predict(bbox=[0, 0, 1, 1])]
    del boxes[0]["segmentation"]
    merged = load(coco)
    merged["categories"] = [{"id": 3, "name": "vehicle"}]
    merged["annotations"] = []
    broken = [predict(image_id=2), predict(image_id=2, segmentation=encode(BOX.T))]
    for content, results, says in (
        (twice, [], "has 2 images of the frame aachen_000000_000019; the server takes one"),
        (load(coco), boxes, "has no masks, which the server of Cityscapes asks for"),
        (merged, [predict()], "no category in it is a class that Cityscapes evaluates"),
        (load(coco) | {"annotations": []}, broken, "results[1].segmentation: an RLE of size"),
    ):
        path = write_json(tmp_path / "file.json", content)
        file = write_json(tmp_path / "results.json", results)
        argv = ["--coco_dir", tmp_path, "--coco", path, "--results", file]
        assert says in fail(*argv, "--save", tmp_path / "upload")
        assert {*os.listdir(tmp_path)} == {"cityscapes", "file.json", "results.json"}
