"""COCO files: what is written is read again, and what another tool's file gets wrong is named."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, Raw

from cityscapes_coco import Options, UserError, convert_split, find_dataset
from cityscapes_coco.coco.reading import group_by_image, read_coco, read_info, read_options
from cityscapes_coco.coco.records import Annotation, Image, Info
from cityscapes_coco.coco.segmentations import decode_segmentation, has_segmentation
from cityscapes_coco.coco.writing import encode_segmentation, write_coco
from cityscapes_coco.convert.categories import list_categories
from cityscapes_coco.options import parse_categories
from tests.conftest import WriteMap, load, write_json

INFO = Info("a file", "https://example.org", "nobody", "1", {"min_area": 3}, ["a.png"])
EMPTY: dict[str, Any] = {"images": [], "categories": [], "annotations": []}


# Written and read.


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    categories = list_categories(parse_categories(["car", "person"]))
    images = [Image(n, f"{n}.png", f"map{n}.png", 6, 4) for n in (1, 2, 3)]
    polygons = [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]
    first = Annotation(1, 1, 2, 0, 1, (0, 0, 1, 1), 26000, encode_segmentation(polygons))
    runs = {"size": [4, 6], "counts": b"P5"}
    second = Annotation(2, 3, 1, 1, 2.5, (0, 0, 0.5, 2), 24, encode_segmentation(runs))
    with write_coco(path) as writer:
        writer.add(images[0], [first])
        writer.add(images[1], [])
        writer.add(images[2], [second, Annotation(3)])
        writer.finish(INFO, categories)
    coco = read_coco(path)
    assert (coco.categories, coco.images) == (categories, images)
    assert read_info(coco) == INFO and read_options(INFO) == Options(min_area=3)
    assert [decode_segmentation(annotation) for annotation in coco.annotations] == [
        polygons,
        {"size": (4, 6), "counts": "P5"},
        None,
    ]
    for read, written in zip(coco.annotations, [first, second, Annotation(3)], strict=True):
        read.segmentation = written.segmentation
        assert read == written
    # A field that is UNSET is not in the file.
    assert load(path)["annotations"][2] == {"id": 3}


def test_other_alphabets_are_written_as_ascii(datadir: Path, write_map: WriteMap) -> None:
    """Some readers open a file in the encoding of the system."""
    name = "Łódź東京\U0001f697"
    write_map(name=f"{name}_0_0")
    summary = convert_split(find_dataset(datadir), "train", datadir, warn=str)
    assert summary.path.read_bytes().isascii()
    assert load(summary.path)["images"][0]["seg_file_name"].startswith(name)


def test_an_error_of_the_frames_is_not_blamed_on_the_file(
    datadir: Path, write_map: WriteMap
) -> None:
    """The error names a full disk, as one of the file itself would."""
    write_map()
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "elsewhere")

    def fail(function: Any, frames: Any) -> Any:
        raise error
        yield

    out = datadir / "out"
    with pytest.raises(OSError, match="elsewhere") as raised:
        convert_split(find_dataset(datadir), "train", out, warn=str, run=fail)
    assert raised.value is error and os.listdir(out) == []


# What another tool's file gets wrong.


BAD_RECORDS = [
    ("images", "1", "images[0] should be an object, not an integer"),
    ("images", '{"id": "1"}', "images[0].id should be an integer, not a text"),
    ("images", '{"id": null}', "images[0].id should be an integer, not null"),
    ("images", '{"width": 6}, {"width": true}', "images[1].width should be an integer, not a bool"),
    ("images", '{"width": 1.5}', "images[0].width should be an integer, not a number"),
    ("categories", '{"name": 7}', "categories[0].name should be a text, not an integer"),
    ("annotations", '{"bbox": [0, 0, NaN, 1]}', "annotations[0].bbox[2] should be a number"),
    ("annotations", '{"bbox": [0, 0, 1]}', "annotations[0].bbox should be a list of length 4"),
    ("annotations", '{"area": Infinity}', "annotations[0].area should be a number"),
    ("annotations", '{"area": 1e99}', "annotations[0].area should be a number <= "),
    ("annotations", '{"iscrowd": "no"}', "annotations[0].iscrowd should be an integer or a bool"),
    ("annotations", f'{{"id": {10**30}}}', "annotations[0].id should be an integer <= "),
]


@pytest.mark.parametrize(("part", "record", "says"), BAD_RECORDS)
def test_a_bad_file_is_refused_by_record_and_field(
    part: str, record: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(EMPTY).replace(f'"{part}": []', f'"{part}": [{record}]'))
    with pytest.raises(UserError) as raised:
        read_coco(path)
    assert raised.value.where == str(path) and says in raised.value.reason
    assert "`" not in raised.value.reason


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"images": [', "not a JSON file"),
        (b"\xff\xfe{}", "not a JSON file"),
        (b'{"info": ' + b"[" * 100_000, "not a JSON file"),
        (b'[{"image_id": 1, "score": 0.5}]', "a list, perhaps of results; give the COCO file"),
        (b'{"images": [], "categories": []}', "no list of annotations in it"),
        (b'{"images": {}, "categories": [], "annotations": []}', "images should be a list, not an"),
    ],
    ids=["truncated", "not UTF-8", "nested", "results", "no annotations", "images as an object"],
)
def test_what_is_no_coco_file_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=says):
        read_coco(path)


@pytest.mark.parametrize(
    ("segmentation", "says"),
    [
        ("7", "segmentation should be polygons or run lengths, not an integer"),
        ('[[1, 1, 2, "3"]]', "segmentation[0][3] should be a number, not a text"),
        ("[7]", "segmentation[0] should be a list, not an integer"),
        ('{"counts": [16]}', "segmentation has no size"),
        ('{"size": [4, 4]}', "segmentation has no counts"),
        ('{"size": [4], "counts": [4]}', "segmentation.size should be a list of length 2"),
        ('{"size": [4, 4], "counts": [16.0]}', "segmentation.counts[0] should be an integer"),
    ],
)
def test_a_bad_segmentation_is_refused_when_it_is_needed(segmentation: str, says: str) -> None:
    annotation = Annotation(segmentation=Raw(segmentation.encode()))
    with pytest.raises(ValueError) as raised:
        decode_segmentation(annotation)
    assert says in str(raised.value) and has_segmentation(annotation)


def test_what_another_tool_leaves_out_or_adds_is_no_fault(tmp_path: Path) -> None:
    foreign = {"annotations": [{"more": 1, "image_id": 7, "segmentation": None}, {"bbox": [0] * 4}]}
    path = write_json(tmp_path / "file.json", EMPTY | foreign | {"info": {"year": 2017}})
    coco = read_coco(path)
    first, second = coco.annotations
    assert (first.id, second.bbox, coco.licenses) == (UNSET, (0, 0, 0, 0), UNSET)
    assert not has_segmentation(first) and not has_segmentation(second)
    assert group_by_image(coco.annotations) == {7: [first], UNSET: [second]}
    assert read_info(coco) is None and read_options(None) == Options()


@pytest.mark.parametrize(
    "options",
    [
        *({"crowd": "kept"}, {"min_area": "few"}, {"min_area": -1}),
        {"images": ["[" * 50_000]},  # a pattern that would take minutes to match
    ],
)
def test_options_of_a_file_that_are_none_are_taken_for_the_defaults(options: Any) -> None:
    assert read_options(Info("", "", "", "", options, [])) == Options()
