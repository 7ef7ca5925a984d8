"""What is printed of a conversion, a COCO file, and scores."""

from pathlib import Path
from typing import Any

from cityscapes_coco.cli import evaluate
from cityscapes_coco.cli.tables import describe_file
from cityscapes_coco.coco.reading import read_coco
from tests.conftest import Capture, convert, run
from tests.files import GOLDEN_VAL, OUTPUT, PREDICTIONS, SAMPLE, load, write_json


def test_summaries_count_the_left_out(frame: Path, capsys: Capture) -> None:
    convert(frame, "--like-original")
    out, err = capsys.readouterr()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:3] == ["train", "images 1", "instances 1"]
    assert "car 1" in lines and "person 0" in lines and "caravan 0" not in lines
    assert "left out, groups: 1 person" in lines
    assert "left out, classes not asked for: 1 caravan" in lines
    assert "left out, a contour of two points or fewer: 1 car" in lines
    assert lines[-2].startswith(f"written to {frame / 'annotations' / OUTPUT} (")
    assert lines[-1] == f"look at it: python inspect_coco.py --coco_dir {frame}"
    [line] = err.splitlines()
    assert line.startswith(f"{frame}, train: maps whose image is not here: 1 (converted")


def test_the_summary_counts_annotations_and_images_per_class(tmp_path: Path) -> None:
    """Image 1 has two buses and a crowd of buses, image 2 a bus and an unknown category."""
    fields = "image_id", "category_id", "iscrowd"
    found = [(1, 5, 0), (1, 5, 0), (1, 5, 1), (2, 5, 0), (2, 9, 0)]
    coco = {
        "images": [{"id": n, "file_name": f"leftImg8bit/val/ulm/{n}.png"} for n in (1, 2, 3)],
        "categories": [{"id": 3, "name": "car"}, {"id": 5, "name": "bus"}],
        "annotations": [dict(zip(fields, values, strict=True)) for values in found],
    }
    path = write_json(tmp_path / "file.json", coco)
    lines = [" ".join(line.split()) for line in describe_file(path, read_coco(path)).splitlines()]
    assert lines == [
        f"{path} (0.00 MB), split val",
        "class annotations images",
        *("car 0 0", "bus 4 2", "unknown 1 1", "all 5 3"),
        "of these crowds: 1 bus",
    ]


def score(coco: Path, results: Path, *options: object) -> list[str]:
    argv = ["--coco_dir", SAMPLE, "--coco", coco, "--results", results, *options]
    code, out, _ = run(evaluate.main, *argv)
    assert code == 0
    return out.splitlines()


def test_both_tables_show_the_numbers(tmp_path: Path) -> None:
    lines = score(GOLDEN_VAL, PREDICTIONS, "--scores", tmp_path / "scores.json")
    scores = load(tmp_path / "scores.json")
    assert lines[0] == f"{PREDICTIONS}: 46 results; images without a result: 0 of 2"
    tables: dict[str, dict[str, list[str]]] = {}
    title = ""
    for line in lines[1:]:
        name, *cells = line.split()
        if line.startswith("    "):
            tables[title][name] = cells
        else:
            title = name
            tables[title] = {}
    wanted = {"boxes": ("coco", "box"), "masks": ("coco", "mask"), "Cityscapes": ("cityscapes",)}
    for title, (part, *shape) in wanted.items():
        numbers: Any = scores[part]["classes"] | {"average": scores[part]["average"]}
        assert list(tables[title]) == list(numbers)
        for name, row in tables[title].items():
            found = numbers[name][shape[0]] if shape else numbers[name]
            assert row == ["-" if n is None else f"{n:.3f}" for n in found.values()]


def test_a_class_may_be_called_average(tmp_path: Path) -> None:
    convert(SAMPLE, "--outdir", tmp_path, "--categories", "person", "average=car+bus")
    coco = tmp_path / GOLDEN_VAL.name
    persons = [a | {"score": 0.9} for a in load(coco)["annotations"] if a["category_id"] == 1]
    lines = score(coco, write_json(tmp_path / "results.json", persons))
    rows = [line.split()[:2] for line in lines[3:6]]
    assert rows == [["person", "1.000"], ["average", "0.000"], ["average", "0.500"]]
