"""One page of precision-recall curves."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cityscapes_coco.pictures.drawings import OTHER_COLOR
from cityscapes_coco.pictures.figures import new_figure, plain_text
from cityscapes_coco.scores.coco_score import Curves
from cityscapes_coco.scores.evaluate import AnyScore, Scores

_PLURALS = {"box": "boxes", "mask": "masks"}
# Cityscapes' colours of similar classes are similar, so lines differ in their dashes too.
_DASHES = "solid", "dashed", "dashdot"
_MOST_CLASSES = 16  # that a legend has room for


def draw_curves(scores: Scores, title: str, colors: Mapping[str, tuple[int, int, int]]) -> Figure:
    """Draw precision over recall at the overlap of 0.50, class by class, for each score there is.

    `colors` are those of the categories, by name, RGB, 0..255.
    """
    count, total = len(scores.curves), len(scores.coco.classes)
    width, left, right = 160 + 600 * count, 110, 50
    figure = new_figure(width, 832)
    figure.suptitle(
        f"{plain_text(title)}\n{scores.images:,} images, {scores.results:,} results"
        + (f", {_MOST_CLASSES} of {total:,} classes" if total > _MOST_CLASSES else "")
    )
    grid = figure.add_gridspec(
        *(1, count), left=left / width, right=1 - right / width, bottom=0.33, top=0.85, wspace=0.2
    )
    for place, (name, average, classes, curves) in enumerate(_list_panels(scores)):
        axes = figure.add_subplot(grid[0, place])
        axes.set_title(f"{name}: AP50 {_show(average)}", loc="left")
        _draw_lines(axes, classes, curves, colors)
    return figure


def _list_panels(
    scores: Scores,
) -> Iterator[tuple[str, AnyScore, Mapping[str, AnyScore], Curves]]:
    """Yield the name of each score, its average, and the scores and the curves of the classes."""
    for shape, average in scores.coco.average.items():
        classes = {name: of_class[shape] for name, of_class in scores.coco.classes.items()}
        yield f"COCO, {_PLURALS[shape]}", average, classes, scores.curves[shape]
    if own := scores.cityscapes:
        yield "Cityscapes, masks", own.average, own.classes, scores.curves["cityscapes"]


def _draw_lines(
    axes: Axes,
    classes: Mapping[str, AnyScore],
    curves: Curves,
    colors: Mapping[str, tuple[int, int, int]],
) -> None:
    nothing = np.empty(0), np.empty(0)
    for number, name in enumerate(islice(classes, _MOST_CLASSES)):
        recall, precision = curves.get(name, nothing)
        axes.plot(
            recall,
            precision,
            label=f"{plain_text(name)}  {_show(classes[name])}",
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


def _show(score: AnyScore) -> str:
    return "no truth" if score.ap50 is None else f"{score.ap50:.3f}"
