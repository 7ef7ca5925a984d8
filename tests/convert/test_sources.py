"""The frame that each image of a COCO file shows."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from cityscapes_coco import UserError
from cityscapes_coco.coco.records import CocoFile, Image, Info
from cityscapes_coco.convert.sources import infer_annotation_type, infer_map_name, trace_images
from tests.conftest import WriteMap

STEM = "aachen_000000_000019"


def coco_of(*names: str) -> CocoFile:
    return CocoFile([], [Image(1, name) for name in names], [])


@pytest.mark.parametrize(
    "name",
    [
        f"leftImg8bit/val/aachen/{STEM}_leftImg8bit.png",
        f"val/{STEM}_leftImg8bit_foggy_beta_0.02.png",
        f"val\\aachen\\{STEM}.jpg",
        f"val/{STEM}_gtFine_leftImg8bit.png",
    ],
)
def test_an_image_is_traced_to_its_frame(name: str, datadir: Path, write_map: WriteMap) -> None:
    paths = [write_map(split="val"), write_map(split="val", name="bonn_000000_000019")]
    write_map(split="train")
    claimed, others = trace_images(coco_of(name), datadir)
    assert [frame.annotation_path for frame in [*claimed, *others]] == [*map(str, paths)]


@pytest.mark.parametrize("name", [f"{STEM}_leftImg8bit.png", "val/bonn_000000_000019.png"])
def test_an_image_of_several_maps_is_named(name: str, datadir: Path, write_map: WriteMap) -> None:
    write_map(split="val")
    write_map(split="train")
    with pytest.raises(UserError, match=f"or several: 1 of 1, such as {name}"):
        trace_images(coco_of(name), datadir)


def test_the_name_of_the_map_is_the_one_that_is_stated() -> None:
    image = Image(1, "photograph.png", f"{STEM}_gtCoarse_panoptic.png")
    assert infer_map_name(image, "_gtFine_instanceIds.png") == f"{STEM}_gtCoarse_instanceIds.png"


def test_the_type_of_the_maps_is_that_of_their_names_or_else_of_the_options() -> None:
    options = {"annotations": "gtCoarse"}
    info = Info(description="", url="", contributor="", version="", options=options, skipped=[])
    coco = coco_of("photograph.png")
    assert infer_annotation_type(coco) == "gtFine"
    coco.info = Raw(msgspec.json.encode(info))
    assert infer_annotation_type(coco) == "gtCoarse"
    coco.images[0].seg_file_name = f"{STEM}_gtFine_instanceIds.png"
    assert infer_annotation_type(coco) == "gtFine"
