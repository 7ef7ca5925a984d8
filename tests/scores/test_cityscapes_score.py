"""Cityscapes' score, judged by the official script of cityscapesscripts; and with the same results
COCO's, judged by pycocotools."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.scores.evaluate import Scores, evaluate_results
from cityscapes_coco.scores.submission import write_submission
from tests.conftest import Coco, convert, save_map, street
from tests.files import OUTPUT, write_json
from tests.oracle import box_of, coco_scores, encode, official_scores

NAMES = [f"ulm_{number:06d}_000019" for number in range(3)]


def frames() -> list[NDArray[np.uint16]]:
    """Maps of 96 x 64 pixels: the street at four times its size, with void, a bus, and, of fewer
    than 100 pixels, a car, a group of persons and one of buses, and trucks of 100 and 99 pixels;
    the same mirrored, with a bus for the bicycle; and road."""
    first = np.kron(street(), np.ones((4, 4), np.uint16))
    first[60:, 4:34] = 4
    first[:5, 40:50] = 26002
    first[50:55, 82:92] = 24
    first[10:20, 78:90] = 28003
    first[20:28, 78:88] = 28
    first[30:40, 80:90] = 27000
    first[40:49, 80:91] = 27001
    second = np.fliplr(first).copy()
    second[second == 33000] = 28000
    return [first, second, np.full((64, 96), 7, np.uint16)]


MAPS = frames()


@pytest.fixture(scope="module", params=["drop", "keep"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with these maps and their COCO file, without groups and with them."""
    folder = tmp_path_factory.mktemp("data")
    for name, values in zip(NAMES, MAPS, strict=True):
        save_map(folder / "gtFine" / "train" / "ulm" / f"{name}_gtFine_instanceIds.png", values)
    convert(folder, "--crowd", request.param)
    return folder


def judge(data: Path, results: list[Coco]) -> None:
    """Score results, and compare with pycocotools and with the official script."""
    path = data / "annotations" / OUTPUT
    with tempfile.TemporaryDirectory() as folder:
        file = write_json(Path(folder) / "results.json", results)
        scores = evaluate_results(path, file, data)
        write_submission(path, open_json(file), data, Path(folder) / "upload")
        maps = data.glob("gtFine/train/*/*_instanceIds.png")
        expected = official_scores(Path(folder) / "upload", maps)
    assert scores.cityscapes is not None
    found = {"average": scores.cityscapes.average, **scores.cityscapes.classes}
    assume(expected is not None)
    assert {name: [score.ap, score.ap50] for name, score in found.items()} == {
        name: [number and pytest.approx(number, abs=1e-9) for number in pair]
        for name, pair in (expected or {}).items()
    }
    # pycocotools takes the area of a box that is in the file for that of the mask.
    without_boxes = [{k: v for k, v in result.items() if k != "bbox"} for result in results]
    for shape, judged in ("box", results), ("mask", without_boxes):
        kind = {"box": "bbox", "mask": "segm"}[shape]
        assert numbers(scores, shape) == coco_scores(path, judged, kind)


def numbers(scores: Scores, shape: Any) -> dict[str, list[float | None]]:
    averages = {"average": scores.coco.average, **scores.coco.classes}
    return {
        name: [getattr(each[shape], field) for field in each[shape].__struct_fields__]
        for name, each in averages.items()
    }


def predict(
    frame: int,
    values: int | tuple[int, ...],
    category: int,
    score: float,
    move: tuple[int, int] = (0, 0),
    keep: int = 96,
) -> Coco:
    """A result: the pixels of values in a map, moved, of which only the first columns are kept."""
    mask = np.roll(np.isin(MAPS[frame], values), move, (0, 1))
    mask[:, keep:] = False
    return {
        "image_id": frame + 1,
        "category_id": category,
        "score": score,
        "bbox": list(box_of(mask)) if mask.any() else [0, 0, 0, 0],
        "segmentation": encode(mask),
    }


# Instances, groups, void, what is neither, nothing at all; and categories, right or wrong.
CLAIMS = [(value, 3) for value in (26000, 26000, 26001, 26002, 26, 30, 4, 7, 30000, 23000)]
CLAIMS += [(24000, 1), (24, 1), (26000, 1), (27000, 4), (27001, 4)]
CLAIMS += [(28000, 5), (28003, 5), (28, 5), (33000, 8)]
PREDICTIONS = st.builds(
    lambda frame, claim, *rest: predict(frame, *claim, *rest),
    st.integers(0, 2),
    st.sampled_from(CLAIMS),
    # Few, so that many are the same.
    st.sampled_from([0.25, 0.5, 0.75, 1]),
    st.sampled_from([(0, 0), (0, 0), (1, 0), (0, 2), (4, 4), (-9, 5)]),
    st.sampled_from([96, 96, 60, 50, 40, 12]),
)
WHOLE = predict(0, 26000, 3, 0.9)


# One car three times; a car of too few pixels, and a group; void, and another class.
@example([predict(0, 26000, 3, score, (move, 0)) for move, score in enumerate((0.5, 0.9, 0.5))])
@example([WHOLE, predict(0, 26002, 3, 0.95), predict(1, 26, 3, 0.5), predict(0, 26002, 3, 0.95)])
@example([WHOLE, predict(0, 4, 3, 0.95), predict(0, 30, 3, 0.95)])
@example([WHOLE, predict(0, 24000, 3, 0.95), predict(0, 30000, 3, 0.95)])
# A group twice; to COCO, what is too large for a range of areas.
@example([WHOLE, predict(0, 26, 3, 0.95), predict(0, 26, 3, 0.95, (1, 0))])
@example([WHOLE, predict(0, 7, 3, 0.95)])
@example([WHOLE, predict(0, 27000, 4, 0.9), predict(0, 27001, 4, 0.95)])
# An IoU of one half is too small, and half of a prediction on void is not enough; half on a group
# of too few pixels is, as that counts twice.
@example([predict(0, 24000, 1, 0.5, keep=70)])
@example([WHOLE, predict(0, 4, 3, 0.95, (-2, 0))])
@example([predict(0, 24000, 1, 0.5), predict(0, 24, 1, 0.95, (0, 5))])
@example([*(predict(0, (28003, 28), 5, score) for score in (0.9, 0.8)), predict(1, 28000, 5, 0.3)])
@settings(max_examples=10)
@given(st.lists(PREDICTIONS, min_size=1, max_size=12))
def test_scores_are_those_of_both_official_tools(data: Path, results: list[Coco]) -> None:
    judge(data, results)


def test_results_that_are_all_passed_over_score_zero(data: Path) -> None:
    """The official script fails at these: there is nothing to make a curve of."""
    with tempfile.TemporaryDirectory() as folder:
        file = write_json(Path(folder) / "results.json", [predict(0, 4, 3, 0.5)])
        scores = evaluate_results(data / "annotations" / OUTPUT, file, data)
    assert scores.cityscapes is not None
    assert scores.cityscapes.classes["car"].ap == 0
    assert scores.cityscapes.classes["rider"].ap is None
