"""The sample and generated streets, converted and judged by the oracle and by pycocotools."""

import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from data.generate import write_dataset
from tests.conftest import OUTPUT, SAMPLE, Coco, convert, load
from tests.oracle import check_exact, read_maps

GOLDEN = Path(__file__).parent / "golden"
SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    convert(SAMPLE, "--outdir", folder)
    return folder


def output(folder: Path, split: str) -> Path:
    return folder / OUTPUT.replace("train", split)


@pytest.mark.parametrize(("split", "instances"), [("train", 81), ("val", 34), ("test", 0)])
def test_each_instance_of_the_sample_is_there_and_exact(
    outdir: Path, split: str, instances: int
) -> None:
    """The maps of the test split are dummies, as those of Cityscapes are."""
    coco = load(output(outdir, split))
    assert len(check_exact(coco, read_maps(SAMPLE))) == instances and coco["images"]


def test_each_instance_of_generated_frames_is_there_and_exact(tmp_path: Path) -> None:
    write_dataset(tmp_path, seed=7, frames={"train": 6})
    coco = convert(tmp_path, "--workers", "2")
    assert len(check_exact(coco, read_maps(tmp_path))) > 100


def test_masks_evaluated_against_themselves_are_perfect(outdir: Path) -> None:
    truth: Any = COCO(output(outdir, "train"))
    results = [
        {"image_id": a["image_id"], "category_id": a["category_id"], "score": 1.0}
        | {"segmentation": truth.annToRLE(a)}
        for a in truth.dataset["annotations"]
    ]
    evaluation = COCOeval(truth, truth.loadRes(results), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    # Of all sizes, and the first hundred of each image and class.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    assert precision[precision > -1].min() == pytest.approx(1.0)


@pytest.mark.parametrize("split", SPLITS)
def test_the_sample_converts_to_the_golden_file(outdir: Path, split: str) -> None:
    """With whatever versions of numpy and OpenCV are installed."""
    assert output(outdir, split).read_bytes() == output(GOLDEN, split).read_bytes()


def described(coco: Coco) -> tuple[Coco, list[str]]:
    """The images and annotations of a file, without ids and order."""
    files = {image["id"]: image["file_name"] for image in coco["images"]}
    names = {category["id"]: category["name"] for category in coco["categories"]}
    images = {
        image["file_name"]: [image["width"], image["height"], image["seg_file_name"]]
        for image in coco["images"]
    }
    return images, sorted(
        json.dumps(
            [files[annotation["image_id"]], names[annotation["category_id"]]]
            + [annotation[key] for key in ("iscrowd", "area", "bbox", "segmentation")]
        )
        for annotation in coco["annotations"]
    )


@pytest.mark.parametrize("split", ["train", "val"])
def test_like_original_writes_what_the_original_wrote(tmp_path: Path, split: str) -> None:
    """The golden files are what the original script, with OpenCV 4.14, wrote for the sample."""
    convert(SAMPLE, "--outdir", tmp_path, "--like-original")
    original = load(GOLDEN / f"original_{split}.json")
    assert described(load(output(tmp_path, split))) == described(original)
