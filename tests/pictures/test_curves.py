"""The page of precision-recall curves, and the program that draws it."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.pictures.colors import PAGE_COLORS
from cityscapes_coco.pictures.curves import draw_curves, find_size
from cityscapes_coco.scores.evaluate import evaluate_results
from evaluate_coco import main as evaluate
from tests.conftest import OUTPUT, PREDICTIONS, ROOT, SAMPLE, Capture, load, write_json

COCO_FILE = ROOT / "tests" / "golden" / OUTPUT.replace("train", "val")
NO_TRUTH_FILE = ROOT / "tests" / "golden" / OUTPUT.replace("train", "test")
NAMES = [category["name"] for category in load(COCO_FILE)["categories"]]


def draw(path: Path, results: Path) -> Figure:
    scores = evaluate_results(path, results, SAMPLE)
    width, height = find_size(scores)
    figure = Figure((width / 128, height / 128), dpi=128)
    draw_curves(figure, scores, results.name, PAGE_COLORS)
    return figure


@pytest.fixture(scope="module")
def page() -> Figure:
    return draw(COCO_FILE, PREDICTIONS)


def labels(axes: Axes) -> list[str]:
    """The legend's texts: the names of classes, each with its AP50."""
    legend = axes.get_legend()
    assert legend
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("place", "kind"), [(0, "bbox"), (1, "segm")])
def test_the_curves_of_coco_are_those_of_cocoeval(place: int, kind: Any, page: Figure) -> None:
    with redirect_stdout(io.StringIO()):
        truth: Any = COCO(str(COCO_FILE))
        judge: Any = COCOeval(truth, truth.loadRes(str(PREDICTIONS)), kind)
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, -1]
    axes = page.axes[place]
    assert len(axes.lines) == len(NAMES)
    there = 0
    for line, label, name, wanted in zip(axes.lines, labels(axes), NAMES, precision.T, strict=True):
        x, y = (np.asarray(data) for data in line.get_data())
        if (wanted == -1).all():
            assert label == f"{name}  no truth" and x.size == 0
            continue
        assert label == f"{name}  {wanted.mean():.3f}"
        assert np.allclose(x, judge.params.recThrs[: x.size]) and (y == wanted[: x.size]).all()
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


def test_a_class_with_small_instances_only_is_not_without_truth(page: Figure) -> None:
    assert labels(page.axes[1])[1] == "rider  0.000"
    assert labels(page.axes[2])[1] == "no rider of 100 pixels or more"
    assert labels(page.axes[2])[3] == "truck  no truth"


def test_the_legend_stays_on_the_page(page: Figure) -> None:
    page.draw_without_rendering()
    for axes in page.axes:
        legend = axes.get_legend()
        assert legend
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.bbox.x1


def test_boxes_alone_have_one_panel(tmp_path: Path) -> None:
    boxes = json.loads(PREDICTIONS.read_bytes())
    for result in boxes:
        del result["segmentation"]
    page = draw(COCO_FILE, write_json(tmp_path / "boxes.json", boxes))
    assert [axes.get_title(loc="left").split(":")[0] for axes in page.axes] == ["COCO, boxes"]


def test_a_legend_has_no_more_classes_than_there_is_room_for(tmp_path: Path) -> None:
    coco = load(COCO_FILE)
    coco["categories"] += [{"id": number, "name": f"$class {number}"} for number in range(100, 120)]
    page = draw(write_json(tmp_path / "many.json", coco), PREDICTIONS)
    assert page.get_suptitle().endswith(" results, 16 of 28 classes")
    assert [len(labels(axes)) for axes in page.axes] == [16, 16, 8]
    page.draw_without_rendering()


# The program.


def plot(results: Path, folder: Path, *options: object, coco: Path = COCO_FILE) -> int:
    argv = ["--coco_dir", SAMPLE, "--coco", coco, "--results", results, "--plot", folder]
    return evaluate([str(word) for word in (*argv, *options)])


def test_the_page_has_the_name_of_the_results_and_the_same_bytes_each_time(
    tmp_path: Path, capsys: Capture
) -> None:
    pages = []
    for workers in 1, 2:
        results = Path(shutil.copy(PREDICTIONS, tmp_path / "epoch 12.json"))
        folder, scores = tmp_path / f"new {workers}", tmp_path / "scores.json"
        assert plot(results, folder, "--workers", workers, "--scores", scores) == 0
        page = folder / "epoch 12_curves.png"
        assert capsys.readouterr().out.splitlines()[-1] == str(page)
        pages.append(page.read_bytes())
        with Image.open(page) as picture:
            assert picture.size == (160 + 3 * 600, 864)
        assert "curves" not in load(scores)
    assert pages[0] == pages[1]


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_a_file_is_written_where_one_is_named(ending: str, tmp_path: Path) -> None:
    results = write_json(tmp_path / "results.json", [])
    assert plot(results, tmp_path / f"new/curves.{ending}", "--workers", 1) == 0
    assert plot(results, tmp_path / "run.v2", "--workers", 1) == 0
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")]
    assert sorted(names) == [f"new/curves.{ending}", "run.v2/results_curves.png"]


def test_without_a_truth_there_is_no_page(tmp_path: Path, capsys: Capture) -> None:
    results = write_json(tmp_path / "results.json", [])
    assert plot(results, tmp_path, "--save", tmp_path / "upload", coco=NO_TRUTH_FILE) == 1
    assert "no annotations" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [results]


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "results_curves.png").mkdir()
    assert plot(write_json(tmp_path / "results.json", []), tmp_path, "--workers", 1) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "results_curves.png: cannot be written: " in line and line.endswith("; see --plot")
