"""Predictions compared with the truth of an image."""

import io
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.panoptic import add_masks, search_png
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import PanopticFile
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pictures.examples import Source, load_example
from cityscapes_coco.pictures.outcomes import find_worst_score, weigh_errors
from cityscapes_coco.scores.panoptic_results import list_segments, read_panoptic_results
from tests.conftest import Coco, WriteMap, annotate
from tests.oracle import decode, encode
from tests.pictures.conftest import HEIGHT, WIDTH, example, predict
from tests.scores.conftest import read_panoptic, save_panoptic
from tests.scores.test_panoptic_quality import convert_val
from tests.scores.test_panoptic_quality import predict as predict_segments


def outcomes(data: Path, coco: Coco, results: list[Coco]) -> list[str]:
    return [drawing.outcome for drawing in example(data, coco, results).drawings]


@pytest.mark.parametrize("lacks", ["results", "truth"])
def test_boxes_are_compared_with_boxes(lacks: str, data: Path, coco: Coco) -> None:
    bus = coco["annotations"][1]
    # The left half of the bus, in a box that fits.
    half = decode(bus["segmentation"], HEIGHT, WIDTH)
    half[:, 250:] = False
    results = [predict(bus, 0.9, segmentation=encode(half))]
    assert outcomes(data, coco, results) == ["false"]
    for record in results if lacks == "results" else coco["annotations"]:
        del record["segmentation"]
    assert outcomes(data, coco, results) == ["right"]


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_coco_calls_the_same_false_and_missed(kind: str, data: Path, coco: Coco) -> None:
    """Instances in rows, predicted once to four times, each time further beside; every fifth
    prediction is of another class. Some are groups, which reach over the next one of the class."""
    coco["annotations"], results = [], []
    for number in range(60):
        mask = np.zeros((HEIGHT, WIDTH), np.bool_)
        x, y = 60 * (number % 12), 60 * (number // 12)
        is_group = number % 7 == 3
        mask[y : y + 40, x : x + (220 if is_group else 40)] = True
        mask[y + 20 :, x + 20 :] &= number % 4 == 0 or is_group
        fields = {"image_id": 1, "category_id": 1 + number % 3, "iscrowd": int(is_group)}
        coco["annotations"].append(annotate(mask, id=number + 1, **fields))
        for times in range(1 + number % 4):
            moved = annotate(np.roll(mask, (4 * number + 7 * times) % 23, axis=1), **fields)
            score = (number * 7 + times * 13) % 50 / 50
            other = {"category_id": 2} if (number + times) % 5 == 0 else {}
            results.append(predict(moved, score, **other))
            if kind == "bbox":
                del results[-1]["segmentation"]
    drawn = example(data, coco, results)
    judge = evaluate(data / "file.json", data / "results.json", kind)
    matched = [(e["dtMatches"][0], e["gtMatches"][0], e["gtIgnore"]) for e in judge if e]
    false = sum(int((found == 0).sum()) for found, _, _ in matched)
    missed = sum(int(((by == 0) & (ignored == 0)).sum()) for _, by, ignored in matched)
    assert 10 < false < 100 and 5 < missed < 50
    counts = Counter(d.outcome for d in (*drawn.drawings, *(drawn.truth or ())))
    assert counts["false"] == false and counts["missed"] == missed


def test_the_official_script_agrees(datadir: Path, write_map: WriteMap, tmp_path: Path) -> None:
    """With groups and void, moved and lost segments, and segments of another class."""
    official = pytest.importorskip("cityscapesscripts.evaluation.evalPanopticSemanticLabeling")
    draw = np.random.default_rng(3)
    values = [0, 4, 7, 8, 23, 24, 26, 26000, 26001, 24000, 24001, 33000, 33]
    write_map(np.kron(draw.choice(values, (8, 12)), np.ones((6, 6))), "val", "ulm_000000_000019")
    path = convert_val(datadir, tmp_path / "truth")
    truth, ids = read_panoptic(path)
    results, maps = predict_segments(truth, ids, seed=5)
    save_panoptic(tmp_path / "results.json", results, maps)
    coco = read_coco(path)
    assert isinstance(coco, PanopticFile)
    found = read_panoptic_results(open_json(tmp_path / "results.json"), coco)
    [image], segments = coco.images, list_segments(found)
    add_masks(search_png(path, str(image.seg_file_name)), image, coco.annotations)
    add_masks(tmp_path / "results" / found[0].file_name, image, segments)
    source = Source(path, datadir, read_categories(coco), tmp_path / "results.json")
    drawn = load_example(source, image, coco.annotations, segments)
    counts = Counter((d.name, d.outcome) for d in (*drawn.drawings, *(drawn.truth or ())))
    categories = {category["id"]: category for category in truth["categories"]}
    pairs = [(truth["annotations"][0], results["annotations"][0])]
    folders = [str(folder) for folder in (path.with_suffix(""), tmp_path / "results")]
    with redirect_stdout(io.StringIO()):
        judged = official.pq_compute_single_core(0, pairs, *folders, categories)
    for number, category in categories.items():
        of_class = judged[number]
        name = category["name"]
        assert counts[name, "right"] == counts[name, "found"] == of_class.tp, name
        assert (counts[name, "false"], counts[name, "missed"]) == (of_class.fp, of_class.fn), name
    totals = Counter(outcome for _, outcome in counts.elements())
    assert min(totals[outcome] for outcome in ("right", "false", "missed", "ignored")) > 0


def evaluate(path: Path, results: Path, kind: Any) -> list[Any]:
    """What COCOeval finds of each class of the first image, for areas of any size."""
    with redirect_stdout(io.StringIO()):
        truth: Any = COCO(str(path))
        truth.dataset["info"] = {}
        judge = COCOeval(truth, truth.loadRes(str(results)), kind)
        judge.params.imgIds, judge.params.areaRng = [1], [[0, 1e10]]
        judge.evaluate()
    return list(judge.evalImgs)


def test_errors_are_weighed(data: Path, coco: Coco) -> None:
    """A missed instance weighs 1, a false prediction its score, a group that is ignored nothing."""
    _, bus, cars = coco["annotations"]
    false = predict(bus, 0.75, category_id=4), predict(bus, 0.5, category_id=2)
    right = predict(bus, 0.9), predict(cars, 0.8), predict(cars, 0.7)
    for results, weight, worst in (false, 0.75 + 0.5 + 2, 0.75), (right, 1, -1):
        shown = example(data, coco, [*results])
        everything = [*shown.drawings, *(shown.truth or ())]
        assert weigh_errors(everything) == weight
        assert max(find_worst_score(everything), -1) == worst
