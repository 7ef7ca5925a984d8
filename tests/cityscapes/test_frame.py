"""Names of files, with the official tools as judge."""

import pytest

from cityscapes_coco.cityscapes.frame import Frame, annotation_suffix
from cityscapes_coco.options import SPLITS, AnnotationType


@pytest.mark.parametrize("annotation_type", SPLITS)
def test_the_official_tools_read_our_names(annotation_type: AnnotationType) -> None:
    official = pytest.importorskip("cityscapesscripts.helpers.csHelpers")
    frame = Frame("", "val", "bad-honnef", "bad-honnef_000001_000019")
    read = official.getCsFileInfo(frame.stem + annotation_suffix(annotation_type))
    assert (read.city, read.sequenceNb, read.frameNb) == (frame.city, "000001", "000019")
    ends = {"gtBboxCityPersons": ("", "json"), "gtBboxValidated": ("", "json")}
    expected = ends.get(annotation_type, ("instanceIds", "png"))
    assert (read.type, read.type2, read.ext) == (annotation_type, *expected)
    read = official.getCsFileInfo(frame.usual_name)
    assert (read.city, read.type, read.ext) == (frame.city, "leftImg8bit", "png")
