"""One page of precision-recall curves."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cityscapes_coco.evaluate import Curve, Panel, Scores
from cityscapes_coco.pictures.examples import OTHER_COLOR, new_figure, plain_text

_TITLES: dict[Panel, str] = {
    "box": "COCO, boxes",
    "mask": "COCO, masks",
    "cityscapes": "Cityscapes, masks",
}
# Cityscapes' colours of similar classes are similar, so that lines differ in another way too.
_DASHES = "solid", "dashed", "dashdot"
_MOST_CLASSES = 16  # that a legend has room for


def draw_curves(scores: Scores, title: str, colors: Mapping[str, tuple[int, int, int]]) -> Figure:
    """Draw precision over recall at the overlap of 0.50, class by class, for each score there is.

    `colors` are those of the categories, by name, RGB, 0..255.
    """
    count, classes = len(scores.curves), len(scores.coco.classes)
    width, left, right = 160 + 600 * count, 110, 50
    figure = new_figure(width, 832)
    figure.suptitle(
        f"{plain_text(title)}\n{scores.images:,} images, {scores.results:,} results"
        + (f", {_MOST_CLASSES} of {classes:,} classes" if classes > _MOST_CLASSES else "")
    )
    grid = figure.add_gridspec(
        *(1, count), left=left / width, right=1 - right / width, bottom=0.33, top=0.85, wspace=0.2
    )
    for place, (panel, curves) in enumerate(scores.curves.items()):
        average, ap50 = _find_ap50(scores, panel)
        axes = figure.add_subplot(grid[0, place])
        axes.set_title(f"{_TITLES[panel]}: AP50 {_show(average)}", loc="left")
        _draw_lines(axes, curves, ap50, colors)
    return figure


def _find_ap50(scores: Scores, panel: Panel) -> tuple[float | None, dict[str, float | None]]:
    """Return the AP50 on average and of each class."""
    if panel == "cityscapes":
        if scores.cityscapes is None:
            return None, {}
        classes = scores.cityscapes.classes
        return scores.cityscapes.average.ap50, {name: classes[name].ap50 for name in classes}
    of_class = {name: shapes[panel].ap50 for name, shapes in scores.coco.classes.items()}
    return scores.coco.average[panel].ap50, of_class


def _draw_lines(
    axes: Axes,
    curves: Mapping[str, Curve],
    ap50: Mapping[str, float | None],
    colors: Mapping[str, tuple[int, int, int]],
) -> None:
    nothing = Curve(np.empty(0), np.empty(0))
    for number, name in enumerate(islice(ap50, _MOST_CLASSES)):
        recall, precision = curves.get(name, nothing)
        axes.plot(
            recall,
            precision,
            label=f"{plain_text(name)}  {_show(ap50[name])}",
            color=np.array(colors.get(name, OTHER_COLOR)) / 255,
            linestyle=_DASHES[number % len(_DASHES)] if name in curves else "none",
            linewidth=2,
            clip_on=False,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="recall", ylabel="precision at the overlap of 0.50")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.9")
    place: Any = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.14), "borderpad": 0}
    axes.legend(ncols=2, frameon=False, handlelength=4, **place)


def _show(number: float | None) -> str:
    return "no truth" if number is None else f"{number:.3f}"
