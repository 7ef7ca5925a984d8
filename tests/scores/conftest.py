"""What the tests of the scores share: results, scored in this process."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluate_coco import main as evaluate
from tests.conftest import Coco
from tests.conftest import fail as complain
from tests.files import SAMPLE, load, write_json


def score(folder: Path, coco: Path, results: object, *options: object) -> Coco:
    """Score results in this process, and return what is written for machines."""
    path = results if isinstance(results, Path) else write_json(folder / "results.json", results)
    out = folder / "scores.json"
    argv = ["--coco_dir", SAMPLE, "--coco", coco, "--results", path, "--scores", out, *options]
    assert evaluate([*map(str, argv), *([] if "--workers" in options else ["--workers", "1"])]) == 0
    return load(out)


def fail(*options: object) -> str:
    """Score in vain, and return the one line of the error."""
    [line] = complain(evaluate, *options).splitlines()
    return line


def annotated(coco: Path, **fields: object) -> list[Coco]:
    """Results that are just what a COCO file has."""
    names = "image_id", "category_id", "bbox", "segmentation"
    return [
        {name: annotation[name] for name in names if name in annotation} | {"score": 0.9} | fields
        for annotation in load(coco)["annotations"]
    ]


def read_panoptic(path: Path) -> tuple[Coco, list[NDArray[Any]]]:
    """A panoptic file, and the ids in the PNG file of each annotation."""
    coco = load(path)
    maps = []
    for annotation in coco["annotations"]:
        with Image.open(path.with_suffix("") / annotation["file_name"]) as image:
            maps.append(np.asarray(image).astype(int) @ (1, 256, 256**2))
    return coco, maps


def save_panoptic(path: Path, coco: Coco, maps: list[NDArray[Any]]) -> Path:
    """Write a panoptic file, with a PNG file of ids for each annotation beside it."""
    folder = path.with_suffix("")
    folder.mkdir(parents=True)
    for annotation, ids in zip(coco["annotations"], maps, strict=True):
        rgb = np.stack([ids, ids >> 8, ids >> 16], axis=-1) & 255
        Image.fromarray(rgb.astype(np.uint8)).save(folder / annotation["file_name"])
    return write_json(path, coco)
