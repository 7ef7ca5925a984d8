"""Files that many tests know, and how tests read and write files."""

import json
from pathlib import Path

from tests.oracle import Coco

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample"
OUTPUT = "instancesonly_filtered_gtFine_train.json"
PANOPTIC = "cityscapes_panoptic_train.json"
PREDICTIONS = SAMPLE / "predictions.json"
GOLDEN_VAL = ROOT / "tests" / "golden" / OUTPUT.replace("train", "val")


def load(path: Path) -> Coco:
    return dict(json.loads(path.read_bytes()))


def read_folder(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def touch(path: Path) -> Path:
    """Make an empty file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path
