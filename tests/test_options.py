"""Each option of the converter from end to end, judged by pycocotools and by our own check."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

import inspect_coco
from main import build_parser, main
from tests.conftest import WriteMap, touch

Coco = dict[str, Any]

NAME = "aachen_000000_000019"
OUTPUT = "instancesonly_filtered_gtFine_train.json"


def street() -> np.ndarray:
    """A map with a car that has a hole, a person as high as the frame, a pixel that is a bicycle, a
    trailer, and groups: cars in two parts, persons, and trailers."""
    id_map = np.full((16, 24), 7)
    id_map[2:9, 1:9] = 26001
    id_map[4:6, 3:5] = 7
    id_map[:, 10:13] = 24000
    id_map[0, 0] = 33000
    id_map[0:2, 20:] = 30000
    id_map[10:14, 2:9] = 26
    id_map[10:14, 14:16] = 26
    id_map[4:9, 14:22] = 24
    id_map[15, 23] = 30
    return id_map


@pytest.fixture
def frame(datadir: Path, write_map: WriteMap) -> Path:
    """A folder with one street and its photograph, which is empty."""
    write_map(street())
    touch(datadir / f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png")
    return datadir


def convert(datadir: Path, *options: str, output: str = OUTPUT) -> Coco:
    """Convert, have both programs check the result, and return it."""
    argv = ["--datadir", str(datadir), "--workers", "1", *options]
    assert main([*argv, "--verify"]) == 0
    path = datadir / "annotations" / output
    assert inspect_coco.main(["--coco_dir", str(datadir), "--json", str(path), "--verify"]) == 0
    return dict(json.loads(path.read_bytes()))


def decoded(datadir: Path, coco: Coco) -> dict[int, np.ndarray]:
    """The masks of a file by instance id, as pycocotools decodes them; each is held against the
    street, and so are its box and area."""
    path = datadir / "decoded.json"
    path.write_text(json.dumps(coco))
    reader = COCO(str(path))
    masks = {}
    for annotation in reader.dataset["annotations"]:
        mask = street() == annotation["instance_id"]
        rows, columns = np.nonzero(mask)
        left, top = columns.min(), rows.min()
        box = [left, top, columns.max() - left + 1, rows.max() - top + 1]
        assert annotation["area"] == mask.sum() and annotation["bbox"] == box
        masks[annotation["instance_id"]] = reader.annToMask(annotation)
        assert (masks[annotation["instance_id"]] == mask).all()
    return masks


# What is in a file.


def test_polygons_are_the_default(frame: Path) -> None:
    coco = convert(frame)
    assert convert(frame, "--segmentation", "polygon") == coco
    assert all(type(annotation["segmentation"]) is list for annotation in coco["annotations"])
    assert list(decoded(frame, coco)) == [24000, 26001, 33000]


def test_rles_are_compressed_text_and_exact(frame: Path) -> None:
    coco = convert(frame, "--segmentation", "rle")
    for annotation in coco["annotations"]:
        assert annotation["segmentation"]["size"] == [16, 24]
        assert type(annotation["segmentation"]["counts"]) is str
        # As pycocotools itself would write them.
        mask = np.asfortranarray(street() == annotation["instance_id"], np.uint8)
        rle = coco_mask.encode(mask)
        assert annotation["segmentation"]["counts"] == rle["counts"].decode()
    assert list(decoded(frame, coco)) == [24000, 26001, 33000]


@pytest.mark.parametrize("crowd", ["drop", "keep"])
def test_boxes_only_leaves_the_field_out(crowd: str, frame: Path) -> None:
    coco = convert(frame, "--segmentation", "none", "--crowd", crowd)
    with_masks = convert(frame, "--crowd", crowd)
    for annotation in with_masks["annotations"]:
        del annotation["segmentation"]
    assert coco["annotations"] == with_masks["annotations"]


@pytest.mark.parametrize("segmentation", ["polygon", "rle"])
def test_kept_groups_are_crowds_with_an_exact_rle(segmentation: str, frame: Path) -> None:
    coco = convert(frame, "--crowd", "keep", "--segmentation", segmentation)
    assert list(decoded(frame, coco)) == [24, 26, 24000, 26001, 33000]
    assert [a["iscrowd"] for a in coco["annotations"]] == [1, 1, 0, 0, 0]
    assert [a["category_id"] for a in coco["annotations"]] == [1, 3, 1, 3, 8]
    for annotation in coco["annotations"][:2]:
        assert type(annotation["segmentation"]["counts"]) is str


def test_kept_groups_are_those_of_the_chosen_classes(frame: Path) -> None:
    coco = convert(frame, "--crowd", "keep", "--categories", "trailer", "car")
    assert list(decoded(frame, coco)) == [26, 30, 26001, 30000]


def test_groups_are_exact_beside_the_contours_of_the_original(frame: Path) -> None:
    argv = ["--datadir", str(frame), "--like-original", "--crowd", "keep"]
    assert main(argv) == 0
    coco = json.loads((frame / "annotations" / OUTPUT).read_bytes())
    coco["annotations"] = [a for a in coco["annotations"] if a["iscrowd"]]
    assert list(decoded(frame, coco)) == [24, 26]


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("one", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("zero", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("label", [24, 25, 26, 27, 28, 31, 32, 33]),
    ],
)
def test_category_ids_are_of_the_kind_asked_for(kind: str, ids: list[int], frame: Path) -> None:
    coco = convert(frame, "--category-ids", kind)
    assert [category["id"] for category in coco["categories"]] == ids
    names = {category["id"]: category["name"] for category in coco["categories"]}
    found = {a["instance_id"]: names[a["category_id"]] for a in coco["annotations"]}
    assert found == {24000: "person", 26001: "car", 33000: "bicycle"}


@pytest.mark.parametrize(
    ("kind", "root"),
    [("datadir", "."), ("split", "leftImg8bit/train"), ("base", "leftImg8bit/train/aachen")],
)
def test_file_names_lead_to_the_photograph_from_where_they_start(
    kind: str, root: str, frame: Path
) -> None:
    [image] = convert(frame, "--file-names", kind)["images"]
    assert (frame / root / image["file_name"]).is_file()
    assert image["file_name"].count("/") == {"datadir": 3, "split": 1, "base": 0}[kind]


def test_small_instances_are_left_out_and_counted_by_class(
    frame: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = convert(frame, "--min-area", "48", "--crowd", "keep")
    assert list(decoded(frame, coco)) == [24000, 26001]
    out = capsys.readouterr().out
    assert "left out, smaller than 48 pixels: 1 person, 1 car, 1 bicycle" in out


def test_info_says_how_a_file_was_made(frame: Path) -> None:
    options = ["--segmentation", "rle", "--crowd", "keep", "--category-ids", "zero"]
    options += ["--file-names", "base", "--min-area", "2", "--skip-bad", "--categories", "car"]
    assert convert(frame, *options)["info"]["options"] == {
        "annotations": "gtFine",
        "images": ["leftImg8bit"],
        "categories": ["car"],
        "segmentation": "rle",
        "crowd": "keep",
        "min_area": 2,
        "category_ids": "zero",
        "file_names": "base",
        "skip_bad": True,
    }


@pytest.mark.parametrize(
    ("segmentation", "crowd", "ids", "names"),
    [*product(["polygon", "rle", "none"], ["drop", "keep"], ["zero", "label"], ["split", "base"])],
)
def test_the_check_understands_every_combination(
    segmentation: str, crowd: str, ids: str, names: str, frame: Path
) -> None:
    options = ["--segmentation", segmentation, "--crowd", crowd, "--category-ids", ids]
    coco = convert(frame, *options, "--file-names", names, "--min-area", "2")
    assert len(coco["annotations"]) == (2 if crowd == "drop" else 4)


@pytest.mark.parametrize(
    "argv",
    [
        ["--splits", "train_extra"],
        ["--annotations", "gtCoarse", "--splits", "test"],
        ["--segmentation", "rle", "--like-original"],
        ["--segmentation", "polygon", "--like-original"],
        ["--min-area", "-1"],
        ["--min-area", "few"],
        ["--crowd"],
        ["--images"],
    ],
)
def test_a_wrong_option_is_exit_code_2(argv: list[str], frame: Path) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--datadir", str(frame), *argv])
    assert exit_info.value.code == 2


def test_the_help_is_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = build_parser().format_help()
    assert len(text.splitlines()) <= 50
    assert max(len(line) for line in text.splitlines()) <= 80


# What the check finds in such files.


def test_a_lost_group_is_named_in_a_file_that_keeps_groups(frame: Path) -> None:
    coco = convert(frame, "--crowd", "keep")
    coco["annotations"] = [a for a in coco["annotations"] if not a["iscrowd"]]
    path = frame / "file.json"
    path.write_text(json.dumps(coco))
    assert inspect_coco.main(["--coco_dir", str(frame), "--json", str(path), "--verify"]) == 1


def test_a_lost_instance_is_named_if_it_is_large_enough(
    frame: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = convert(frame, "--min-area", "48")
    coco["annotations"].pop()
    path = frame / "file.json"
    path.write_text(json.dumps(coco))
    capsys.readouterr()
    assert inspect_coco.main(["--coco_dir", str(frame), "--json", str(path), "--verify"]) == 1
    out = capsys.readouterr().out
    assert "lost: 1" in out and "1 bicycle of less than 48 pixels" in out
