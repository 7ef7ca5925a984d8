"""One page of scores: curves of precision, or bars of panoptic quality."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.pictures.colors import LABEL_COLORS, OTHER_COLOR, Color
from cityscapes_coco.pictures.curves import draw_curves, find_size
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pictures.figures import plain_text
from cityscapes_coco.scores.evaluate import Scores
from cityscapes_coco.scores.evaluate_panoptic import PanopticScores

_MOST = 200  # that a page has room for
_WIDTH, _ROW, _TOP, _BOTTOM = 1152, 36, 150, 80  # in pixels


def plan_page(
    scores: Scores | PanopticScores, title: str, coco: CocoFile
) -> tuple[Callable[[Figure], None], tuple[int, int]]:
    """Return a function that draws the page of scores, and the page's width and height in pixels.
    `coco` is the truth."""
    colors = read_categories(coco).page_colors
    if isinstance(scores, Scores):
        return lambda figure: draw_curves(figure, scores, title, colors), find_size(scores)
    height = _TOP + _BOTTOM + _ROW * min(len(scores.panoptic.classes), _MOST)
    return lambda figure: draw_quality(figure, scores, title, colors), (_WIDTH, height)


def draw_quality(
    figure: Figure, scores: PanopticScores, title: str, colors: Mapping[str, Color]
) -> None:
    """Draw the PQ of each class as a bar, and SQ and RQ as marks on its row. `colors` has the
    colours of things, by name; stuff has the colours of Cityscapes."""
    classes = dict(islice(scores.panoptic.classes.items(), _MOST))
    average = scores.panoptic.average
    means = {"all": average.all, "things": average.things, "stuff": average.stuff}
    shown = [f"{name} {_round(score.pq)}" for name, score in means.items()]
    figure.suptitle(
        f"{plain_text(title)}\n{scores.images:,} images, {scores.segments:,} segments;"
        f" PQ of {', '.join(shown)}"
    )
    height = figure.bbox.height
    axes = figure.add_axes((0.16, _BOTTOM / height, 0.74, 1 - (_TOP + _BOTTOM) / height))
    stuff = {name: color for name, color in LABEL_COLORS.items() if name not in scores.things}
    known = {**colors, **stuff}
    axes.barh(
        range(len(classes)),
        [score.pq or 0 for score in classes.values()],
        color=[np.array(known.get(name, OTHER_COLOR)) / 255 for name in classes],
        edgecolor="0.2",
    )
    for row, score in enumerate(classes.values()):
        axes.text(1.02, row, _round(score.pq), va="center")
    for field, marker in ("sq", "|"), ("rq", "o"):
        found = {row: getattr(score, field) for row, score in enumerate(classes.values())}
        there = {row: number for row, number in found.items() if number is not None}
        style: Any = {"color": "black", "markerfacecolor": "white", "clip_on": False}
        axes.plot([*there.values()], [*there], marker, label=field.upper(), markersize=8, **style)
    axes.set_yticks(range(len(classes)), [plain_text(name) for name in classes])
    axes.set(xlim=(0, 1), ylim=(len(classes) - 0.4, -0.6), xlabel="PQ")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)


def _round(number: float | None) -> str:
    return "none" if number is None else f"{number:.3f}"
