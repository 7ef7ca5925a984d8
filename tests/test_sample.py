"""The sample and generated streets, converted and judged by the oracle."""

import json
from pathlib import Path

import pytest

from data import predict
from data.generate import write_dataset
from tests.conftest import OUTPUT, ROOT, SAMPLE, Coco, convert, load, run_script
from tests.oracle import check_exact, read_maps

GOLDEN = ROOT / "tests" / "golden"
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


@pytest.fixture(scope="module", params=["fast packages", "without them"])
def outdir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    script = ROOT / "main.py"
    if request.param == "without them":
        script = folder / "main.py"
        script.write_text(WITHOUT_FAST_PACKAGES)
    done = run_script(str(script), "--datadir", SAMPLE, "--outdir", folder, "--workers", 1)
    assert done.returncode == 0
    return folder


@pytest.mark.parametrize(("split", "instances"), [("train", 81), ("val", 34), ("test", 0)])
def test_the_sample_converts_to_the_golden_file_which_is_exact(
    outdir: Path, split: str, instances: int
) -> None:
    """With whatever versions of numpy and OpenCV are installed. The maps of the test split are
    dummies, as those of Cityscapes are."""
    written = output(outdir, split)
    assert written.read_bytes() == output(GOLDEN, split).read_bytes()
    assert len(check_exact(load(written), read_maps(SAMPLE))) == instances


def test_each_instance_of_generated_frames_is_there_and_exact(tmp_path: Path) -> None:
    write_dataset(tmp_path, seed=7, frames={"train": 6})
    coco = convert(tmp_path, "--workers", "2")
    assert len(check_exact(coco, read_maps(tmp_path))) > 100


def test_the_predictions_of_the_sample_are_made_again(tmp_path: Path) -> None:
    assert predict.main(["--out", str(tmp_path / "predictions.json")]) == 0
    made = (tmp_path / "predictions.json").read_bytes()
    assert made == (SAMPLE / "predictions.json").read_bytes()


def described(coco: Coco) -> tuple[Coco, list[str]]:
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
        assert described(load(output(tmp_path, split))) == described(original)
