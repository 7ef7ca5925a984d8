"""Panoptic quality: the numbers of the official script, and of frames of a few pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cityscapes_coco.scores import panoptic_quality as pq
from main import main
from tests.conftest import Coco, WriteMap, run
from tests.files import SAMPLE
from tests.oracle import official_panoptic
from tests.scores.conftest import read_panoptic, save_panoptic, score

VAL = "cityscapes_panoptic_val"


def predict(truth: Coco, ids: list[NDArray[Any]], seed: int) -> tuple[Coco, list[NDArray[Any]]]:
    """Make up panoptic results: segments are moved, lost, of another class, with the numbers that a
    network gives; and some lie anywhere, on void and on groups too."""
    draw = np.random.default_rng(seed)
    categories = [category["id"] for category in truth["categories"]]
    annotations, maps = [], []
    for annotation, there in zip(truth["annotations"], ids, strict=True):
        moved = np.roll(there, draw.integers(0, 3), axis=1)
        found = np.zeros_like(there)
        classes = {}
        for segment in annotation["segments_info"]:
            number = int(draw.integers(1, 1 << 24))
            is_wrong = draw.random() < 0.15
            if draw.random() < 0.85:
                found[moved == segment["id"]] = number
                wrong = int(draw.choice(categories))
                classes[number] = wrong if is_wrong else segment["category_id"]
        for _ in range(6):
            number = int(draw.integers(1, 1 << 24))
            top, left = (draw.integers(0, size - 4) for size in there.shape)
            found[top : top + 4, left : left + 4] = number
            classes[number] = int(draw.choice(categories))
        seen = np.unique(found[found > 0]).tolist()
        segments = [{"id": n, "category_id": classes[n]} for n in seen]
        names = {"image_id": annotation["image_id"], "file_name": f"{annotation['image_id']}.png"}
        annotations.append(names | {"segments_info": segments})
        maps.append(found)
    return {"annotations": annotations}, maps


def assert_official(folder: Path, truth_path: Path, seed: int) -> Coco:
    """Score made-up results both ways; return the scores."""
    truth, ids = read_panoptic(truth_path)
    path = save_panoptic(folder / "results.json", *predict(truth, ids, seed))
    scores: Coco = score(folder, truth_path, path)["panoptic"]
    average, classes = official_panoptic(truth_path, path)
    for found, judged in (scores["average"], average), (scores["classes"], classes):
        for name, numbers in judged.items():
            assert tuple(found[name].values()) == pytest.approx(numbers or (None,) * 3, abs=1e-9)
        assert found.keys() == judged.keys()
    return scores


def convert_val(datadir: Path, outdir: Path, ids: str = "label") -> Path:
    argv = "--datadir", datadir, "--outdir", outdir, "--splits", "val", "--panoptic", ids
    assert run(main, *argv)[0] == 0
    return outdir / f"{VAL}{'_trainId' if ids == 'train' else ''}.json"


@pytest.mark.parametrize("ids", ["label", "train"])
def test_the_sample_scores_as_with_the_official_script(ids: str, tmp_path: Path) -> None:
    scores = assert_official(tmp_path, convert_val(SAMPLE, tmp_path / "truth", ids), seed=1)
    assert 0 < scores["average"]["all"]["pq"] < 1
    assert scores["classes"]["bus"]["pq"] is None


@pytest.mark.parametrize("seed", range(4))
def test_groups_and_void(seed: int, datadir: Path, write_map: WriteMap, tmp_path: Path) -> None:
    draw = np.random.default_rng(seed)
    values = [0, 4, 7, 7, 8, 11, 21, 23, 24, 26, 26000, 26001, 24000, 24001, 29000, 33000, 33]
    for number in range(8):
        blocks = draw.choice(values, (6, 9)).astype(np.uint16)
        write_map(np.kron(blocks, np.ones((6, 6), np.uint16)), "val", f"ulm_000000_{number:06}")
    assert_official(tmp_path, convert_val(datadir, tmp_path / "truth"), seed)


def test_no_things_have_no_average(datadir: Path, write_map: WriteMap, tmp_path: Path) -> None:
    write_map([[7, 7, 8, 8]], "val")
    truth = convert_val(datadir, tmp_path / "truth")
    path = save_panoptic(tmp_path / "results.json", *read_panoptic(truth))
    average = score(tmp_path, truth, path)["panoptic"]["average"]
    assert average["things"] == {"pq": None, "sq": None, "rq": None}
    assert average["all"] == average["stuff"] == {"pq": 1, "sq": 1, "rq": 1}


# Letters stand for segments: void is a dot.


def count(truth: str, predicted: str, crowds: str = "") -> tuple[float, int, int, int]:
    """Return the sum of the IoUs, and what is true, false and missed, where each capital letter is
    a segment of category 1 and each small one of category 0."""

    def segments(text: str) -> tuple[NDArray[Any], pq.Segments]:
        ids = np.array([[0 if c == "." else ord(c) for c in text]], np.int32)
        listed = np.unique(ids[ids > 0]).astype(np.int64)
        kinds = np.array([chr(n).isupper() for n in listed], np.int64)
        return ids, pq.Segments(listed, kinds, np.array([chr(n) in crowds for n in listed], bool))

    (there, ours), (found, theirs) = segments(truth), segments(predicted)
    matches = pq.match_segments(pq.count_pairs(there, found), ours, theirs, 2)
    return tuple(float(numbers.sum()) for numbers in matches[:4])  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        ("aaab", "xxxy", (2, 2, 0, 0)),
        ("aaaa", "xx..", (0, 0, 1, 1)),  # an IoU of 0.5 is too little
        ("aaaa", "xxx.", (0.75, 1, 0, 0)),
        ("aaaa", "XXXX", (0, 0, 1, 1)),  # another category
        ("aa..", "xxxx", (1, 1, 0, 0)),  # void pixels are left out
        ("a...", ".xxx", (0, 0, 0, 1)),  # all of it void
        ("aa..", ".xx.", (0, 0, 1, 1)),  # half of it void: an IoU of 0.5, and false
        ("....", "....", (0, 0, 0, 0)),
    ],
)
def test_segments_are_matched(truth: str, predicted: str, expected: tuple[float, ...]) -> None:
    assert count(truth, predicted) == expected


@pytest.mark.parametrize(
    ("predicted", "false"), [("xxxx", 0), ("XXXX", 1), ("xx..", 0), ("....", 0)]
)
def test_a_crowd_is_not_missed_and_takes_its_predictions(predicted: str, false: int) -> None:
    assert count("gggg", predicted, crowds="g") == (0, 0, false, 0)


@pytest.mark.parametrize(("truth", "false"), [("gghh", 1), ("ghhh", 0)])
def test_of_two_crowds_of_a_category_the_last_one_counts(truth: str, false: int) -> None:
    assert count(truth, "xxxx", crowds="gh") == (0, 0, false, 0)


def test_the_sum_of_two_images_is_rated() -> None:
    ids = np.array([[1, 1, 2]], np.int32)
    one = pq.Segments(np.array([1, 2]), np.array([0, 1]), np.array([False, False]))
    matches = pq.match_segments(pq.count_pairs(ids, ids), one, one, 2)
    none = pq.Segments(one.ids[:0], one.categories[:0], one.are_crowds[:0])
    lost = pq.match_segments(pq.count_pairs(ids, 0 * ids), one, none, 2)
    quality = pq.rate_segments(pq.add_matches([matches, lost], 2), ["road", "car"], [False, True])
    assert quality.average.things == quality.classes["car"]
    assert quality.classes["car"].pq == quality.classes["car"].rq == pytest.approx(2 / 3)
    assert quality.classes["car"].sq == 1
