"""The page of precision-recall curves, and the program that draws it."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from cityscapes_coco.pictures.colors import PAGE_COLORS
from cityscapes_coco.pictures.curves import draw_curves, find_size
from cityscapes_coco.scores.evaluate import evaluate_results
from evaluate_coco import main as evaluate
from tests.conftest import fail, run
from tests.files import GOLDEN_VAL, OUTPUT, PREDICTIONS, SAMPLE, load, write_json
from tests.oracle import coco_precision
from tests.scores import wrong_results

NAMES = [category["name"] for category in load(GOLDEN_VAL)["categories"]]


def draw(path: Path, results: Path) -> Figure:
    scores = evaluate_results(path, results, SAMPLE)
    width, height = find_size(scores)
    figure = Figure((width / 128, height / 128), dpi=128)
    draw_curves(figure, scores, results.name, PAGE_COLORS)
    return figure


@pytest.fixture(scope="module")
def page() -> Figure:
    return draw(GOLDEN_VAL, PREDICTIONS)


def labels(axes: Axes) -> list[str]:
    """The legend's texts: the names of classes, each with its AP50."""
    legend = axes.get_legend()
    assert legend
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("place", "kind"), [(0, "bbox"), (1, "segm")])
def test_the_curves_of_coco_are_those_of_cocoeval(place: int, kind: Any, page: Figure) -> None:
    results = json.loads(PREDICTIONS.read_bytes())
    precision = coco_precision(load(GOLDEN_VAL), results, kind)[0, :, :, 0]
    axes = page.axes[place]
    assert len(axes.lines) == len(NAMES)
    there = 0
    for line, label, name, wanted in zip(axes.lines, labels(axes), NAMES, precision.T, strict=True):
        x, y = (np.asarray(data) for data in line.get_data())
        if (wanted == -1).all():
            assert label == f"{name}  no truth" and x.size == 0
            continue
        assert label == f"{name}  {wanted.mean():.3f}"
        assert np.allclose(x, np.linspace(0, 1, 101)[: x.size]) and (y == wanted[: x.size]).all()
        assert not wanted[x.size :].any()
        there += 1
    assert 3 <= there < len(NAMES)


def test_the_area_under_a_curve_of_cityscapes_is_its_ap50(page: Figure) -> None:
    axes = page.axes[2]
    for line, label in zip(axes.lines, labels(axes), strict=True):
        x, y = (np.asarray(data) for data in line.get_data())
        if x.size:
            area = ((y[1:] + y[:-1]) / 2 * (x[:-1] - x[1:])).sum()
            assert float(label.split()[-1]) == pytest.approx(area, abs=0.0005)
        else:
            assert "no " in label


def test_each_class_has_a_line_of_its_own(page: Figure) -> None:
    lines = dict(zip(NAMES, page.axes[0].lines, strict=True))
    for name, line in lines.items():
        assert np.allclose(to_rgb(line.get_color()), np.array(PAGE_COLORS[name]) / 255)
    dashes = [line.get_linestyle() for line in (lines["person"], lines["rider"], lines["car"])]
    assert len(set(dashes)) == 3


def test_the_legend_tells_why_a_class_has_no_curve_and_stays_on_the_page(page: Figure) -> None:
    assert labels(page.axes[1])[1] == "rider  0.000"
    assert labels(page.axes[2])[1] == "no rider of 100 pixels or more"
    assert labels(page.axes[2])[3] == "truck  no truth"
    page.draw_without_rendering()
    for axes in page.axes:
        legend = axes.get_legend()
        assert legend
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.bbox.x1


def test_boxes_alone_have_one_panel(tmp_path: Path) -> None:
    boxes = wrong_results.without_masks()({}, json.loads(PREDICTIONS.read_bytes()))
    page = draw(GOLDEN_VAL, write_json(tmp_path / "boxes.json", boxes))
    assert [axes.get_title(loc="left").split(":")[0] for axes in page.axes] == ["COCO, boxes"]


def test_a_legend_has_no_more_classes_than_there_is_room_for(tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    coco["categories"] += [{"id": number, "name": f"$class {number}"} for number in range(100, 120)]
    page = draw(write_json(tmp_path / "many.json", coco), PREDICTIONS)
    assert page.get_suptitle().endswith(" results, 16 of 28 classes")
    assert [len(labels(axes)) for axes in page.axes] == [16, 16, 8]
    page.draw_without_rendering()


def plot(results: Path, folder: Path, *options: object, coco: Path = GOLDEN_VAL) -> list[object]:
    return ["--coco_dir", SAMPLE, "--coco", coco, "--results", results, "--plot", folder, *options]


def test_the_page_is_named_after_the_results_and_stable(tmp_path: Path) -> None:
    pages = set()
    results = Path(shutil.copy(PREDICTIONS, tmp_path / "epoch 12.json"))
    for workers in 1, 2:
        folder, scores = tmp_path / f"new {workers}", tmp_path / "scores.json"
        options = "--workers", workers, "--scores", scores
        code, out, _ = run(evaluate, *plot(results, folder, *options))
        page = folder / "epoch 12_curves.png"
        assert code == 0 and out.splitlines()[-1] == str(page)
        pages.add(page.read_bytes())
        with Image.open(page) as picture:
            assert picture.size == (160 + 3 * 600, 864)
        assert "curves" not in load(scores)
    assert len(pages) == 1


def test_a_file_is_written_where_one_is_named(tmp_path: Path) -> None:
    results = write_json(tmp_path / "results.json", [])
    for name in "new/curves.pdf", "new/curves.svg", "new/curves.png", "run.v2":
        assert run(evaluate, *plot(results, tmp_path / name))[0] == 0
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")]
    pages = [f"new/curves.{ending}" for ending in ("pdf", "png", "svg")]
    assert sorted(names) == [*pages, "run.v2/results_curves.png"]


def test_without_a_truth_there_is_no_page(tmp_path: Path) -> None:
    results = write_json(tmp_path / "results.json", [])
    coco = GOLDEN_VAL.with_name(OUTPUT.replace("train", "test"))
    argv = plot(results, tmp_path, "--save", tmp_path / "upload", coco=coco)
    assert "no annotations" in fail(evaluate, *argv)
    assert list(tmp_path.iterdir()) == [results]
