"""The files as trainers and other tools read them.

What installs without a deep-learning framework is loaded for real, each tool with the flags that
the README gives for it. The others have rules, taken from their loaders, that the files are held
against; the docstring of each test says where the rule is from.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import faster_coco_eval
import globox
import hotcoco
import numpy as np
import pytest
import supervision
from labelformat.formats import COCOInstanceSegmentationInput, COCOObjectDetectionInput
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.labels import category_instancesonly
from main import main

Convert = Callable[..., Path]
Coco = dict[str, Any]
Mask = NDArray[np.bool_]

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
MASKS = [
    (),
    ("--segmentation", "rle"),
    ("--crowd", "keep"),
    ("--segmentation", "rle", "--crowd", "keep"),
]


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Converts the sample with some options, once, and returns the file of train."""
    files: dict[tuple[str, ...], Path] = {}

    def convert_sample(*options: str) -> Path:
        if options not in files:
            folder = tmp_path_factory.mktemp("annotations")
            argv = ["--datadir", str(SAMPLE), "--outdir", str(folder), "--workers", "1"]
            assert main([*argv, "--splits", "train", *options]) == 0
            [files[options]] = folder.iterdir()
        return files[options]

    return convert_sample


@pytest.fixture(scope="module")
def maps() -> dict[str, Any]:
    paths = SAMPLE.glob("gtFine/*/*/*_instanceIds.png")
    return {path.name: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths}


def load(path: Path) -> Coco:
    return dict(json.loads(path.read_bytes()))


def by_image(coco: Coco) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The images of a file, each with its annotations."""
    return [
        (image, [a for a in coco["annotations"] if a["image_id"] == image["id"]])
        for image in coco["images"]
    ]


def true_masks(coco: Coco, maps: dict[str, Any]) -> dict[int, Mask]:
    """The mask of each annotation, by its id, straight from the maps."""
    return {
        annotation["id"]: maps[image["seg_file_name"]] == annotation["instance_id"]
        for image, annotations in by_image(coco)
        for annotation in annotations
    }


def corners(annotation: dict[str, Any]) -> list[float]:
    x, y, width, height = annotation["bbox"]
    return [x, y, x + width, y + height]


# Tools that are loaded for real.


@pytest.mark.parametrize("options", MASKS)
@pytest.mark.parametrize("reader", [COCO, faster_coco_eval.COCO, hotcoco.COCO])
def test_the_readers_of_coco_see_the_same_masks(
    reader: Any, options: tuple[str, ...], convert: Convert, maps: dict[str, Any]
) -> None:
    path = convert(*options)
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
    reader: Any, evaluator: Any, options: tuple[str, ...], convert: Convert
) -> None:
    path = convert(*options)
    truth = reader(str(path))
    evaluation = evaluator(truth, truth.loadRes(results_of(load(path))), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.parametrize("options", [*MASKS, ("--segmentation", "none")])
def test_hotcoco_finds_the_file_healthy(options: tuple[str, ...], convert: Convert) -> None:
    """What remains are remarks on the street itself: a narrow instance, and rare classes."""
    health = hotcoco.COCO(str(convert(*options))).healthcheck()
    assert health["errors"] == []
    remarks = {warning["code"] for warning in health["warnings"]}
    assert remarks <= {"extreme_aspect_ratio", "low_instance_category"}


def test_supervision_sees_the_same_masks_in_rles(convert: Convert, maps: dict[str, Any]) -> None:
    path = convert("--segmentation", "rle")
    coco = load(path)
    expected = true_masks(coco, maps)
    dataset = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path), force_masks=True)
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


def test_supervision_takes_polygons_for_pixel_centres(
    convert: Convert, maps: dict[str, Any]
) -> None:
    """The reason why its recipe has --segmentation rle: it fills polygons with OpenCV, so that
    masks grow by a pixel to the right and below."""
    path = convert()
    coco = load(path)
    expected = true_masks(coco, maps)
    dataset = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path), force_masks=True)
    for image, annotations in by_image(coco):
        _, _, detections = dataset[image["id"] - 1]
        for mask, annotation in zip(detections.mask, annotations, strict=True):
            assert mask[expected[annotation["id"]]].all()
            assert mask.sum() > annotation["area"]


@pytest.mark.parametrize("options", [(), ("--segmentation", "none"), ("--crowd", "keep")])
def test_globox_sees_the_same_boxes(options: tuple[str, ...], convert: Convert) -> None:
    coco = load(convert(*options))
    names = {category["id"]: category["name"] for category in coco["categories"]}
    found = globox.AnnotationSet.from_coco(convert(*options))
    assert len(found) == 3
    for image, annotations in by_image(coco):
        boxes = found[image["file_name"]].boxes
        assert [(box.label, list(box.ltrb)) for box in boxes] == [
            (names[a["category_id"]], corners(a)) for a in annotations
        ]


def test_labelformat_sees_the_same_boxes_and_polygons(convert: Convert) -> None:
    path = convert()
    coco = load(path)
    boxes = list(COCOObjectDetectionInput(path).get_labels())
    outlines = list(COCOInstanceSegmentationInput(path).get_labels())
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
def test_labelformat_reads_no_compressed_rle(options: tuple[str, ...], convert: Convert) -> None:
    """The reason why its recipe is the default: RLE, and so crowds, must be numbers for it."""
    with pytest.raises(ValueError):
        list(COCOInstanceSegmentationInput(convert(*options)).get_labels())


# Rules of tools that are too large to be installed here.


def test_detectron2_maps_ids_without_a_warning_and_finds_polygons(convert: Convert) -> None:
    """detectron2, data/datasets/coco.py, load_coco_json: ids of categories are 1..N, those of
    annotations unique; `ignore` is 0 or missing; a polygon has an even number of at least 6 values;
    the file name is joined to `image_root`. data/detection_utils.py, annotations_to_instances: with
    the default MASK_FORMAT, polygons are lists."""
    coco = load(convert())
    assert [category["id"] for category in coco["categories"]] == list(range(1, 9))
    ids = [annotation["id"] for annotation in coco["annotations"]]
    assert len(set(ids)) == len(ids)
    for image, annotations in by_image(coco):
        assert (SAMPLE / image["file_name"]).is_file()
        for annotation in annotations:
            assert "ignore" not in annotation and annotation["iscrowd"] == 0
            assert len(annotation["segmentation"]) > 0
            for polygon in annotation["segmentation"]:
                assert len(polygon) % 2 == 0 and len(polygon) >= 6


def test_detectron2_decodes_rles_as_bitmasks(convert: Convert, maps: dict[str, Any]) -> None:
    """detectron2, data/detection_utils.py, annotations_to_instances: with MASK_FORMAT bitmask, a
    dictionary is decoded by pycocotools as it is, and must have the size of the image."""
    coco = load(convert("--segmentation", "rle"))
    expected = true_masks(coco, maps)
    for annotation in coco["annotations"]:
        mask = coco_mask.decode(annotation["segmentation"])
        assert (mask == expected[annotation["id"]]).all()


@pytest.mark.parametrize("options", MASKS)
def test_mmdetection_keeps_every_instance_and_the_order_of_classes(
    options: tuple[str, ...], convert: Convert
) -> None:
    """mmdetection 3, datasets/coco.py, CocoDataset: classes are numbered in the order of the
    file's categories, which must be that of CityscapesDataset.METAINFO in datasets/cityscapes.py;
    the name is joined to data_prefix['img'], leftImg8bit/<split>/ in configs/_base_/datasets;
    instances whose box is outside of the image, or whose area or box is less than a pixel, are
    dropped.
    datasets/transforms/loading.py, LoadAnnotations: polygons have an even number of at least 6
    values; counts are text or a list."""
    path = convert("--file-names", "split", *options)
    coco = load(path)
    assert tuple(category["name"] for category in coco["categories"]) == (
        "person",
        "rider",
        "car",
        "truck",
        "bus",
        "train",
        "motorcycle",
        "bicycle",
    )
    for image, annotations in by_image(coco):
        assert (SAMPLE / "leftImg8bit/train" / image["file_name"]).is_file()
        assert any(not annotation["iscrowd"] for annotation in annotations)
        for annotation in annotations:
            left, top, right, bottom = corners(annotation)
            assert 0 <= left < right <= image["width"] and 0 <= top < bottom <= image["height"]
            assert annotation["area"] >= 1
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, dict):
                assert segmentation["size"] == [image["height"], image["width"]]
                assert isinstance(segmentation["counts"], str)
            else:
                assert all(len(p) % 2 == 0 and len(p) >= 6 for p in segmentation)


def test_ultralytics_finds_classes_from_0_and_flat_names(convert: Convert) -> None:
    """ultralytics, data/converter.py, convert_coco: image ids are formatted as integers; the class
    is category_id - 1; the label's name is the image's, in one folder that is made for it, so names
    have no folders; two instances with the same class and box would be taken for one; a mask is a
    list of polygons of plain numbers, which are divided by width and height, so within 0..1."""
    coco = load(convert("--file-names", "base"))
    assert [category["id"] - 1 for category in coco["categories"]] == list(range(8))
    names = [image["file_name"] for image in coco["images"]]
    assert len(set(names)) == len(names) and not any("/" in name for name in names)
    for image, annotations in by_image(coco):
        assert type(image["id"]) is int
        boxes = {(a["category_id"], *a["bbox"]) for a in annotations}
        assert len(boxes) == len(annotations)
        for annotation in annotations:
            for polygon in annotation["segmentation"]:
                assert min(polygon) >= 0
                assert max(polygon[::2]) <= image["width"]
                assert max(polygon[1::2]) <= image["height"]


def test_hugging_face_detr_takes_labels_and_polygons_as_they_are(
    convert: Convert, maps: dict[str, Any]
) -> None:
    """transformers, models/detr/image_processing_detr.py: prepare_coco_detection_annotation takes
    category_id for the label, which must be 0..N-1, needs area and bbox, and drops boxes that are
    empty within the image; convert_coco_poly_to_mask passes each segmentation to
    pycocotools' frPyObjects, which decodes no compressed RLE."""
    coco = load(convert("--category-ids", "zero"))
    expected = true_masks(coco, maps)
    assert [category["id"] for category in coco["categories"]] == list(range(8))
    for image, annotations in by_image(coco):
        size = (image["height"], image["width"])
        for annotation in annotations:
            assert annotation["iscrowd"] == 0 and annotation["area"] > 0
            left, top, right, bottom = corners(annotation)
            assert 0 <= left < right <= image["width"] and 0 <= top < bottom <= image["height"]
            mask = coco_mask.decode(coco_mask.frPyObjects(annotation["segmentation"], *size))
            assert (mask.any(axis=2) == expected[annotation["id"]]).all()


def test_hugging_face_mask2former_takes_a_map_of_instances(
    convert: Convert, maps: dict[str, Any]
) -> None:
    """transformers, models/mask2former/image_processing_mask2former.py,
    convert_segmentation_map_to_binary_masks: a map has a number for each instance, from 1, 0 being
    ignored, and a dictionary from these to labels from 0. Masks that overlap would be lost."""
    coco = load(convert("--category-ids", "zero", "--segmentation", "rle"))
    for image, annotations in by_image(coco):
        painted = np.zeros((image["height"], image["width"]), np.int32)
        for number, annotation in enumerate(annotations, 1):
            mask = coco_mask.decode(annotation["segmentation"]) == 1
            assert not painted[mask].any()
            painted[mask] = number
        for number, annotation in enumerate(annotations, 1):
            expected = maps[image["seg_file_name"]] == annotation["instance_id"]
            assert ((painted == number) == expected).all()


@pytest.mark.parametrize(
    ("names", "root"), [("datadir", SAMPLE), ("split", SAMPLE / "leftImg8bit" / "train")]
)
def test_torchvision_joins_names_to_one_root(names: str, root: Path, convert: Convert) -> None:
    """torchvision, datasets/coco.py, CocoDetection: images are sorted by id and opened at
    os.path.join(root, file_name); a target is the list of an image's annotations.
    tv_tensors/_dataset_wrapper.py, coco_dectection_wrapper_factory: every annotation has bbox, and
    segmentation, a list of polygons or an RLE that pycocotools decodes."""
    path = convert("--file-names", names)
    coco = COCO(str(path))
    ids = sorted(coco.imgs)
    assert ids == [1, 2, 3]
    for image_id in ids:
        assert (root / coco.loadImgs(image_id)[0]["file_name"]).is_file()
        for annotation in coco.loadAnns(coco.getAnnIds(image_id)):
            assert coco.annToMask(annotation).sum() == annotation["area"]


@pytest.mark.parametrize("options", MASKS)
def test_fiftyone_crops_masks_to_their_boxes(
    options: tuple[str, ...], convert: Convert, maps: dict[str, Any]
) -> None:
    """fiftyone, utils/coco.py: parse_coco_categories lists all ids from 0, COCOObject takes further
    fields as attributes, and _coco_segmentation_to_mask decodes polygons or an RLE and cuts the
    mask to the rounded box, in which all of it must be."""
    coco = load(convert(*options))
    expected = true_masks(coco, maps)
    names = {category["id"]: category["name"] for category in coco["categories"]}
    assert max(names) == len(names)
    for image, annotations in by_image(coco):
        assert (SAMPLE / image["file_name"]).is_file()
        for annotation in annotations:
            left, top, right, bottom = (round(value) for value in corners(annotation))
            cut = expected[annotation["id"]][top:bottom, left:right]
            assert cut.shape == (bottom - top, right - left)
            assert cut.sum() == annotation["area"]


def test_files_without_annotations_have_the_list_all_the_same(tmp_path: Path) -> None:
    """supervision, dataset/formats/coco.py, load_coco_annotations, and fiftyone, utils/coco.py:
    `annotations` must be there for the images to count as labelled."""
    argv = ["--datadir", str(SAMPLE), "--outdir", str(tmp_path), "--splits", "test"]
    assert main([*argv, "--workers", "1"]) == 0
    [path] = tmp_path.iterdir()
    coco = load(path)
    assert coco["annotations"] == [] and len(coco["images"]) == 1
    dataset = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path))
    assert len(dataset) == 1 and len(dataset[0][2]) == 0
