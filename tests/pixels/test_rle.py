"""Masks to run lengths and back, with pycocotools as judge; what other tools write is looked at."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from msgspec import Raw
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.coco.segmentations import decode_segmentation, encode_segmentation
from cityscapes_coco.pixels.rle import decode_box, fill_image, find_rles, to_mask, to_rle, to_rles
from tests.conftest import run_script
from tests.files import GOLDEN_VAL, SAMPLE, write_json
from tests.oracle import count_runs

Mask = NDArray[np.uint8]

BITS = st.integers(0, 1)
MASKS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=BITS)


@given(MASKS, st.tuples(*[st.integers(0, 2)] * 4))
@example(np.array([[1, 0, 1], [1, 1, 1]], np.uint8), (0, 0, 0, 0))
@example(np.ones((2, 2), np.uint8), (1, 0, 1, 0))  # a run that goes on in the next column
@example(np.ones((2, 2), np.uint8), (0, 1, 0, 1))
def test_the_rle_is_the_one_of_pycocotools(mask: Mask, margins: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = margins
    frame = np.asfortranarray(np.pad(mask, ((top, bottom), (left, right))))
    [rle] = to_rles([(mask, left, top)], *frame.shape)
    assert rle == coco_mask.encode(frame)


@given(arrays(np.uint16, (6, 5), elements=st.sampled_from([0, 7, 24, 26000])))
@example(np.array([[7, 7], [24, 24], [7, 7]], np.uint16))  # rows without wanted values are cut off
def test_each_wanted_value_has_the_rle_of_its_mask(values: NDArray[np.uint16]) -> None:
    found = find_rles(values, lambda chosen: chosen == 24, least=24)
    assert list(found) == [24] * (24 in values)
    for value, rle in found.items():
        assert np.array_equal(coco_mask.decode(rle), values == value)


@given(st.lists(MASKS, min_size=1, max_size=5), st.integers(0, 4))
def test_rles_are_checked_together(masks: list[Mask], place: int) -> None:
    """Each fills its own image; with one that is a pixel short or has another character, not all
    do."""
    padded = [np.pad(mask, [(0, 9 - size) for size in mask.shape]) for mask in masks]
    rles: list[Any] = [coco_mask.encode(np.asfortranarray(mask)) for mask in padded]
    short: Any = {"size": [80, 1], "counts": [*range(12), 14]}
    *texts, wrong_text = [
        rle["counts"].decode() for rle in (*rles, coco_mask.frPyObjects(short, 80, 1))
    ]
    assert fill_image(texts, 81) and not fill_image(texts, 80)
    for wrong in wrong_text, "", "P", "\u00e4":
        assert not fill_image([*texts[:place], wrong, *texts[place:]], 81)


@given(MASKS, st.booleans())
def test_a_mask_comes_back_from_counts_as_a_text_or_numbers(mask: Mask, compressed: bool) -> None:
    rle = coco_mask.encode(np.asfortranarray(mask))
    segmentation = encode_segmentation(rle)
    if not compressed:
        segmentation = Raw(json.dumps({"size": mask.shape, "counts": count_runs(mask)}).encode())
    read = decode_segmentation(Annotation(segmentation=segmentation))
    assert np.array_equal(to_mask(to_rle(read, *mask.shape)), mask)


@given(MASKS, st.tuples(*[st.integers(0, 2)] * 4))
@example(np.ones((2, 2), np.uint8), (1, 0, 1, 0))
def test_the_box_of_a_mask_is_decoded_alone(mask: Mask, margins: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = margins
    frame = np.asfortranarray(np.pad(mask, ((top, bottom), (left, right))))
    decoded = decode_box(coco_mask.encode(frame))
    if decoded is None:
        assert not frame.any()
        return
    x, y, part = decoded
    assert all(line.any() for line in (part[0], part[-1], part[:, 0], part[:, -1]))
    again = np.zeros_like(frame)
    again[y : y + len(part), x : x + part.shape[1]] = part
    assert np.array_equal(again, frame)


BROKEN = {
    "an empty polygon": [[]],
    "two points": [[1, 1, 2, 2]],
    "half a point": [[1, 1, 2, 2, 3, 3, 4]],
    "NaN": [[1, 1, 2, 2, 3, float("nan")]],
    "infinity": [[1, 1, 2, 2, 3, float("inf")]],
    "far away": [[1, 1, 2, 2, 3, 10**9]],
    "beyond all bounds": [[1, 1, 2, 2, 10**400, 3]],
    "points as lists": [[[1, 1], [2, 2], [3, 1], 2, 2, 3]],
    "another size": {"size": [4, 5], "counts": [20]},
    "too few": {"size": [4, 4], "counts": [8, 7]},
    "too many": {"size": [4, 4], "counts": [8, 9]},
    "negative": {"size": [4, 4], "counts": [20, -4]},
    "an empty text": {"size": [4, 4], "counts": ""},
    "a text too short": {"size": [4, 4], "counts": "3"},
    "a text that breaks off": {"size": [4, 4], "counts": "P"},
    "a run beyond all bounds": {"size": [4, 4], "counts": "o" * 1000},
    "other characters": {"size": [4, 4], "counts": "\u00e4"},
    "half a character": {"size": [4, 4], "counts": "\ud800"},
}


def read_annotation(folder: Path, segmentation: object) -> Annotation:
    annotations = [{"segmentation": segmentation}]
    coco = {"images": [], "categories": [], "annotations": annotations}
    [annotation] = read_coco(write_json(folder / "file.json", coco)).annotations
    return annotation


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_segmentation_is_refused(kind: str, tmp_path: Path) -> None:
    """pycocotools itself would read memory that is not its own for some of these."""
    annotation = read_annotation(tmp_path, BROKEN[kind])
    with pytest.raises(ValueError, match=r"segmentation|polygon|RLE"):
        to_rle(decode_segmentation(annotation), 4, 4)


def zigzag(edges: int) -> list[float]:
    """A polygon that goes to and fro across a frame of Cityscapes."""
    return [number for y in range(edges) for number in (2048 * (y % 2), y % 1024)]


def test_outlines_longer_than_any_mask_needs_are_refused() -> None:
    """pycocotools walks along every edge, and keeps each step: 50 bytes a pixel."""
    assert to_mask(to_rle([zigzag(400)], 1024, 2048)).any()
    with pytest.raises(ValueError, match="polygons with an outline of 12288000 pixels"):
        to_rle([zigzag(3000)] * 2, 1024, 2048)


def test_a_small_file_of_long_outlines_takes_no_memory(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX")
    result = {"image_id": 1, "category_id": 1, "score": 1, "segmentation": [zigzag(25_000)]}
    results = write_json(tmp_path / "results.json", [result])
    assert results.stat().st_size < 250_000
    process = run_script(
        *("evaluate_coco.py", "--coco_dir", SAMPLE, "--coco", GOLDEN_VAL, "--results", results),
        *("--workers", "1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )
    assert process.returncode == 1
    assert process.stderr.startswith(f"error: {results}: results[0].segmentation: polygons with")


def test_a_polygon_may_be_two_sizes_of_the_image_away_and_no_further() -> None:
    for x in -200, 290:
        to_rle([[x, 0, x, 9, x + 9, 9]], 10, 100)
    for x in -201, 292:
        with pytest.raises(ValueError, match="far outside the image"):
            to_rle([[x, 0, x, 9, x + 9, 9]], 10, 100)
