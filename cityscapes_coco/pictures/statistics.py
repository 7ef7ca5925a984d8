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
from numpy.typing import NDArray

from cityscapes_coco.coco.records import Annotation, CocoFile
from cityscapes_coco.pictures.colors import OTHER_COLOR
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pictures.figures import plain_text

_BAR, _EDGE = "0.6", "0.2"  # greys
_GREYS = ("0.92", "0.65", "0.25")
# COCO's sizes, and the areas in pixels between them.
_SIZES = ("small", "medium", "large")
_LIMITS = (32**2, 96**2)
_MOST_CLASSES = 40  # that the page has room for
SIZE = (1792, 1152)  # of the page, in pixels

Areas = Mapping[str, Sequence[float]]  # in pixels, of each instance, by class
RGB = NDArray[np.float64]  # 0..1


def draw_statistics(figure: Figure, coco: CocoFile, title: str) -> None:
    """Draw instances per class, instances per image, and sizes class by class.

    Groups (COCO: crowds) are not instances, so only the title counts them. The rows of stuff are
    below the others.
    """
    categories = read_categories(coco)
    names, stuff = categories.names, categories.stuff
    things = [annotation for annotation in coco.annotations if annotation.category_id not in stuff]
    regions = [annotation for annotation in coco.annotations if annotation.category_id in stuff]
    annotations = [annotation for annotation in things if not annotation.iscrowd]
    keys = sorted(names, key=lambda key: key in stuff)
    areas: dict[str, list[float]] = {names[key]: [] for key in keys}
    for annotation in annotations + regions:
        name = names.get(annotation.category_id, "unknown")
        areas.setdefault(name, []).append(_area(annotation))
    in_image = Counter(annotation.image_id for annotation in annotations)
    per_image = [in_image[image.id] for image in coco.images]
    crowds = len(things) - len(annotations)
    classes = len(areas)
    if classes > _MOST_CLASSES:
        most = sorted(areas, key=lambda name: len(areas[name]), reverse=True)[:_MOST_CLASSES]
        areas = {name: areas[name] for name in most}

    figure.suptitle(
        f"{plain_text(title)}: {len(coco.images):,} images, {len(annotations):,} instances"
        + (f", {crowds:,} crowds not counted" if crowds else "")
        + (f", {len(regions):,} regions of stuff" if regions else "")
        + (f"; {_MOST_CLASSES} of {classes:,} classes" if classes > _MOST_CLASSES else ""),
        size=15,
    )
    grid = figure.add_gridspec(
        2, 2, left=0.09, right=0.97, bottom=0.08, top=0.88, wspace=0.2, hspace=0.4
    )
    bars = {name: np.array(categories.page_colors.get(name, OTHER_COLOR)) / 255 for name in areas}
    what = "annotations" if regions else "instances"
    _draw_classes(figure.add_subplot(grid[0, 0]), areas, bars, what)
    _draw_per_image(figure.add_subplot(grid[0, 1]), per_image)
    _draw_sizes(figure.add_subplot(grid[1, 0]), areas, bars, what)
    _draw_shares(figure.add_subplot(grid[1, 1]), areas, what)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)


def _area(annotation: Annotation) -> float:
    """Return the area in pixels, or else the box's, and at least 1: a log axis has no 0."""
    _, _, width, height = annotation.bbox or (0, 0, 0, 0)
    area = width * height if annotation.area is UNSET else annotation.area
    return max(float(area), 1.0)


def _name_rows(axes: Axes, areas: Areas) -> None:
    axes.set_yticks(range(len(areas)), [plain_text(name) for name in areas])
    axes.set_ylim(len(areas) - 0.4, -0.6)


def _draw_classes(axes: Axes, areas: Areas, colors: Mapping[str, RGB], what: str) -> None:
    axes.set_title(f"{what.capitalize()} per class", loc="left")
    counts = [len(of_class) for of_class in areas.values()]
    bars = axes.barh(range(len(areas)), counts, color=list(colors.values()), edgecolor=_EDGE)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=4)
    axes.set_xlim(0, 1.12 * max(*counts, 1, 1))
    axes.set_xlabel(what)
    _name_rows(axes, areas)


def _draw_per_image(axes: Axes, counts: Sequence[int]) -> None:
    axes.set_title("Instances per image", loc="left")
    most = max(counts, default=0)
    if counts:
        # One bar for each number, or for several, so that bars are wide enough to see. The bar of a
        # number reaches to the next one, so that the axis begins at 0.
        step = most // 30 + 1
        edges = np.arange(0, most + step + 1, step)
        axes.hist(counts, edges.tolist(), color=_BAR, edgecolor="white", linewidth=0.5)
        median = float(np.median(counts))
        axes.axvline(median + 0.5, color="black", linestyle="--", label=f"median {median:g}")
        # Above the bars, so that it hides none.
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
        axes.set_xlim(0, edges[-1])
    axes.set(xlabel="instances", ylabel="images")
    ticks = [tick for tick in MaxNLocator(integer=True).tick_values(0, most) if tick <= most]
    axes.set_xticks([tick + 0.5 for tick in ticks], [f"{tick:.0f}" for tick in ticks])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_sizes(axes: Axes, areas: Areas, colors: Mapping[str, RGB], what: str) -> None:
    axes.set_title("Sizes", loc="left", pad=28)
    for row, (of_class, color) in enumerate(zip(areas.values(), colors.values(), strict=True)):
        if of_class:
            low, first, median, third, high = np.percentile(of_class, (5, 25, 50, 75, 95))
            axes.hlines(row, low, high, color="black", linewidth=1.5)
            axes.barh(row, third - first, left=first, height=0.6, color=color, edgecolor=_EDGE)
            axes.plot(median, row, "o", markerfacecolor="white", markeredgecolor="black")
    _name_rows(axes, areas)
    axes.set_xscale("log")
    for limit in _LIMITS:
        axes.axvline(limit, color="black", linestyle=":", linewidth=1, zorder=0)
        axes.text(limit, -0.7, f"{limit**0.5:.0f}²", ha="center", va="bottom")
    left, right = axes.get_xlim()
    edges = (min(left, _LIMITS[0] / 10), *_LIMITS, max(1.5 * right, _LIMITS[1] * 10))
    axes.set_xlim(edges[0], edges[-1])
    for name, start, end in zip(_SIZES, edges, edges[1:], strict=False):
        axes.text((start * end) ** 0.5, -0.7, name, ha="center", va="bottom")
    axes.set_xlabel(f"area in pixels: line 90 % of the {what}, box 50 %, circle the median")


def _draw_shares(axes: Axes, areas: Areas, what: str) -> None:
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
            if share >= 3.5:
                axes.text(
                    left + share / 2, row, f"{share:.0f}", color=ink, ha="center", va="center"
                )
            left += share
    _name_rows(axes, areas)
    axes.set(xlim=(0, 100), xlabel=f"% of the {what} of the class")
    handles = [Patch(facecolor=grey, edgecolor="black") for grey in _GREYS]
    place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1), "borderpad": 0}
    axes.legend(handles, _SIZES, ncols=3, frameon=False, **place)
