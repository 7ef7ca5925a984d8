"""The program as its users call it: what it writes, prints, and says of what is wrong."""

import argparse
import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cityscapes_coco.cli.convert import build_parser, main
from cityscapes_coco.cli.evaluate import build_parser as build_evaluate
from cityscapes_coco.cli.inspect import build_parser as build_inspect
from tests.conftest import STREET, WriteMap, convert
from tests.files import OUTPUT


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


def test_images_are_in_the_order_of_their_names(datadir: Path, write_map: WriteMap) -> None:
    names = "a-b_000000_000000", "a_000000_000020", "a_000001_000019", "b_000000_000001"

    def build(order: int, *options: str) -> dict[str, bytes]:
        shutil.rmtree(datadir)
        for split in ("train", "val")[::order]:
            for name in names[::order]:
                write_map(np.array(STREET) + (split == "val"), split, name)
        assert main(["--datadir", str(datadir), *options]) == 0
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


def test_a_bare_call_has_default_folders(frame: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path := frame.parent)
    (tmp_path / "data").mkdir()
    frame.rename(tmp_path / "data" / "cityscapes")
    assert main([]) == 0
    assert (tmp_path / "data" / "cityscapes" / "annotations" / OUTPUT).is_file()


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
