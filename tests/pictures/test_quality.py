"""The page of panoptic quality, and the program that draws it."""

import re
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.colors import LABEL_COLORS, PAGE_COLORS
from cityscapes_coco.pictures.quality import plan_page
from cityscapes_coco.scores.evaluate_panoptic import PanopticScores
from cityscapes_coco.scores.panoptic_quality import (
    PanopticAverages,
    PanopticQuality,
    PanopticScore,
)
from evaluate_coco import main as evaluate
from tests.conftest import run
from tests.files import SAMPLE
from tests.scores.test_panoptic_quality import convert_val

NONE = PanopticScore(None, None, None)


def test_each_class_has_a_bar_and_two_marks(tmp_path: Path) -> None:
    classes = {
        "road": PanopticScore(0.5, 0.625, 0.8),
        "sky": NONE,
        "car": PanopticScore(0.0, 0.0, 0.0),
        "$a$": PanopticScore(1.0, 1.0, 1.0),
    }
    average = PanopticAverages(classes["road"], NONE, classes["$a$"])
    quality = PanopticQuality(average, classes)
    scores = PanopticScores(7, 1234, quality, ["car"], [])
    draw, (width, height) = plan_page(scores, "x.json", read_coco(convert_val(SAMPLE, tmp_path)))
    figure = Figure((width / 128, height / 128), dpi=128)
    draw(figure)
    figure.draw_without_rendering()
    assert figure.get_suptitle() == (
        "x.json\n7 images, 1,234 segments; PQ of all 0.500, things none, stuff 1.000"
    )
    [axes] = figure.axes
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars] == [0.5, 0, 0, 1]
    colors = [np.round(np.array(to_rgb(bar.get_facecolor())) * 255) for bar in bars[::2]]
    assert np.array_equal(colors, [LABEL_COLORS["road"], PAGE_COLORS["car"]])
    assert [text.get_text() for text in axes.texts] == ["0.500", "none", "0.000", "1.000"]
    marks = {line.get_label(): np.asarray(line.get_data()).tolist() for line in axes.lines}
    assert marks == {"SQ": [[0.625, 0, 1], [0, 2, 3]], "RQ": [[0.8, 0, 1], [0, 2, 3]]}


def test_the_page_names_the_results_and_has_the_same_bytes(tmp_path: Path) -> None:
    truth = convert_val(SAMPLE, tmp_path / "truth")
    argv = "--coco", truth, "--results", truth, "--plot"
    pages = []
    for workers in "1", "2":
        code, out, _ = run(evaluate, *argv, tmp_path / workers, "--workers", workers)
        page = tmp_path / workers / f"{truth.stem}_quality.png"
        assert code == 0 and out.splitlines()[-1] == str(page)
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    with Image.open(page) as picture:
        assert picture.size == (1152, 230 + 19 * 36)
    assert run(evaluate, *argv, tmp_path / "q.svg")[0] == 0
    assert re.match(r"<\?xml", (tmp_path / "q.svg").read_text())
