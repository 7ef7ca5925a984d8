"""The program as its users call it: what it writes, prints, and says of what is wrong."""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cityscapes_coco.cli.convert import build_parser, main
from cityscapes_coco.cli.evaluate import build_parser as build_evaluate
from cityscapes_coco.cli.inspect import build_parser as build_inspect
from tests.conftest import OUTPUT, STREET, Capture, WriteMap, convert, touch

# What the file holds.


def test_a_map_becomes_a_complete_coco_file(datadir: Path, write_map: WriteMap) -> None:
    name = "a-b_000002_000007"
    write_map(name=name)
    outdir = datadir / "made" / "with its parents"
    coco = convert(datadir, "--outdir", outdir)
    assert list(coco) == ["info", "licenses", "categories", "images", "annotations"]
    assert coco["images"] == [
        {"id": 1, "file_name": f"leftImg8bit/train/a-b/{name}_leftImg8bit.png"}
        | {"seg_file_name": f"{name}_gtFine_instanceIds.png", "width": 4, "height": 3}
    ]
    car = {"image_id": 1, "category_id": 3, "iscrowd": 0}
    assert coco["annotations"] == [
        {"id": 1, "map_value": 26000, "area": 3, "bbox": [0, 1, 2, 2]}
        | {"segmentation": [[0, 3, 2, 3, 2, 2, 1, 2, 1, 1, 0, 1]]}
        | car,
        {"id": 2, "map_value": 26001, "area": 1, "bbox": [3, 0, 1, 1]}
        | {"segmentation": [[3, 0, 3, 1, 4, 1, 4, 0]]}
        | car,
    ]
    assert coco["licenses"][0]["url"] == "https://www.cityscapes-dataset.com/license/"
    # No byte goes into white space, and nothing else into the folder.
    assert (outdir / OUTPUT).read_text() == json.dumps(coco, separators=(",", ":"))
    assert [path.name for path in outdir.iterdir()] == [OUTPUT]


def test_images_are_in_the_order_of_their_names_whatever_that_of_files_and_splits(
    datadir: Path, write_map: WriteMap
) -> None:
    names = "a-b_000000_000000", "a_000000_000020", "a_000001_000019", "b_000000_000001"

    def build(order: int, *options: str) -> dict[str, bytes]:
        shutil.rmtree(datadir)
        for split in ("train", "val")[::order]:
            for name in names[::order]:
                write_map(np.array(STREET) + (split == "val"), split, name)
        assert main(["--datadir", str(datadir), "--workers", "1", *options]) == 0
        return {path.name: path.read_bytes() for path in (datadir / "annotations").iterdir()}

    first = build(1)
    assert len(first) == 2
    assert build(-1, "--splits", "val", "train") == first
    assert build(-1, "--splits", "val").items() < first.items()
    coco = json.loads(first[OUTPUT])
    assert [(image["id"], image["seg_file_name"]) for image in coco["images"]] == [
        (number, f"{name}_gtFine_instanceIds.png") for number, name in enumerate(names, 1)
    ]
    found = [(a["id"], a["image_id"]) for a in coco["annotations"]]
    assert found == [(n + 1, n // 2 + 1) for n in range(8)]


def test_bare_call_uses_the_default_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, datadir: Path, write_map: WriteMap
) -> None:
    write_map()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    datadir.rename(tmp_path / "data" / "cityscapes")
    assert main([]) == 0
    assert (tmp_path / "data" / "cityscapes" / "annotations" / OUTPUT).is_file()


# What is printed.


def test_unpaired_files_are_counted_in_a_warning(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map(name="a_000000_000000")
    write_map(name="a_000001_000000")
    for stem in ("a_000000_000000", "a_000005_000000", "a_000006_000000"):
        touch(datadir / f"leftImg8bit/train/a/{stem}_leftImg8bit.png")
    convert(datadir)
    err = capsys.readouterr().err
    assert "images that have no map, so left out: 2" in err
    assert "maps whose image is not here: 1 " in err


# The command line.


@pytest.mark.parametrize(
    "options",
    [
        *("--dataset kitti", "--splits dev", "--splits train_extra", "--categories dog", "--no"),
        *("--splits test --annotations gtCoarse", "--segmentation original", "--crowd", "--images"),
        *("--segmentation rle --like-original", "--segmentation polygon --like-original"),
        "--workers 2 --scheduler tcp://127.0.0.1:1",
    ],
)
def test_a_wrong_option_is_exit_code_2(options: str, datadir: Path, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_info:
        # argparse compares with a default by identity.
        main(["--datadir", str(datadir), *map(sys.intern, options.split())])
    assert exit_info.value.code == 2
    # The last line names the option.
    out, err = capsys.readouterr()
    assert out == "" and options.split()[0] in err.splitlines()[-1]


@pytest.mark.parametrize("build", [build_parser, build_inspect, build_evaluate])
def test_the_help_is_short_and_ends_with_two_examples(
    build: Callable[[], argparse.ArgumentParser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = build().format_help().splitlines()
    assert len(lines) <= 75 and max(map(len, lines)) <= 80
    assert lines[0].endswith("[options]") and lines[-3] == "examples:"
    for example in lines[-2:]:
        _, _, *argv = shlex.split(example)
        build().parse_args(argv)
    assert any(line.startswith(("writes ", "prints ")) for line in lines)


# What is wrong, and what is said of it.


def test_every_bad_map_is_listed(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    bad = [write_map(name=f"a_{n:06d}_000000") for n in range(3)]
    for path in bad:
        path.write_bytes(b"")
    assert main(["--datadir", str(datadir), "--workers", "1", "--skip-bad"]) == 1
    err = capsys.readouterr().err
    assert all(str(path) in err for path in bad)
    assert "3 of 3 maps cannot be read" in err
    assert not list((datadir / "annotations").iterdir())


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda root: root.rmdir(), "no such folder"),
    "empty": (lambda root: None, "no gtFine folder in it; found nothing"),
    "others": (lambda root: touch(root / "readme"), "no gtFine folder in it; found readme"),
    "no split": (lambda root: (root / "gtFine/foo").mkdir(parents=True), "found foo"),
    "no maps": (lambda root: touch(root / "gtFine/val/a/a_polygons.json"), "no maps in it"),
}


@pytest.mark.parametrize("fault", BAD_FOLDERS)
def test_a_wrong_folder_is_named_with_what_was_found_instead(
    fault: str, datadir: Path, capsys: Capture
) -> None:
    build, says = BAD_FOLDERS[fault]
    build(datadir)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith(f"error: {datadir}") and says in line
