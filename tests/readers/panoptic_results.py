"""Panoptic results of trainers: the code in docs/panoptic.md, with a model that finds the segments
of the truth."""

import json
from typing import Any

import numpy as np
from PIL import Image
from recipe import DATADIR, PAGE, blocks, section


def write_panoptic_results(trainer: str, **made: Any) -> None:
    """Run the code of a trainer, which writes panoptic.json and the folder panoptic for the split
    val, given names that a training made."""
    for path in (DATADIR / "others" / "panoptic_train").glob("cityscapes_panoptic_*"):
        path.rename(DATADIR / "annotations" / path.name)
    [code] = blocks(section(f"Results of {trainer}", PAGE.with_name("panoptic.md")), "python")
    exec(code, made)


def find_segments(name="cityscapes_panoptic_val_trainId"):
    """Yield, for each image of val, the ids in its PNG file and its segments without groups."""
    path = DATADIR / "annotations" / f"{name}.json"
    for annotation in json.loads(path.read_text())["annotations"]:
        ids = np.array(Image.open(path.with_suffix("") / annotation["file_name"])) @ (1, 256, 65536)
        yield ids, [segment for segment in annotation["segments_info"] if not segment["iscrowd"]]
