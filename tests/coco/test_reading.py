"""COCO files of any tool: what they get wrong is named, and what they leave out is no fault."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Raw

from cityscapes_coco import Options, UserError
from cityscapes_coco.coco import reading
from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.coco.segmentations import has_segmentation
from tests.files import write_json

EMPTY: dict[str, Any] = {"images": [], "categories": [], "annotations": []}

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
    ("annotations", '{"image_id": null, "segments_info": []}', "image_id should be an integer or"),
    ("annotations", '{"image_id": 1, "segments_info": {}}', "segments_info should be a list, not"),
    ("annotations", '{"image_id": 1, "segments_info": [{"id": ""}]}', "segments_info[0].id should"),
    ("annotations", f'{{"id": {10**30}}}', "annotations[0].id should be an integer <= "),
]


@pytest.mark.parametrize(("part", "record", "says"), BAD_RECORDS)
def test_a_bad_file_is_refused_by_record(part: str, record: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(EMPTY).replace(f'"{part}": []', f'"{part}": [{record}]'))
    with pytest.raises(UserError) as raised:
        reading.read_coco(path)
    assert raised.value.where == str(path) and says in raised.value.reason
    assert "`" not in raised.value.reason


NO_FILES = {
    b'{"images": [': "not a JSON file",
    b"\xff\xfe{}": "not a JSON file",
    b'{"info": ' + b"[" * 100_000: "not a JSON file",
    b'[{"image_id": 1, "score": 0.5}]': "a list, perhaps of results; give the COCO file",
    b'{"images": [], "categories": []}': "no list of annotations in it",
    b'{"images": {}, "categories": [], "annotations": []}': "images should be a list, not an",
}


def test_what_is_no_coco_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    for content, says in NO_FILES.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match=says):
            reading.read_coco(path)


def test_what_another_tool_leaves_out_or_adds_is_no_fault(tmp_path: Path) -> None:
    foreign = {"annotations": [{"more": 1, "image_id": 7, "segmentation": None}, {"bbox": [0] * 4}]}
    path = write_json(tmp_path / "file.json", EMPTY | foreign | {"info": {"year": 2017}})
    coco = reading.read_coco(path)
    first, second = coco.annotations
    assert (first.id, second.bbox, coco.licenses) == (UNSET, (0, 0, 0, 0), UNSET)
    assert not has_segmentation(first) and not has_segmentation(second)
    assert reading.group_by_image(coco.annotations) == {7: [first], UNSET: [second]}
    assert reading.read_info(coco) is None and reading.read_options(coco) == Options()


def test_options_of_a_file_that_are_none_are_taken_for_the_defaults() -> None:
    """A pattern as long as the last would take minutes to match."""
    told = {"description": "", "url": "", "contributor": "", "version": "", "skipped": []}
    wrong: list[object] = [{"crowd": "kept"}, {"min_area": "few"}, {"min_area": -1}]
    for options in *wrong, {"images": ["[" * 50_000]}:
        info = Raw(msgspec.json.encode({**told, "options": options}))
        assert reading.read_options(CocoFile([], [], [], info)) == Options()


def test_of_a_large_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    options: dict[str, Any] = {"crowd": "keep", "categories": ["a\"b{'"]}
    head = json.dumps({"info": {"options": options}}).replace(": ", ":")[:-1]
    with path.open("wb") as file:
        file.write(head.encode())
        file.truncate(1 << 34)
    assert reading.peek_options(path) == options


def test_of_two_panoptic_images_with_one_id_the_first_has_the_segments(tmp_path: Path) -> None:
    images = [{"id": "a", "file_name": name} for name in ("1.png", "2.png")]
    annotations = [{"image_id": "a", "file_name": "a.png", "segments_info": [{"id": 7}]}]
    content = EMPTY | {"images": images, "annotations": annotations}
    coco = reading.read_coco(write_json(tmp_path / "file.json", content))
    assert [image.id for image in coco.images] == [1, 2]
    [segment] = coco.annotations
    assert (segment.image_id, segment.map_value, coco.images[0].seg_file_name) == (1, 7, "a.png")
