"""Photographs of another size than their map, and polygons for readers that fill with OpenCV."""

import os
import struct
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from PIL import Image

from cityscapes_coco.convert import annotate
from main import main
from tests.conftest import (
    Capture,
    Patch,
    WriteMap,
    convert,
    fail,
    posix_only,
    run_script,
    street,
    verify,
)
from tests.files import OUTPUT
from tests.scores.conftest import score

FRAMES = [f"aachen_{number:06d}_000019" for number in range(5)]


def photograph(datadir: Path, frame: str) -> Path:
    path = datadir / "leftImg8bit/train/aachen" / f"{frame}_leftImg8bit.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_sizes_are_compared(kind: str, datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    for frame in FRAMES:
        write_map(name=frame)
        size = (4, 3) if frame == FRAMES[0] else (3, 4)
        Image.new("RGB", size).save(photograph(datadir, frame), kind)
    convert(datadir, "--verify")
    out, err = capsys.readouterr()
    name = "leftImg8bit/train/aachen/{}_leftImg8bit.png (3 x 4, the map 4 x 3)"
    named = map(name.format, FRAMES[1:4])
    told = f"photographs of another size than their map: 4, such as {', '.join(named)}\n"
    assert err.count("\n") == 1 and err.endswith(told)
    assert "  photographs of another size than their map: 4\n" in out
    assert "  photograph of another size than its map: 4\n" in out and "    and 1 more\n" in out
    assert f"{FRAMES[1]}_leftImg8bit.png: 3 x 4, the map has 4 x 3\n" in out
    assert out.endswith("  all exact\n")


@posix_only
def test_what_is_no_photograph_is_passed_over(datadir: Path, write_map: WriteMap) -> None:
    """Nor is anything said but the size of one that Pillow would warn of."""
    pipe, folder, text, large = (photograph(datadir, frame) for frame in FRAMES[1:])
    for frame in FRAMES[1:]:
        write_map(name=frame)
    os.mkfifo(pipe)
    folder.mkdir()
    text.write_text("no photograph")
    Image.new("RGB", (8, 8)).save(large, "JPEG")
    size = large.read_bytes().index(b"\xff\xc0") + 5
    content = bytearray(large.read_bytes())
    content[size : size + 4] = struct.pack(">HH", 12_000, 10_000)
    large.write_bytes(content)
    done = run_script("main.py", "--datadir", datadir, "--workers", 1)
    missing, line = done.stderr.splitlines()
    assert "maps whose image is not here: 1 " in missing
    assert done.returncode == 0 and "than their map: 1, such as" in line and "10000 x 12000" in line


def test_no_photograph_outside_counts(frame: Path, capsys: Capture) -> None:
    outside = frame.parent / "outside.png"
    Image.new("RGB", (8, 6)).save(outside)
    coco = convert(frame)
    for name in "../outside.png", str(outside):
        coco["images"][0]["file_name"] = name
        assert verify(frame, coco) == 0
    assert "another size" not in capsys.readouterr().out


def test_opencv_fills_the_masks(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    id_map = street()
    write_map(id_map)
    usual = convert(datadir, "--crowd", "keep")
    coco = convert(datadir, "--crowd", "keep", "--segmentation", "opencv", "--verify")
    out = capsys.readouterr().out
    assert "  polygons are filled as OpenCV fills them\n" in out and out.endswith("  all exact\n")
    assert coco["info"]["options"]["segmentation"] == "opencv"
    assert len(coco["annotations"]) == len(usual["annotations"]) > 3
    for annotation, other in zip(coco["annotations"], usual["annotations"], strict=True):
        segmentation, other_segmentation = annotation.pop("segmentation"), other.pop("segmentation")
        assert annotation == other
        if annotation["iscrowd"]:
            assert segmentation == other_segmentation
            continue
        mask = np.zeros(id_map.shape, np.uint8)
        for polygon in segmentation:
            cv2.fillPoly(mask, [np.array(polygon, np.int32).reshape(-1, 2)], 1)
        assert np.array_equal(mask == 1, id_map == annotation["map_value"])


def test_a_pixel_too_many_is_found(frame: Path, capsys: Capture) -> None:
    coco = convert(frame, "--segmentation", "opencv")
    [polygon] = coco["annotations"][0]["segmentation"]
    coco["annotations"][0]["segmentation"] = [[number + 1 for number in polygon]]
    assert verify(frame, coco) == 1
    assert "inexact: 1\n" in capsys.readouterr().out


def test_polygons_for_opencv_score_one(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map(street())
    masks = convert(datadir, "--segmentation", "rle")
    results = [annotation | {"score": 1} for annotation in masks["annotations"]]
    convert(datadir, "--segmentation", "opencv")
    average = score(datadir, datadir / "annotations" / OUTPUT, results)["coco"]["average"]
    assert average["box"]["ap"] == average["mask"]["ap"] == 1
    assert "filled as OpenCV fills them" in capsys.readouterr().out


def test_opencv_without_memory_is_out_of_memory(frame: Path, monkeypatch: Patch) -> None:
    error = cv2.error("Failed to allocate 8 bytes")
    error.code = -4  # what OpenCV calls StsNoMem
    monkeypatch.setattr(annotate, "to_polygons", Mock(side_effect=error))
    assert "out of memory" in fail(main, "--datadir", frame, "--workers", 1)
