"""The files as the tools read them that install without a deep-learning framework: their recipes,
and what the page on training says beside. tests/readers/run.py runs the recipes of all tools."""

import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import faster_coco_eval
import globox
import hotcoco
import numpy as np
import pytest
import supervision
from hotcoco.panoptic import pq_compute
from labelformat.formats import COCOInstanceSegmentationInput
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests import oracle
from tests.conftest import OUTPUT, PANOPTIC, ROOT, SAMPLE, Coco, convert, load
from tests.readers.run import run_commands

FileOf = Callable[..., Path]
Mask = NDArray[np.bool_]
Maps = dict[str, NDArray[np.uint16]]

LIGHT = "pycocotools", "faster_coco_eval", "hotcoco", "globox", "labelformat", "supervision"
RLE = ("--segmentation", "rle")
BOXES = ("--segmentation", "none")
CROWDS = ("--crowd", "keep")
MASKS = [(), RLE, CROWDS, RLE + CROWDS]
READERS = [
    (COCO, COCOeval),
    (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
    (hotcoco.COCO, hotcoco.COCOeval),
]


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> FileOf:
    """Converts the sample with some options, once, and returns the file of train."""

    @cache
    def convert_sample(*options: str) -> Path:
        outdir = tmp_path_factory.mktemp("annotations")
        convert(SAMPLE, "--outdir", outdir, *options)
        return outdir / OUTPUT

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
        annotation["id"]: maps[image["seg_file_name"]] == annotation["map_value"]
        for image, annotations in by_image(coco)
        for annotation in annotations
    }


def corners(annotation: dict[str, Any]) -> list[float]:
    x, y, width, height = annotation["bbox"]
    return [x, y, x + width, y + height]


@pytest.mark.parametrize("reader", LIGHT)
def test_the_recipe_runs_and_sees_what_is_in_the_maps(reader: str, tmp_path: Path) -> None:
    """With the versions that are installed, on the sample."""
    for name in "gtFine", "leftImg8bit":
        shutil.copytree(SAMPLE / name, tmp_path / name)
    for found in run_commands(reader, tmp_path, sys.executable):
        assert re.fullmatch("81 instances, boxes exact(, masks exact)?", found)


@pytest.mark.parametrize("options", MASKS)
@pytest.mark.parametrize(("reader", "_"), READERS)
def test_the_readers_of_coco_see_the_same_masks(
    reader: Any, _: Any, options: tuple[str, ...], file_of: FileOf, maps: Maps
) -> None:
    path = file_of(*options)
    expected = true_masks(load(path), maps)
    coco = reader(str(path))
    annotations = coco.loadAnns(coco.getAnnIds())
    assert len(coco.getImgIds()) == 3 and len(annotations) == len(expected) > 80
    for annotation in annotations:
        assert (coco.annToMask(annotation) == expected[annotation["id"]]).all()


@pytest.mark.parametrize(("reader", "evaluator"), READERS)
@pytest.mark.parametrize(
    ("options", "kind"),
    [(BOXES, "bbox"), (CROWDS, "bbox"), (CROWDS, "segm"), (("--category-ids", "label"), "bbox")],
)
def test_the_annotations_are_perfect_results(
    reader: Any, evaluator: Any, options: tuple[str, ...], kind: str, file_of: FileOf, maps: Maps
) -> None:
    coco = load(file_of(*options))
    masks = true_masks(coco, maps)
    results = [
        {name: a[name] for name in ("image_id", "category_id", "bbox")}
        | ({"segmentation": oracle.encode(masks[a["id"]])} if kind == "segm" else {})
        | {"score": 1.0}
        for a in coco["annotations"]
        if not a["iscrowd"]
    ]
    truth = reader(str(file_of(*options)))
    evaluation = evaluator(truth, truth.loadRes(results), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.parametrize("options", [*MASKS, BOXES])
def test_hotcoco_finds_the_file_healthy(options: tuple[str, ...], file_of: FileOf) -> None:
    """What remains are remarks on the street itself: a narrow instance, and rare classes."""
    health = hotcoco.COCO(str(file_of(*options))).healthcheck()
    assert health["errors"] == []
    remarks = {warning["code"] for warning in health["warnings"]}
    assert remarks <= {"extreme_aspect_ratio", "low_instance_category"}


def test_supervision_sees_polygons_too_large(file_of: FileOf, maps: Maps) -> None:
    """The reason why its recipe has --segmentation rle: it takes polygons for pixel centres, so
    that masks grow by a pixel to the right and below."""
    path = file_of()
    coco = load(path)
    expected = true_masks(coco, maps)
    dataset: Any = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path), force_masks=True)
    for image, annotations in by_image(coco):
        _, _, found = dataset[image["id"] - 1]
        for mask, annotation in zip(found.mask, annotations, strict=True):
            assert mask[expected[annotation["id"]]].all() and mask.sum() > annotation["area"]


@pytest.mark.parametrize("options", [BOXES, CROWDS])
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


@pytest.mark.parametrize("options", [RLE, CROWDS])
def test_labelformat_reads_no_compressed_rle(options: tuple[str, ...], file_of: FileOf) -> None:
    """The reason why its recipe is the default: RLE, and so crowds, must be numbers for it."""
    with pytest.raises(ValueError):
        list(COCOInstanceSegmentationInput(file_of(*options)).get_labels())


def test_hotcoco_scores_a_panoptic_file_with_numbers_for_image_ids(tmp_path: Path) -> None:
    """The recipe of the page on panoptic files replaces the texts, which hotcoco does not take."""
    convert(SAMPLE, "--outdir", tmp_path, "--panoptic")
    path = str(tmp_path / PANOPTIC)
    with pytest.raises(ValueError, match="expected a non-negative integer"):
        pq_compute(path, path)
    page = (ROOT / "docs" / "panoptic.md").read_text(encoding="utf-8")
    _, _, recipe = page.partition("### Numbers for image ids")
    exec(recipe.split("```")[1].removeprefix("python\n"), {"PANOPTIC": path})
    quality = pq_compute(path, path)
    assert quality["All"]["pq"] == quality["Things"]["pq"] == quality["Stuff"]["pq"] == 1.0


def test_supervision_loads_a_file_without_annotations(file_of: FileOf) -> None:
    """It asks for the list even so."""
    path = file_of().with_name(OUTPUT.replace("train", "test"))
    dataset: Any = supervision.DetectionDataset.from_coco(str(SAMPLE), str(path))
    assert len(dataset) == 1 and len(dataset[0][2]) == 0
