"""One page of precision-recall curves."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cityscapes_coco.pictures.colors import OTHER_COLOR, Color
from cityscapes_coco.pictures.figures import plain_text
from cityscapes_coco.scores.cityscapes_score import MIN_AREA, Curves
from cityscapes_coco.scores.evaluate import AnyScore, Scores

_PLURALS = {"box": "boxes", "mask": "masks"}
_DASHES = "solid", "dashed", "dashdot"
_MOST = 16  # that a legend has room for
_WIDTH, _LEFT, _RIGHT = 600, 110, 50  # of each panel, and beside them


def find_size(scores: Scores) -> tuple[int, int]:
    """Return the width and height of the page, in pixels."""
    return _LEFT + _RIGHT + _WIDTH * len(scores.curves), 864


def draw_curves(figure: Figure, scores: Scores, title: str, colors: Mapping[str, Color]) -> None:
    """Draw precision over recall at the overlap of 0.50, class by class, for each score there is.
    `colors` has the colours of the categories, by name."""
    count, total = len(scores.curves), len(scores.coco.classes)
    width, _ = find_size(scores)
    figure.suptitle(
        f"{plain_text(title)}\n{scores.images:,} images, {scores.results:,} results"
        + (f", {_MOST} of {total:,} classes" if total > _MOST else "")
    )
    place = {"left": _LEFT / width, "right": 1 - _RIGHT / width, "bottom": 0.36, "top": 0.86}
    grid = figure.add_gridspec(1, count, **place, wspace=0.2)
    for column, (name, average, classes, curves) in enumerate(_list_panels(scores)):
        axes = figure.add_subplot(grid[0, column])
        shown = "no truth" if average.ap50 is None else f"{average.ap50:.3f}"
        axes.set_title(f"{name}: AP50 {shown}", loc="left")
        legend = {n: _describe(scores, n, score) for n, score in islice(classes.items(), _MOST)}
        _draw_lines(axes, legend, curves, colors)


def _list_panels(scores: Scores) -> Iterator[tuple[str, AnyScore, Mapping[str, AnyScore], Curves]]:
    """Yield the name of each score, its average, and the scores and the curves of the classes."""
    for shape, average in scores.coco.average.items():
        classes = {name: of_class[shape] for name, of_class in scores.coco.classes.items()}
        yield f"COCO, {_PLURALS[shape]}", average, classes, scores.curves[shape]
    if own := scores.cityscapes:
        yield "Cityscapes, masks", own.average, own.classes, scores.curves["cityscapes"]


def _describe(scores: Scores, name: str, score: AnyScore) -> str:
    """Return the text of a class in the legend: its name, and its score or why there is none."""
    shown = plain_text(name)
    if score.ap50 is not None:
        return f"{shown}  {score.ap50:.3f}"
    in_coco_file = scores.coco.classes[name]["box"].ap50 is not None
    return f"no {shown} of {MIN_AREA} pixels or more" if in_coco_file else f"{shown}  no truth"


def _draw_lines(
    axes: Axes, legend: Mapping[str, str], curves: Curves, colors: Mapping[str, Color]
) -> None:
    """Draw the curves of the classes that the legend has a text for."""
    nothing = np.empty(0), np.empty(0)
    for number, (name, text) in enumerate(legend.items()):
        color = np.array(colors.get(name, OTHER_COLOR)) / 255
        dashes = _DASHES[number % len(_DASHES)] if name in curves else "none"
        style: Any = {"color": color, "linestyle": dashes, "linewidth": 2, "clip_on": False}
        axes.plot(*curves.get(name, nothing), label=text, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="recall", ylabel="precision at the overlap of 0.50")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.9")
    place: Any = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.14), "borderpad": 0}
    columns = 1 if len(legend) <= 8 else 2
    axes.legend(ncols=columns, frameon=False, handlelength=4, **place)
