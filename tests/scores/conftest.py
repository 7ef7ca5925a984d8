"""What the tests of the scores share: results, scored in this process."""

from pathlib import Path

from evaluate_coco import main as evaluate
from tests.conftest import SAMPLE, Capture, Coco, load, write_json


def score(folder: Path, coco: Path, results: object, *options: object) -> Coco:
    """Score results in this process, and return what is written for machines."""
    path = results if isinstance(results, Path) else write_json(folder / "results.json", results)
    out = folder / "scores.json"
    argv = ["--coco_dir", SAMPLE, "--coco", coco, "--results", path, "--scores", out, *options]
    assert evaluate([*map(str, argv), *([] if "--workers" in options else ["--workers", "1"])]) == 0
    return load(out)


def fail(capsys: Capture, *options: object) -> str:
    """Score in vain, and return the one line of the error."""
    capsys.readouterr()
    assert evaluate([*map(str, options), "--workers", "1"]) == 1
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    return line


def annotated(coco: Path, **fields: object) -> list[Coco]:
    """Results that are just what a COCO file has."""
    names = "image_id", "category_id", "bbox", "segmentation"
    return [
        {name: annotation[name] for name in names if name in annotation} | {"score": 0.9} | fields
        for annotation in load(coco)["annotations"]
    ]
