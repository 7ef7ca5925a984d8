"""The results of trainers: read in every form they come in, or refused by record and reason."""

import gzip
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET

from cityscapes_coco import UserError
from cityscapes_coco.coco import json_file
from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import Category, CocoFile, Image
from cityscapes_coco.pixels.rle import to_mask
from cityscapes_coco.scores.results import decode_masks, read_results
from tests.files import write_json
from tests.oracle import count_runs, encode

NAME = "leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png"
COCO = CocoFile(
    [Category(1, "person"), Category(3, "car")],
    [
        Image(7, NAME, width=6, height=4),
        Image(9, "leftImg8bit/val/aachen/twice.png", width=6, height=4),
        Image(10, "leftImg8bit/val/ulm/twice.png", width=6, height=4),
        Image(11, width=6, height=4),
    ],
    [],
)
MASK = np.zeros((4, 6), bool)
MASK[1:3, 2:5] = True
BOX = {"image_id": 7, "category_id": 3, "score": 0.5, "bbox": [2, 1, 3, 2]}
MASKS = {
    "compressed": encode(MASK),
    "uncompressed": {"size": [4, 6], "counts": count_runs(MASK)},
    "polygons": [[2, 1, 5, 1, 5, 3, 2, 3]],
    "fields that nobody asked for": encode(MASK) | {"area": 6},
}


@pytest.mark.parametrize("form", MASKS)
@pytest.mark.parametrize("place", ["a list", "annotations"])
def test_masks_of_each_form_are_read(form: str, place: str, tmp_path: Path) -> None:
    records = [BOX | {"segmentation": mask} for mask in (MASKS[form], [])]
    content = records if place == "a list" else {"info": "of a trainer", "annotations": records}
    path = write_json(tmp_path / "results.json", content)
    whole, empty = read_results(open_json(path), COCO)
    assert (whole.id, empty.id) == (1, 2)
    assert (whole.image_id, whole.category_id, whole.score) == (7, 3, 0.5)
    assert (to_mask(decode_masks(path, [whole], (4, 6))[0]) == MASK).all()
    assert not to_mask(decode_masks(path, [empty], (4, 6))[0]).any()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("place", ["a list", "annotations"])
def test_results_of_each_encoding_are_read(encoding: str, place: str, tmp_path: Path) -> None:
    content = "\n" + " " * 200 + json.dumps([BOX] if place == "a list" else {"annotations": [BOX]})
    for name, packed in ("r.json", content.encode(encoding)), ("r.json.gz", zipped(content)):
        path = tmp_path / name
        path.write_bytes(packed)
        assert [result.bbox for result in read_results(open_json(path), COCO)] == [(2, 1, 3, 2)]


def zipped(content: str) -> bytes:
    return gzip.compress(content.encode(), mtime=0)


@pytest.mark.parametrize("nothing", [{}, {"segmentation": []}, {"segmentation": None}])
def test_boxes_alone_are_read(nothing: dict[str, Any], tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", [BOX | nothing | {"bbox": [-2, 1, 3, 2]}] * 2)
    for result in read_results(open_json(path), COCO):
        assert result.bbox == (-2, 1, 3, 2) and result.segmentation is UNSET
        assert decode_masks(path, [result], (4, 6))[0] is None
    assert read_results(open_json(write_json(path, [])), COCO) == []


BAD_RESULTS = {
    '{"image_id": 8}': "results[1].image_id: 8 is neither the id nor the name of an image",
    '{"image_id": "ulm"}': "results[1].image_id: 'ulm' is neither the id nor the name of an image",
    '{"image_id": ""}': "results[1].image_id: '' is neither the id nor the name of an image",
    '{"image_id": "twice"}': "results[1].image_id: 'twice' fits several images",
    '{"image_id": null}': "results[1].image_id should be an integer or a text, not null",
    '{"category_id": 2}': "2 is no category of the COCO file, which has 1 person, 3 car",
    '{"category_id": "car"}': "results[1].category_id should be an integer, not a text",
    '{"score": "high"}': "results[1].score should be a number, not a text",
    '{"score": NaN}': "results[1].score should be a number, not a text, NaN or Infinity",
    '{"score": null}': "results[1].score should be a number, not null",
    '{"bbox": [0, 0, 1]}': "results[1].bbox should be a list of length 4",
    '{"bbox": [0, 0, -1, 1]}': "results[1].bbox: [0, 0, -1, 1] has a size below 0",
    '{"bbox": {}}': "results[1].bbox should be a list, not an object",
    '{"segmentation": null}': "results[1] has no segmentation, but others have",
}


@pytest.mark.parametrize("change", BAD_RESULTS)
@pytest.mark.parametrize("place", ["a list", "annotations"])
def test_a_bad_result_is_refused_by_record(change: str, place: str, tmp_path: Path) -> None:
    good = BOX | {"segmentation": MASKS["polygons"]}
    records: Any = [good, good | json.loads(change)]
    content = records if place == "a list" else {"annotations": records}
    assert BAD_RESULTS[change] in refuse(write_json(tmp_path / "results.json", content))


def refuse(path: Path, coco: CocoFile = COCO) -> str:
    """Read bad results, and return what is wrong with them."""
    with pytest.raises(UserError) as raised:
        read_results(open_json(path), coco)
    assert raised.value.where == str(path)
    return raised.value.reason


@pytest.mark.parametrize("field", ["image_id", "category_id", "score", "bbox"])
def test_a_field_that_is_missing_is_named(field: str, tmp_path: Path) -> None:
    record = {name: value for name, value in BOX.items() if name != field}
    reason = refuse(write_json(tmp_path / "results.json", [record]))
    assert re.search(rf"results\[0\] has n.* {field}", reason)


BAD_MASKS = {
    "turned": (encode(MASK.T), r"an RLE of size \[6, 4\], not \[4, 6\].*the height comes first"),
    "of another size": ({"size": [2, 3], "counts": [6]}, "resize masks to their image"),
    "cut off": ({"size": [4, 6], "counts": "P5"}, "an RLE whose runs do not fill the image"),
    "a polygon of two points": ([[1, 2, 3, 4]], "not a list of at least three points"),
    "a bitmap": (
        MASK.astype(int).tolist(),
        "rows of a bitmap, which are no polygons",
    ),
    "NaN": ([[float("nan"), 1, 2, 3, 4, 4]], "should be a number, not a text, NaN or Infinity"),
    "a text": ("mask.png", "segmentation should be polygons or run lengths"),
    "run lengths without a size": ({"counts": "P5"}, "segmentation has no size"),
}


@pytest.mark.parametrize("fault", BAD_MASKS)
def test_a_bad_mask_is_refused_when_it_is_decoded(fault: str, tmp_path: Path) -> None:
    mask, says = BAD_MASKS[fault]
    path = write_json(tmp_path / "results.json", [BOX | {"segmentation": mask}])
    [result] = read_results(open_json(path), COCO)
    with pytest.raises(UserError, match=rf"results\[0\].segmentation: .*{says}") as raised:
        decode_masks(path, [result], (4, 6))[0]
    assert raised.value.where == str(path)


NO_RESULTS = {
    b"": "an empty file",
    b"{}": "not a file of results: no list of annotations in it",
    b'{"annotations": 1}': "not a file of results: results should be a list, not an integer",
    b"0 0.5 0.5 0.2 0.3": "not a JSON file",
    b"[1]": "not a file of results: results[0] should be an object, not an integer",
    b'[{"image_id": 7': "not a JSON file",
    b'{"image_id": 7}\n{"image_id": 9}\n': "JSON lines, with an object in each",
    b"PK\3\4" + bytes(26) + b"results/data.pkl": "a file of PyTorch, not JSON; detectron2's",
    b"\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20": "a file of PyTorch, not JSON; detectron2's",
    pickle.dumps([BOX]): "a pickle file, not JSON; mmdetection's CocoMetric",
    b"PK\3\4" + bytes(26) + b"results.json": "a ZIP archive, not JSON; unpack it",
    b"\x93NUMPY\1\0": "a NumPy file, not JSON",
    zipped("[]")[:-3]: "a gzip file that is damaged",
    b"\x1f\x8bnothing of the kind": "a gzip file that is damaged",
}


@pytest.mark.parametrize("content", NO_RESULTS)
def test_a_file_of_no_results_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    assert NO_RESULTS[content] in refuse(path)


OUTPUT = {"boxes": [[2, 1, 5, 3]], "labels": [3], "scores": [0.5]}
BOXLESS: dict[str, Any] = {"bboxes": [], "labels": [], "scores": []}
FORMS: dict[str, list[object]] = {
    "as in detectron2's instances_predictions.pth": [[{"image_id": 7, "instances": [BOX]}]],
    "of mmdetection's DetInferencer": [BOXLESS, {"predictions": [BOXLESS], "visualization": []}],
    "as models of torchvision and Hugging Face return": [
        *([OUTPUT], {"7": OUTPUT}, {"a.png": [OUTPUT]}),
    ],
    "an object with an entry for each image": [{"7": [BOX], "9": []}, {"a.png": BOX}],
    "an object with predictions; ": [{"predictions": [BOX]}],
    "an object with results; write the list in it alone": [{"results": [BOX]}],
    "a COCO file without annotations; name it": [{"images": [{"id": 7}], "categories": []}],
    "detections of one image, as supervision has": [{"xyxy": [[2, 1, 5, 3]], "class_id": [3]}],
    "no list of annotations in it": [{"results": 1}, {}],
    "should be an object, not a list": [[[]], [[BOX]]],
    "results[1] has no score": [[BOX, {"image_id": 7, "category_id": 3}]],
}


@pytest.mark.parametrize("says", FORMS)
def test_predictions_in_another_form_are_called_what_they_are(says: str, tmp_path: Path) -> None:
    for form in FORMS[says]:
        assert says in refuse(write_json(tmp_path / "results.json", form))


def test_a_gzipped_coco_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    path.write_bytes(zipped('{"images": [], "categories": [], "annotations": []}'))
    assert read_coco(path) == CocoFile([], [], [])


def test_a_gzip_file_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "_MOST_UNPACKED", 1000)
    path = tmp_path / "results.json"
    path.write_bytes(zipped("[" + " " * 998 + "]"))
    assert read_results(open_json(path), COCO) == []
    path.write_bytes(zipped("[" + " " * 999 + "]"))
    assert "a gzip file that unpacks to more than 1000 bytes" in refuse(path)


# What is said of ids, those of the file, and those of the results.
NUMBERS: list[tuple[str, list[int], list[int]]] = [
    ("classes counted from 0: cityscapes-coco convert --category-ids zero", [1, 3, 8], [0, 1, 2]),
    ("classes counted from 1: cityscapes-coco convert --category-ids one", [24, 26, 33], [1, 3]),
    ("Cityscapes' label ids: cityscapes-coco convert --category-ids label", [1, 3, 8], [26, 24]),
    ("Cityscapes' train ids: write the ids of the file", [1, 3, 8], [13, 11, 18]),
    ("COCO's own classes: was the network trained on this file", [1, 3, 8], [1, 3, 62]),
]


@pytest.mark.parametrize(("says", "of_file", "of_results"), NUMBERS)
def test_numberings(says: str, of_file: list[int], of_results: list[int], tmp_path: Path) -> None:
    coco = CocoFile([*map(Category, of_file, ["person", "car", "bicycle"])], COCO.images, [])
    path = write_json(tmp_path / "results.json", [BOX | {"category_id": n} for n in of_results])
    reason = refuse(path, coco)
    assert "which has " in reason and f"; the ids fit {says}" in reason


def test_numbers_that_fit_nothing_are_only_refused(tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", [BOX | {"category_id": n} for n in (3, 999)])
    assert re.search(r"999 is no category .* has 1 person, 3 car$", refuse(path))
