"""COCO files: what is written is read again."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from cityscapes_coco import Options, UserError, convert_split, find_dataset
from cityscapes_coco.coco.reading import read_coco, read_info, read_options
from cityscapes_coco.coco.records import Annotation, Category, Image, Info
from cityscapes_coco.coco.segmentations import decode_segmentation, encode_segmentation
from cityscapes_coco.coco.writing import write_coco
from tests.conftest import WriteMap
from tests.files import load

TEXTS: Any = {"description": "a file", "url": "x.org", "contributor": "nobody", "version": "1"}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    categories = [Category(1, "person", "human"), Category(2, "car")]
    info = Info(**TEXTS, split="val", options={"min_area": 3}, skipped=["a.png"])
    images = [Image(n, f"{n}.png", f"map{n}.png", 6, 4) for n in (1, 2, 3)]
    polygons = [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]
    first = Annotation(1, 1, 2, 0, 1, (0, 0, 1, 1), 26000, encode_segmentation(polygons))
    runs = {"size": [4, 6], "counts": b"P5"}
    second = Annotation(2, 3, 1, 1, 2.5, (0, 0, 0.5, 2), 24, encode_segmentation(runs))
    with write_coco(path) as writer:
        writer.add(images[0], [first])
        writer.add(images[1], [])
        writer.add(images[2], [second, Annotation(3)])
        writer.finish(info, [], categories)
    coco = read_coco(path)
    assert (coco.categories, coco.images) == (categories, images)
    assert read_info(coco) == info and read_options(coco) == Options(min_area=3)
    decoded = [decode_segmentation(annotation) for annotation in coco.annotations]
    assert decoded == [polygons, {"size": (4, 6), "counts": "P5"}, None]
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


def test_an_error_of_a_frame_is_not_blamed_on_the_file(frame: Path) -> None:
    """The error names a full disk, as one of the file itself would."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "elsewhere")

    def fail(function: Any, frames: Any) -> Any:
        raise error
        yield

    out = frame / "out"
    with pytest.raises(OSError, match="elsewhere") as raised:
        convert_split(find_dataset(frame), "train", out, warn=str, run=fail)
    assert raised.value is error and os.listdir(out) == []


def test_what_fails_when_the_file_is_put_in_place_is_blamed_on_it(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    says = r"file\.json: cannot be written"
    with pytest.raises(UserError, match=says), write_coco(path) as writer:
        writer.finish(Info(**TEXTS, options={}, skipped=[]), [], [])
        path.mkdir()
