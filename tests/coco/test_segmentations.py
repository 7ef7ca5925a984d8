"""Segmentations of another tool."""

import pytest
from msgspec import Raw

from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.coco.segmentations import decode_segmentation, has_segmentation


@pytest.mark.parametrize(
    ("segmentation", "says"),
    [
        ("7", "segmentation should be polygons or run lengths, not an integer"),
        ('[[1, 1, 2, "3"]]', "segmentation[0][3] should be a number, not a text"),
        ("[7]", "segmentation[0] should be a list, not an integer"),
        ('{"counts": [16]}', "segmentation has no size"),
        ('{"size": [4, 4]}', "segmentation has no counts"),
        ('{"size": [4], "counts": [4]}', "segmentation.size should be a list of length 2"),
        ('{"size": [4, 4], "counts": [16.5]}', "segmentation.counts[0] should be an integer"),
    ],
)
def test_a_bad_segmentation_is_refused_when_it_is_needed(segmentation: str, says: str) -> None:
    annotation = Annotation(segmentation=Raw(segmentation.encode()))
    with pytest.raises(ValueError) as raised:
        decode_segmentation(annotation)
    assert says in str(raised.value) and has_segmentation(annotation)


@pytest.mark.parametrize("nothing", ["null", "[]", "[ ]", "{\n}"])
def test_an_empty_segmentation_is_none_however_it_is_written(nothing: str) -> None:
    annotation = Annotation(segmentation=Raw(nothing.encode()))
    assert not has_segmentation(annotation) and decode_segmentation(annotation) is None
