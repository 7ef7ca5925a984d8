"""One page of statistics about a COCO file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from msgspec import UNSET

from cityscapes_coco.coco.reading import list_stuff, name_categories
from cityscapes_coco.coco.records import Annotation, CocoFile
from cityscapes_coco.pictures.figures import plain_text

# A blue that prints as a middle grey, lighter than lines. All else is black, white and grey.
_BAR = "#6fa8d6"
_GREYS = ("0.92", "0.65", "0.25")
# COCO's sizes, and the areas in pixels between them.
_SIZES = ("small", "medium", "large")
_LIMITS = (32**2, 96**2)
_MOST_CLASSES = 40  # that the page has room for


def draw_statistics(figure: Figure, coco: CocoFile, title: str) -> None:
    """Draw instances per class, instances per image, and sizes class by class.

    Groups (COCO: crowds) are not instances, so only the title counts them. Stuff is left out.
    """
    stuff = list_stuff(coco)
    names = {k: plain_text(name) for k, name in name_categories(coco).items() if k not in stuff}
    things = [annotation for annotation in coco.annotations if annotation.category_id not in stuff]
    annotations = [annotation for annotation in things if not annotation.iscrowd]
    areas: dict[str, list[float]] = {name: [] for name in names.values()}
    for annotation in annotations:
        name = names.get(annotation.category_id, "unknown")
        areas.setdefault(name, []).append(_area(annotation))
    in_image = Counter(annotation.image_id for annotation in annotations)
    per_image = [in_image[image.id] for image in coco.images]
    crowds = len(things) - len(annotations)
    classes = len(areas)
    if classes > _MOST_CLASSES:
        most = sorted(areas, key=lambda name: len(areas[name]), reverse=True)[:_MOST_CLASSES]
        areas = {name: areas[name] for name in most}

    figure.clear()
    figure.suptitle(
        f"{plain_text(title)}: {len(coco.images):,} images, {len(annotations):,} instances"
        + (f", {crowds:,} crowds not counted" if crowds else "")
        + (f"; {_MOST_CLASSES} of {classes:,} classes" if classes > _MOST_CLASSES else ""),
        size=15,
    )
    grid = figure.add_gridspec(
        2, 2, left=0.09, right=0.97, bottom=0.08, top=0.88, wspace=0.2, hspace=0.4
    )
    _draw_classes(figure.add_subplot(grid[0, 0]), {name: len(areas[name]) for name in areas})
    _draw_per_image(figure.add_subplot(grid[0, 1]), per_image)
    _draw_sizes(figure.add_subplot(grid[1, 0]), areas)
    _draw_shares(figure.add_subplot(grid[1, 1]), areas)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)


def _area(annotation: Annotation) -> float:
    """Return the area in pixels, or else the box's, and at least 1: a log axis has no 0."""
    _, _, width, height = annotation.bbox or (0, 0, 0, 0)
    area = width * height if annotation.area is UNSET else annotation.area
    return max(float(area), 1.0)


def _draw_classes(axes: Axes, counts: Mapping[str, int]) -> None:
    axes.set_title("Instances per class", loc="left")
    bars = axes.barh(list(counts), list(counts.values()), color=_BAR)
    axes.bar_label(bars, [f"{count:,}" for count in counts.values()], padding=4)
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set_xlabel("instances")


def _draw_per_image(axes: Axes, counts: Sequence[int]) -> None:
    axes.set_title("Instances per image", loc="left")
    if counts:
        # One bar for each number, or for several, so that bars are wide enough to see.
        step = max(counts) // 30 + 1
        edges = np.arange(0, max(counts) + step + 1, step) - 0.5
        axes.hist(counts, edges.tolist(), color=_BAR, edgecolor="white", linewidth=0.5)
        median = float(np.median(counts))
        axes.axvline(median, color="black", linestyle="--", label=f"median {median:g}")
        axes.legend(frameon=False)
    axes.set(xlabel="instances", ylabel="images")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_sizes(axes: Axes, areas: Mapping[str, Sequence[float]]) -> None:
    axes.set_title("Sizes", loc="left", pad=28)
    for row, of_class in enumerate(areas.values()):
        if of_class:
            low, first, median, third, high = np.percentile(of_class, (5, 25, 50, 75, 95))
            axes.hlines(row, low, high, color="black", linewidth=1.5)
            axes.barh(row, third - first, left=first, height=0.6, color=_BAR, edgecolor="black")
            axes.plot(median, row, "o", markerfacecolor="white", markeredgecolor="black")
    axes.set_yticks(range(len(areas)), list(areas))
    axes.set_ylim(len(areas) - 0.4, -0.6)
    axes.set_xscale("log")
    for limit in _LIMITS:
        axes.axvline(limit, color="black", linestyle=":", linewidth=1, zorder=0)
        axes.text(limit, -0.7, f"{limit**0.5:.0f}²", ha="center", va="bottom")
    left, right = axes.get_xlim()
    edges = (min(left, _LIMITS[0] / 10), *_LIMITS, max(1.5 * right, _LIMITS[1] * 10))
    axes.set_xlim(edges[0], edges[-1])
    for name, start, end in zip(_SIZES, edges, edges[1:], strict=False):
        axes.text((start * end) ** 0.5, -0.7, name, ha="center", va="bottom")
    axes.set_xlabel("area in pixels: line 90 % of the instances, box 50 %, circle the median")


def _draw_shares(axes: Axes, areas: Mapping[str, Sequence[float]]) -> None:
    """Draw how much of each class COCO calls small, medium and large."""
    axes.set_title("Shares of COCO's sizes", loc="left", pad=28)
    for row, of_class in enumerate(areas.values()):
        counts = np.bincount(np.searchsorted(_LIMITS, of_class, side="right"), minlength=3)
        shares = 100 * counts / max(len(of_class), 1)
        left = 0.0
        for share, grey, ink in zip(
            shares.tolist(), _GREYS, ("black", "black", "white"), strict=True
        ):
            axes.barh(row, share, left=left, height=0.6, color=grey, edgecolor="black")
            # Narrower parts have no room for a number.
            if share >= 8:
                axes.text(
                    left + share / 2, row, f"{share:.0f}", color=ink, ha="center", va="center"
                )
            left += share
    axes.set_yticks(range(len(areas)), list(areas))
    axes.set_ylim(len(areas) - 0.4, -0.6)
    axes.set(xlim=(0, 100), xlabel="% of the instances of the class")
    handles = [Patch(facecolor=grey, edgecolor="black") for grey in _GREYS]
    place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1), "borderpad": 0}
    axes.legend(handles, _SIZES, ncols=3, frameon=False, **place)
