"""The sample and generated streets, converted and judged by pycocotools and shapely."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.labels import LABELS
from data.generate import write_dataset
from main import main

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample"
GOLDEN = Path(__file__).parent / "golden"
SPLITS = ("train", "val", "test")
NAMES = {label.id: label.name for label in LABELS}


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    assert main(["--datadir", str(SAMPLE), "--outdir", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cityscapes")
    write_dataset(root, seed=7, frames={"train": 6})
    assert main(["--datadir", str(root), "--workers", "2"]) == 0
    return root


def output(folder: Path, split: str) -> Path:
    return folder / f"instancesonly_filtered_gtFine_{split}.json"


def check_exact(datadir: Path, coco: COCO) -> int:
    """Hold each instance of the default classes against its map; return how many there are."""
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    total = 0
    for image in coco.loadImgs(coco.getImgIds()):
        [map_path] = datadir.glob(f"gtFine/*/*/{image['seg_file_name']}")
        id_map = cv2.imread(str(map_path), cv2.IMREAD_UNCHANGED)
        assert id_map.shape == (image["height"], image["width"])
        found = {}
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            mask = id_map == annotation["instance_id"]
            assert np.array_equal(coco.annToMask(annotation), mask)
            ys, xs = np.nonzero(mask)
            left, top = int(xs.min()), int(ys.min())
            assert annotation["area"] == mask.sum()
            assert annotation["bbox"] == [left, top, xs.max() - left + 1, ys.max() - top + 1]
            assert annotation["iscrowd"] == 0
            for polygon in annotation["segmentation"]:
                assert shapely.Polygon(np.array(polygon).reshape(-1, 2)).is_valid
            found[annotation["instance_id"]] = names[annotation["category_id"]]
        wanted = {int(v): NAMES[v // 1000] for v in np.unique(id_map).tolist() if v >= 1000}
        assert found == {v: name for v, name in wanted.items() if name in names.values()}
        total += len(found)
    return total


@pytest.mark.parametrize("split", SPLITS)
def test_each_instance_of_the_sample_is_there_and_exact(outdir: Path, split: str) -> None:
    assert (check_exact(SAMPLE, COCO(output(outdir, split))) > 0) == (split != "test")


def test_each_instance_of_generated_frames_is_there_and_exact(generated: Path) -> None:
    assert check_exact(generated, COCO(output(generated / "annotations", "train"))) > 100


def test_the_test_split_has_its_images_and_no_annotations(outdir: Path) -> None:
    coco = json.loads(output(outdir, "test").read_bytes())
    assert len(coco["images"]) == 1 and coco["annotations"] == []


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_annotations_evaluated_against_themselves_are_perfect(outdir: Path, kind: str) -> None:
    truth = COCO(output(outdir, "train"))
    results = [
        {
            "image_id": annotation["image_id"],
            "category_id": annotation["category_id"],
            "segmentation": truth.annToRLE(annotation),
            "bbox": annotation["bbox"],
            "score": 1.0,
        }
        for annotation in truth.loadAnns(truth.getAnnIds())
    ]
    if kind == "bbox":
        for result in results:
            del result["segmentation"]
    evaluation = COCOeval(truth, truth.loadRes(results), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    # Of all sizes, and the first hundred of each image and class.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    assert precision[precision > -1].min() == pytest.approx(1.0)


@pytest.mark.parametrize("split", SPLITS)
def test_the_sample_converts_to_the_golden_file(outdir: Path, split: str) -> None:
    """With whatever versions of numpy and OpenCV are installed."""
    assert output(outdir, split).read_bytes() == output(GOLDEN, split).read_bytes()


def described(coco: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
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
    main(["--datadir", str(SAMPLE), "--outdir", str(tmp_path), "--like-original"])
    ours = json.loads(output(tmp_path, split).read_bytes())
    original = json.loads((GOLDEN / f"original_{split}.json").read_bytes())
    assert described(ours) == described(original)
