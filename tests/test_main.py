"""The program as its users call it: what it writes, prints, and says of what is wrong."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from main import main
from tests.conftest import WriteMap, touch

ROOT = Path(__file__).parent.parent
STREET = [[23, 23, 23, 26001], [26000, 7, 24, 24], [26000, 26000, 7, 29000]]
OUTPUT = "instancesonly_filtered_gtFine_train.json"


def convert(datadir: Path, *options: str) -> dict:
    assert main(["--datadir", str(datadir), *options]) == 0
    return json.loads((datadir / "annotations" / OUTPUT).read_bytes())


# What the file holds.


def test_a_map_becomes_a_complete_coco_file(datadir: Path, write_map: WriteMap) -> None:
    write_map(STREET, name="a-b_000002_000007")
    coco = convert(datadir)
    assert list(coco) == ["info", "licenses", "categories", "images", "annotations"]
    assert coco["images"] == [
        {
            "id": 1,
            "file_name": "leftImg8bit/train/a-b/a-b_000002_000007_leftImg8bit.png",
            "seg_file_name": "a-b_000002_000007_gtFine_instanceIds.png",
            "width": 4,
            "height": 3,
        }
    ]
    assert coco["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 3,
            "iscrowd": 0,
            "area": 3,
            "bbox": [0, 1, 2, 2],
            "instance_id": 26000,
            "segmentation": [[0, 3, 2, 3, 2, 2, 1, 2, 1, 1, 0, 1]],
        },
        {
            "id": 2,
            "image_id": 1,
            "category_id": 3,
            "iscrowd": 0,
            "area": 1,
            "bbox": [3, 0, 1, 1],
            "instance_id": 26001,
            "segmentation": [[3, 0, 3, 1, 4, 1, 4, 0]],
        },
    ]
    assert coco["licenses"][0]["url"] == "https://www.cityscapes-dataset.com/license/"


def test_categories_are_fixed_whatever_occurs(datadir: Path, write_map: WriteMap) -> None:
    write_map([[7]])
    coco = convert(datadir)
    assert [(c["id"], c["name"], c["supercategory"]) for c in coco["categories"]] == [
        (1, "person", "human"),
        (2, "rider", "human"),
        (3, "car", "vehicle"),
        (4, "truck", "vehicle"),
        (5, "bus", "vehicle"),
        (6, "train", "vehicle"),
        (7, "motorcycle", "vehicle"),
        (8, "bicycle", "vehicle"),
    ]
    assert coco["annotations"] == []


def test_chosen_categories_keep_the_official_order(datadir: Path, write_map: WriteMap) -> None:
    write_map(STREET)
    coco = convert(datadir, "--categories", "caravan", "car", "car")
    assert [(c["id"], c["name"]) for c in coco["categories"]] == [(1, "car"), (2, "caravan")]
    assert [a["category_id"] for a in coco["annotations"]] == [1, 1, 2]
    assert coco["info"]["options"]["categories"] == ["car", "caravan"]


def test_images_are_sorted_and_numbered_by_name(datadir: Path, write_map: WriteMap) -> None:
    for name in ("b_000000_000001", "a_000001_000019", "a-b_000000_000000", "a_000000_000020"):
        write_map([[26000]], name=name)
    coco = convert(datadir)
    names = [image["file_name"] for image in coco["images"]]
    assert names == sorted(names) and len(names) == 4
    assert [image["id"] for image in coco["images"]] == [1, 2, 3, 4]
    assert [(a["id"], a["image_id"]) for a in coco["annotations"]] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]


def test_the_file_wastes_no_bytes_on_white_space(datadir: Path, write_map: WriteMap) -> None:
    write_map(STREET)
    coco = convert(datadir)
    written = (datadir / "annotations" / OUTPUT).read_text()
    assert written == json.dumps(coco, separators=(",", ":"))


def test_the_same_bytes_whatever_the_order_of_files_and_splits(tmp_path: Path) -> None:
    def build(root: Path, order: int, *options: str) -> dict[str, bytes]:
        for split in ("train", "val")[::order]:
            for name in ("x_000000_000000", "y_000000_000000", "x_000001_000000")[::order]:
                folder = root / "gtFine" / split / name[0]
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"{name}_gtFine_instanceIds.png"
                cv2.imwrite(str(path), np.array(STREET, np.uint16) + (split == "val"))
        assert main(["--datadir", str(root), *options]) == 0
        return {path.name: path.read_bytes() for path in (root / "annotations").iterdir()}

    first = build(tmp_path / "one", 1)
    assert build(tmp_path / "two", -1, "--splits", "val", "train") == first
    assert build(tmp_path / "three", -1, "--splits", "val").items() <= first.items()


def test_bare_call_uses_the_default_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, datadir: Path, write_map: WriteMap
) -> None:
    write_map(STREET)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    datadir.rename(tmp_path / "data" / "cityscapes")
    assert main([]) == 0
    assert (tmp_path / "data" / "cityscapes" / "annotations" / OUTPUT).is_file()


def test_outdir_is_made_with_its_parents(datadir: Path, write_map: WriteMap) -> None:
    write_map(STREET)
    outdir = datadir / "a" / "b"
    assert main(["--datadir", str(datadir), "--outdir", str(outdir)]) == 0
    assert [path.name for path in outdir.iterdir()] == [OUTPUT]


# What is printed.


def test_the_summary_counts_what_is_in_the_file_and_what_is_not(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(STREET)
    assert main(["--datadir", str(datadir), "--like-original"]) == 0
    out, err = capsys.readouterr()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:3] == ["train", "images 1", "instances 1"]
    assert "car 1" in lines and "person 0" in lines and "caravan 0" not in lines
    assert "left out, groups: 1 person" in lines
    assert "left out, classes not asked for: 1 caravan" in lines
    assert "left out, a contour of two points or fewer: 1 car" in lines
    assert lines[-1].startswith(f"written to {datadir / 'annotations' / OUTPUT} (")
    assert "maps whose image is not here: 1 " in err


def test_unpaired_files_are_counted_in_a_warning(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(STREET, name="a_000000_000000")
    write_map(STREET, name="a_000001_000000")
    images = datadir / "leftImg8bit" / "train" / "a"
    images.mkdir(parents=True)
    for stem in ("a_000000_000000", "a_000005_000000", "a_000006_000000"):
        (images / f"{stem}_leftImg8bit.png").touch()
    assert main(["--datadir", str(datadir)]) == 0
    err = capsys.readouterr().err
    assert "images that have no map, so left out: 2" in err
    assert "maps whose image is not here: 1 " in err


# What is wrong, and what is said of it.


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    path.write_bytes(data)


def claim_more_rows(path: Path) -> None:
    """A file whose checksums are right and whose pixels end too early."""
    data = bytearray(path.read_bytes())
    data[20:24] = struct.pack(">I", 1000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def write_array(values: object, dtype: type, suffix: str = ".png") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(cv2.imencode(suffix, np.array(values, dtype))[1].tobytes())

    return write


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BAD_MAPS = {
    "truncated": (cut, "damaged PNG"),
    "empty": (lambda path: path.write_bytes(b""), "not a PNG"),
    "a flipped bit": (flip_a_bit, "damaged PNG"),
    "too few pixels": (claim_more_rows, "damaged PNG"),
    "a JPEG": (write_array([[7] * 8] * 8, np.uint8, ".jpg"), "not a PNG"),
    "8 bits": (write_array([[7]], np.uint8), "1 channel(s) of 8 bits"),
    "RGB": (write_array([[[7, 7, 7]]], np.uint8), "3 channel(s) of 8 bits"),
    "16 bits RGB": (write_array([[[7, 7, 7]]], np.uint16), "3 channel(s) of 16 bits"),
    "unknown label": (write_array([[34000]], np.uint16), "the value 34000"),
    "a folder": (make_folder, "cannot be read: Is a directory"),
}


@pytest.mark.parametrize("fault", BAD_MAPS)
def test_a_bad_map_fails_its_split_in_one_line_and_keeps_the_old_file(
    fault: str, datadir: Path, write_map: WriteMap, capfd: pytest.CaptureFixture[str]
) -> None:
    damage, says = BAD_MAPS[fault]
    write_map(STREET, split="val")
    write_map(STREET, name="a_000000_000000")
    bad = write_map(STREET, name="a_000001_000000")
    old = convert(datadir)
    damage(bad)
    capfd.readouterr()

    assert main(["--datadir", str(datadir)]) == 1
    err = capfd.readouterr().err
    lines = [line for line in err.splitlines() if "gtFine" in line]
    assert lines[0].startswith(f"{bad}: ") and says in lines[0]
    assert lines[1].startswith(f"error: {bad.parents[1]}: 1 of 2 maps cannot be read")
    assert "--skip-bad" in lines[1]
    assert json.loads((datadir / "annotations" / OUTPUT).read_bytes()) == old
    assert len(list((datadir / "annotations").iterdir())) == 2

    assert main(["--datadir", str(datadir), "--skip-bad"]) == 0
    out, err = capfd.readouterr()
    assert f"{bad}: " in err and says in err
    assert "left out, frames whose map cannot be read: 1" in out
    coco = json.loads((datadir / "annotations" / OUTPUT).read_bytes())
    assert [image["seg_file_name"] for image in coco["images"]] == [
        "a_000000_000000_gtFine_instanceIds.png"
    ]
    assert coco["info"]["skipped"] == [bad.name]


def test_every_bad_map_is_listed(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [write_map([[999]], name=f"a_{n:06d}_000000") for n in range(3)]
    assert main(["--datadir", str(datadir), "--skip-bad"]) == 1
    err = capsys.readouterr().err
    assert all(str(path) in err for path in bad)
    assert "3 of 3 maps cannot be read" in err
    assert not list((datadir / "annotations").iterdir())


BAD_FOLDERS = {
    "none": (lambda root: root.rmdir(), "no such folder"),
    "empty": (lambda root: None, "no gtFine folder in it; found nothing"),
    "others": (lambda root: touch(root / "readme"), "no gtFine folder in it; found readme"),
    "no split": (lambda root: (root / "gtFine/foo").mkdir(parents=True), "found foo"),
    "no maps": (lambda root: touch(root / "gtFine/val/a/a_polygons.json"), "no maps in it"),
}


@pytest.mark.parametrize("fault", BAD_FOLDERS)
def test_a_wrong_folder_is_named_with_what_was_found_instead(
    fault: str, datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build, says = BAD_FOLDERS[fault]
    build(datadir)
    assert main(["--datadir", str(datadir)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith(f"error: {datadir}") and says.format(datadir) in line


def test_a_split_that_is_asked_for_must_exist(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(STREET)
    assert main(["--datadir", str(datadir), "--splits", "train", "val"]) == 1
    assert "no folder val in it; found train" in capsys.readouterr().err
    assert not (datadir / "annotations").exists()


@pytest.mark.parametrize("where", ["annotations", f"annotations/{OUTPUT}"])
def test_an_output_that_cannot_be_written_is_named(
    where: str, datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(STREET)
    if where == "annotations":
        (datadir / where).touch()
    else:
        (datadir / where).mkdir(parents=True)
    assert main(["--datadir", str(datadir)]) == 1
    [line] = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith(f"error: {datadir / 'annotations'}") and "cannot be written: " in line
    if where != "annotations":
        assert [path.name for path in (datadir / "annotations").iterdir()] == [OUTPUT]


@pytest.mark.parametrize(
    "argv", [["--dataset", "kitti"], ["--splits", "dev"], ["--categories", "dog"], ["--no"]]
)
def test_a_wrong_command_line_is_exit_code_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(argv)
    assert exit_info.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_an_unknown_dataset_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--dataset", "kitti"])
    assert "cityscapes" in capsys.readouterr().err.splitlines()[-1]


def test_ctrl_c_leaves_nothing_behind(datadir: Path, write_map: WriteMap) -> None:
    for n in range(40):
        write_map(np.tile(np.array(STREET), (300, 400)), name=f"a_{n:06d}_000000")
    process = subprocess.Popen(
        [sys.executable, ROOT / "main.py", "--datadir", datadir],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (datadir / "annotations").exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not list((datadir / "annotations").iterdir())
