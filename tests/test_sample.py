"""The sample: what it converts to, judged by the oracle and by what the original script wrote."""

import json
from pathlib import Path

import pytest

from data import predict
from tests.conftest import Coco, convert, run_script
from tests.files import OUTPUT, ROOT, SAMPLE, load
from tests.oracle import check_exact, read_maps

GOLDEN = ROOT / "tests" / "golden"
SPLITS = {"train": 81, "val": 34, "test": 0}  # and their instances: the maps of test have none
# Not every platform has these packages, which only make it faster.
WITHOUT_FAST_PACKAGES = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
sys.modules.update({{"kornia_rs": None, "zlib_ng": None}})
from main import main
raise SystemExit(main(sys.argv[1:]))
"""


def output(folder: Path, split: str) -> Path:
    return folder / OUTPUT.replace("train", split)


def test_the_golden_files_are_exact() -> None:
    maps = read_maps(SAMPLE)
    for split, instances in SPLITS.items():
        assert len(check_exact(load(output(GOLDEN, split)), maps)) == instances


@pytest.mark.parametrize("workers", [1, 2])
def test_the_sample_converts_to_the_golden_files(workers: int, tmp_path: Path) -> None:
    """With whatever versions of numpy and OpenCV are installed, and without the fast packages."""
    script = ROOT / "main.py"
    if workers == 1:
        script = tmp_path / "main.py"
        script.write_text(WITHOUT_FAST_PACKAGES)
    options = "--datadir", SAMPLE, "--outdir", tmp_path, "--workers", workers
    assert run_script(str(script), *options).returncode == 0
    for split in SPLITS:
        assert output(tmp_path, split).read_bytes() == output(GOLDEN, split).read_bytes()


def test_the_predictions_of_the_sample_are_made_again(tmp_path: Path) -> None:
    assert predict.main(["--out", str(tmp_path / "predictions.json")]) == 0
    made = (tmp_path / "predictions.json").read_bytes()
    assert made == (SAMPLE / "predictions.json").read_bytes()


def describe(coco: Coco) -> tuple[Coco, list[str]]:
    """The images and annotations of a file, without ids and order."""
    files = {image["id"]: image["file_name"] for image in coco["images"]}
    names = {category["id"]: category["name"] for category in coco["categories"]}
    fields = ("width", "height", "seg_file_name")
    images = {image["file_name"]: [image[field] for field in fields] for image in coco["images"]}
    return images, sorted(
        json.dumps(
            [files[annotation["image_id"]], names[annotation["category_id"]]]
            + [annotation[field] for field in ("iscrowd", "area", "bbox", "segmentation")]
        )
        for annotation in coco["annotations"]
    )


def test_like_original_writes_what_the_original_wrote(tmp_path: Path) -> None:
    """The golden files are what the original script, with OpenCV 4.14, wrote for the sample."""
    convert(SAMPLE, "--outdir", tmp_path, "--like-original")
    for split in "train", "val":
        original = load(GOLDEN / f"original_{split}.json")
        assert describe(load(output(tmp_path, split))) == describe(original)
