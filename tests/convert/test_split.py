"""What no single file has wrong, and what stands in the place of a file: said by the converter and
by the check alike."""

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inspect_coco
from main import main
from tests.conftest import OUTPUT, Capture, WriteMap, convert, posix_only, run_script, touch, verify

FRAMES = [f"aachen_{number:06d}_000019" for number in range(5)]
TRAIN_IDS = [[11000, 12000], [13000, 13001]]
NEVER = "that Cityscapes never writes: 1"


def photograph(datadir: Path, frame: str) -> Path:
    path = datadir / "leftImg8bit/train/aachen" / f"{frame}_leftImg8bit.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


# Maps of another encoding.


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("values", [(11000, 12000, 13000, 13001), (26 * 256 + 1, 26 * 256 + 2)])
def test_a_split_in_another_encoding_is_refused_with_the_remedy(
    values: tuple[int, ...], split: str, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    path = datadir / "annotations" / OUTPUT.replace("train", split)
    write_map(np.full((1, len(values)), 7), split)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 0
    earlier = path.read_bytes()
    write_map([values], split)
    capsys.readouterr()

    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    _, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {datadir / 'gtFine' / split}: no map has an instance; ")
    for part in str(values), "train ids", "simulator", "KITTI", "resized", "_instanceIds.png":
        assert part in line
    assert path.read_bytes() == earlier

    assert inspect_coco.main(["--coco_dir", str(datadir), "--split", split, "--verify"]) == 1
    out = capsys.readouterr().out
    assert f"map with values {NEVER}\n" in out and "maps without any instance: 1\n" in out


def test_a_frame_in_another_encoding_is_named_and_counted(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    name = write_map(TRAIN_IDS, name=FRAMES[1]).name
    coco = convert(datadir, "--verify")
    out, err = capsys.readouterr()
    warning = (
        f"maps with values {NEVER} (11000, 12000, 13000, 13001), such as {name}; likely train ids"
    )
    assert f"{datadir / 'gtFine' / 'train'}: {warning}" in err
    assert f"  maps with values {NEVER}\n" in out and coco["info"]["foreign"] == [name]
    assert f"  map with values {NEVER}\n    {FRAMES[1]}: 11000, 12000, 13000, 13001\n" in out
    assert out.endswith("  all exact\n")


@pytest.mark.parametrize(("split", "strange"), [("train", True), ("test", False)])
def test_a_split_without_instances_is_strange_unless_it_is_test(
    split: str, strange: bool, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map([[1, 2, 3]], split)
    assert main(["--datadir", str(datadir), "--workers", "1", "--verify"]) == 0
    out, err = capsys.readouterr()
    assert (
        "no map has an instance of any class; are these the instanceIds maps?" in err
    ) == strange
    assert ("maps without any instance" in out) == strange and out.endswith("  all exact\n")


# Photographs of another size.


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_photographs_of_another_size_are_counted_and_the_first_are_named(
    kind: str, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    for frame in FRAMES:
        write_map(name=frame)
        size = (4, 3) if frame == FRAMES[0] else (3, 4)
        Image.new("RGB", size).save(photograph(datadir, frame), kind)
    convert(datadir, "--verify")
    out, err = capsys.readouterr()
    named = [
        f"leftImg8bit/train/aachen/{frame}_leftImg8bit.png (3 x 4, the map 4 x 3)"
        for frame in FRAMES[1:4]
    ]
    [line] = err.splitlines()
    assert line.endswith(
        f"photographs of another size than their map: 4, such as {', '.join(named)}"
    )
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


@pytest.mark.parametrize("relative", [True, False])
def test_the_check_opens_no_photograph_outside_of_the_data_folder(
    relative: bool, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    outside = datadir.parent / "outside.png"
    Image.new("RGB", (8, 6)).save(outside)
    coco = convert(datadir)
    coco["images"][0]["file_name"] = "../outside.png" if relative else str(outside)
    assert verify(datadir, coco) == 0
    assert "another size" not in capsys.readouterr().out


# Names of images.


def test_below_the_split_is_below_the_last_folder_of_that_name(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map(name=FRAMES[0])
    touch(datadir / f"train/images/train/aachen/{FRAMES[0]}_leftImg8bit.png")
    [image] = convert(datadir, "--file-names", "split")["images"]
    assert image["file_name"] == f"aachen/{FRAMES[0]}_leftImg8bit.png"


def test_a_frame_in_two_folders_is_said_and_never_gets_one_name_twice(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    path = write_map()
    shutil.copytree(path.parent, path.parent.with_name("aachen (1)"))
    assert len(convert(datadir)["images"]) == 2
    told = f"frames in several folders, all of them converted: 1, such as {path.name}"
    assert told in capsys.readouterr().err
    old = (datadir / "annotations" / OUTPUT).read_bytes()
    assert main(["--datadir", str(datadir), "--workers", "1", "--file-names", "base"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    name = f"{FRAMES[0]}_leftImg8bit.png"
    assert line.startswith(f"error: {datadir}: --file-names base gives 2 images the name {name};")
    assert (datadir / "annotations" / OUTPUT).read_bytes() == old


# Something else in the place of a file.


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "a pointer of Git LFS, not",
        ),
        (b"\n<!DOCTYPE html>\n<title>Login</title>", "a web page, perhaps of a login, not the"),
        (b"<html><body>404", "a web page, perhaps of a login, not the"),
        (b"", "an empty file; get it again"),
    ],
)
def test_what_is_in_the_place_of_a_map_or_a_coco_file_is_told(
    content: bytes, says: str, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    path = write_map()
    path.write_bytes(content)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    _, line, _ = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: {says}")
    path = datadir / "file.json"
    path.write_bytes(content)
    assert inspect_coco.main(["--coco_dir", str(datadir), "--json", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {path}: {says}")
