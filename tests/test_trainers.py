"""The files as other tools read them: what installs without a deep-learning framework is loaded for
real, each tool with the flags that the README gives for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import faster_coco_eval
import globox
import hotcoco
import numpy as np
import pytest
import supervision
from labelformat.formats import COCOInstanceSegmentationInput, COCOObjectDetectionInput
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.labels import category_instancesonly
from main import main
from tests import oracle
from tests.conftest import OUTPUT, SAMPLE, Coco, convert, load

FileOf = Callable[..., Path]
Mask = NDArray[np.bool_]
Maps = dict[str, NDArray[np.uint16]]

MASKS = [
    (),
    ("--segmentation", "rle"),
    ("--crowd", "keep"),
    ("--segmentation", "rle", "--crowd", "keep"),
]


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> FileOf:
    """Converts the sample with some options, once, and returns the file of train."""
    files: dict[tuple[str, ...], Path] = {}

    def convert_sample(*options: str) -> Path:
        if options not in files:
            outdir = tmp_path_factory.mktemp("annotations")
            convert(SAMPLE, "--outdir", outdir, "--splits", "train", *options)
            files[options] = outdir / OUTPUT
        return files[options]

    return convert_sample


@pytest.fixture(scope="module")
def maps() -> Maps:
    return oracle.read_maps(SAMPLE)


def by_image(coco: Coco) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The images of a file, each with its annotations."""
    return [
        (image, [a for a in coco["annotations"] if a["image_id"] == image["id"]])
        for image in coco["images"]
    ]


def true_masks(coco: Coco, maps: Maps) -> dict[int, Mask]:
    """The mask of each annotation, by its id, straight from the maps."""
    return {
        annotation["id"]: maps[image["seg_file_name"]] == annotation["instance_id"]
        for image, annotations in by_image(coco)
        for annotation in annotations
    }


def corners(annotation: dict[str, Any]) -> list[float]:
    x, y, width, height = annotation["bbox"]
    return [x, y, x + width, y + height]


@pytest.mark.parametrize("options", MASKS)
@pytest.mark.parametrize("reader", [COCO, faster_coco_eval.COCO, hotcoco.COCO])
def test_the_readers_of_coco_see_the_same_masks(
    reader: Any, options: tuple[str, ...], file_of: FileOf, maps: Maps
) -> None:
    path = file_of(*options)
    expected = true_masks(load(path), maps)
    coco = reader(str(path))
    annotations = coco.loadAnns(coco.getAnnIds())
    assert len(coco.getImgIds()) == 3 and len(annotations) == len(expected) > 80
    for annotation in annotations:
        assert (coco.annToMask(annotation) == expected[annotation["id"]]).all()


def results_of(coco: Coco) -> list[dict[str, Any]]:
    fields = ("image_id", "category_id", "bbox")
    return [
        {"score": 1.0} | {name: a[name] for name in fields}
        for a in coco["annotations"]
        if not a["iscrowd"]
    ]


@pytest.mark.parametrize(
    ("reader", "evaluator"),
    [
        (COCO, COCOeval),
        (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
        (hotcoco.COCO, hotcoco.COCOeval),
    ],
)
@pytest.mark.parametrize(
    "options", [("--segmentation", "none"), ("--crowd", "keep"), ("--category-ids", "label")]
)
def test_perfect_boxes_are_evaluated_as_perfect(
    reader: Any, evaluator: Any, options: tuple[str, ...], file_of: FileOf
) -> None:
    path = file_of(*options)
    truth = reader(str(path))
    evaluation = evaluator(truth, truth.loadRes(results_of(load(path))), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.parametrize("options", [*MASKS, ("--segmentation", "none")])
def test_hotcoco_finds_the_file_healthy(options: tuple[str, ...], file_of: FileOf) -> None:
    """What remains are remarks on the street itself: a narrow instance, and rare classes."""
    health = hotcoco.COCO(str(file_of(*options))).healthcheck()
    assert health["errors"] == []
    remarks = {warning["code"] for warning in health["warnings"]}
    assert remarks <= {"extreme_aspect_ratio", "low_instance_category"}


def test_supervision_sees_the_same_masks_in_rles(file_of: FileOf, maps: Maps) -> None:
    path = file_of("--segmentation", "rle")
    coco = load(path)
    expected = true_masks(coco, maps)
    dataset: Any = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path), force_masks=True)
    assert dataset.classes == list(category_instancesonly)
    assert len(dataset) == 3
    for image, annotations in by_image(coco):
        _, _, detections = dataset[image["id"] - 1]
        assert detections.xyxy.tolist() == [corners(a) for a in annotations]
        assert [dataset.classes[n] for n in detections.class_id] == [
            category_instancesonly[a["category_id"] - 1] for a in annotations
        ]
        for mask, annotation in zip(detections.mask, annotations, strict=True):
            assert (mask == expected[annotation["id"]]).all()


def test_supervision_takes_polygons_for_pixel_centres(file_of: FileOf, maps: Maps) -> None:
    """The reason why its recipe has --segmentation rle: it fills polygons with OpenCV, so that
    masks grow by a pixel to the right and below."""
    path = file_of()
    coco = load(path)
    expected = true_masks(coco, maps)
    dataset: Any = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path), force_masks=True)
    for image, annotations in by_image(coco):
        _, _, detections = dataset[image["id"] - 1]
        for mask, annotation in zip(detections.mask, annotations, strict=True):
            assert mask[expected[annotation["id"]]].all()
            assert mask.sum() > annotation["area"]


@pytest.mark.parametrize("options", [(), ("--segmentation", "none"), ("--crowd", "keep")])
def test_globox_sees_the_same_boxes(options: tuple[str, ...], file_of: FileOf) -> None:
    coco = load(file_of(*options))
    names = {category["id"]: category["name"] for category in coco["categories"]}
    found = globox.AnnotationSet.from_coco(file_of(*options))
    assert len(found) == 3
    for image, annotations in by_image(coco):
        boxes = found[image["file_name"]].boxes
        assert [(box.label, list(box.ltrb)) for box in boxes] == [
            (names[a["category_id"]], corners(a)) for a in annotations
        ]


def test_labelformat_sees_the_same_boxes_and_polygons(file_of: FileOf) -> None:
    path = file_of()
    coco = load(path)
    boxes = list(COCOObjectDetectionInput(path).get_labels())
    outlines: list[Any] = list(COCOInstanceSegmentationInput(path).get_labels())
    assert len(boxes) == len(outlines) == 3
    for (image, annotations), boxed, outlined in zip(by_image(coco), boxes, outlines, strict=True):
        assert boxed.image.filename == outlined.image.filename == image["file_name"]
        found = [(o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax) for o in boxed.objects]
        assert [list(box) for box in found] == [corners(a) for a in annotations]
        for annotation, instance in zip(annotations, outlined.objects, strict=True):
            polygons = [np.ravel(polygon).tolist() for polygon in instance.segmentation.polygons]
            assert polygons == annotation["segmentation"]
            assert instance.category.id == annotation["category_id"]


@pytest.mark.parametrize("options", MASKS[1:3])
def test_labelformat_reads_no_compressed_rle(options: tuple[str, ...], file_of: FileOf) -> None:
    """The reason why its recipe is the default: RLE, and so crowds, must be numbers for it."""
    with pytest.raises(ValueError):
        list(COCOInstanceSegmentationInput(file_of(*options)).get_labels())


def test_supervision_loads_a_file_without_annotations(tmp_path: Path) -> None:
    """It asks for the list even so."""
    argv = ["--datadir", str(SAMPLE), "--outdir", str(tmp_path), "--splits", "test"]
    assert main([*argv, "--workers", "1"]) == 0
    path = tmp_path / OUTPUT.replace("train", "test")
    dataset: Any = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path))
    assert len(dataset) == 1 and len(dataset[0][2]) == 0
