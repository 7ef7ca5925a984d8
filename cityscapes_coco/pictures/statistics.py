"""One page of statistics about a COCO file."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

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
_MOST_CLASSES = 40  # that the page has room for
SIZE = (1792, 1152)  # of the page, in pixels

Values = Mapping[str, Sequence[float]]  # of each instance, by class
RGB = NDArray[np.float64]  # 0..1


class Parts(NamedTuple):
    """How values are parted: a title, the limits, what they are called, and what the parts are."""

    title: str
    limits: Sequence[float]
    limit_names: Sequence[str]
    names: Sequence[str]


# COCO's sizes, and the areas in pixels between them.
_AREAS = Parts("Sizes", (32**2, 96**2), ("32²", "96²"), ("small", "medium", "large"))
# The limits of CityPersons' setups.
_HEIGHTS = Parts("Heights", (20, 50, 75), ("20", "50", "75"), ("",) * 4)
_VISIBLE = Parts(
    *("Visibility", (0.2, 0.65), ("0.2", "0.65")),
    ("below 0.2", "heavy, below 0.65", "reasonable"),
)


def draw_statistics(figure: Figure, coco: CocoFile, title: str) -> None:
    """Draw instances per class, instances per image, and sizes class by class; of CityPersons'
    boxes the heights, and how much can be seen.

    Groups (COCO: crowds) are not instances, so only the title counts them. The rows of stuff are
    below the others.
    """
    categories = read_categories(coco)
    names, stuff = categories.names, categories.stuff
    things = [annotation for annotation in coco.annotations if annotation.category_id not in stuff]
    regions = [annotation for annotation in coco.annotations if annotation.category_id in stuff]
    annotations = [annotation for annotation in things if not annotation.iscrowd]
    keys = sorted(names, key=lambda key: key in stuff)
    of_class: dict[str, list[Annotation]] = {names[key]: [] for key in keys}
    for annotation in annotations + regions:
        name = names.get(annotation.category_id, "unknown")
        of_class.setdefault(name, []).append(annotation)
    in_image = Counter(annotation.image_id for annotation in annotations)
    per_image = [in_image[image.id] for image in coco.images]
    crowds = len(things) - len(annotations)
    classes = len(of_class)
    if classes > _MOST_CLASSES:
        most = sorted(of_class, key=lambda name: len(of_class[name]), reverse=True)
        of_class = {name: of_class[name] for name in most[:_MOST_CLASSES]}

    figure.suptitle(
        f"{plain_text(title)}: {len(coco.images):,} images, {len(annotations):,} instances"
        + (f", {len(regions):,} regions of stuff" if regions else "")
        + (f", crowds not counted: {crowds:,}" if crowds else "")
        + (f"; {_MOST_CLASSES} of {classes:,} classes" if classes > _MOST_CLASSES else ""),
        size=15,
    )
    grid = figure.add_gridspec(
        2, 2, left=0.09, right=0.97, bottom=0.08, top=0.88, wspace=0.2, hspace=0.4
    )
    what = "annotations" if regions else "instances"
    bars = {
        name: np.array(categories.page_colors.get(name, OTHER_COLOR)) / 255 for name in of_class
    }
    _draw_classes(figure.add_subplot(grid[0, 0]), of_class, bars, what)
    _draw_per_image(figure.add_subplot(grid[0, 1]), per_image)
    _draw_sizes_and_shares(
        figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1]), of_class, bars, what
    )
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)


def _draw_sizes_and_shares(
    left: Axes,
    right: Axes,
    of_class: Mapping[str, Sequence[Annotation]],
    colors: Mapping[str, RGB],
    what: str,
) -> None:
    """Draw areas; or heights and visibility, if the file has them."""

    def measure(value: Callable[[Annotation], float]) -> Values:
        return {name: [*map(value, found)] for name, found in of_class.items()}

    if any(a.vis_ratio is not UNSET for found in of_class.values() for a in found):
        _draw_sizes(left, measure(lambda a: max(float(a.height or 1), 1)), colors, _HEIGHTS, what)
        _draw_shares(right, measure(lambda a: float(a.vis_ratio or 0)), _VISIBLE, what)
    else:
        areas = measure(_area)
        _draw_sizes(left, areas, colors, _AREAS, what)
        _draw_shares(right, areas, _AREAS._replace(title="Shares of COCO's sizes"), what)


def _area(annotation: Annotation) -> float:
    """Return the area in pixels, or else the box's, and at least 1: a log axis has no 0."""
    _, _, width, height = annotation.bbox or (0, 0, 0, 0)
    area = width * height if annotation.area is UNSET else annotation.area
    return max(float(area), 1.0)


def _name_rows(axes: Axes, classes: Collection[str]) -> None:
    axes.set_yticks(range(len(classes)), [plain_text(name) for name in classes])
    axes.set_ylim(len(classes) - 0.4, -0.6)


def _draw_classes(
    axes: Axes,
    of_class: Mapping[str, Sequence[Annotation]],
    colors: Mapping[str, RGB],
    what: str,
) -> None:
    axes.set_title(f"{what.capitalize()} per class", loc="left")
    counts = [len(found) for found in of_class.values()]
    bars = axes.barh(range(len(of_class)), counts, color=list(colors.values()), edgecolor=_EDGE)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=4)
    axes.set_xlim(0, 1.12 * max(*counts, 1, 1))
    axes.set_xlabel(what)
    _name_rows(axes, of_class)


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


def _draw_sizes(
    axes: Axes, sizes: Values, colors: Mapping[str, RGB], parts: Parts, what: str
) -> None:
    axes.set_title(parts.title, loc="left", pad=28)
    for row, (of_class, color) in enumerate(zip(sizes.values(), colors.values(), strict=True)):
        if of_class:
            low, first, median, third, high = np.percentile(of_class, (5, 25, 50, 75, 95))
            axes.hlines(row, low, high, color="black", linewidth=1.5)
            axes.barh(row, third - first, left=first, height=0.6, color=color, edgecolor=_EDGE)
            axes.plot(median, row, "o", markerfacecolor="white", markeredgecolor="black")
    _name_rows(axes, sizes)
    axes.set_xscale("log")
    limits = parts.limits
    for limit, name in zip(limits, parts.limit_names, strict=True):
        axes.axvline(limit, color="black", linestyle=":", linewidth=1, zorder=0)
        axes.text(limit, -0.7, name, ha="center", va="bottom")
    left, right = axes.get_xlim()
    edges = (min(left, limits[0] / 10), *limits, max(1.5 * right, limits[-1] * 10))
    axes.set_xlim(edges[0], edges[-1])
    for name, start, end in zip(parts.names, edges, edges[1:], strict=False):
        axes.text((start * end) ** 0.5, -0.7, name, ha="center", va="bottom")
    size = "area" if parts is _AREAS else "height"
    axes.set_xlabel(f"{size} in pixels: line 90 % of the {what}, box 50 %, circle the median")


def _draw_shares(axes: Axes, values: Values, parts: Parts, what: str) -> None:
    """Draw how much of each class has values in each of three parts."""
    axes.set_title(parts.title, loc="left", pad=28)
    # Bars of many classes are lower than the usual letters.
    text: Any = {"ha": "center", "va": "center", "size": min(10, 150 / max(len(values), 1))}
    for row, of_class in enumerate(values.values()):
        counts = np.bincount(np.searchsorted(parts.limits, of_class, side="right"), minlength=3)
        shares = 100 * counts / max(len(of_class), 1)
        left = 0.0
        for share, grey, ink in zip(
            shares.tolist(), _GREYS, ("black", "black", "white"), strict=True
        ):
            axes.barh(row, share, left=left, height=0.6, color=grey, edgecolor="black")
            # Narrower parts have no room for a number.
            if share >= 3.5:
                axes.text(left + share / 2, row, f"{share:.0f}", color=ink, **text)
            left += share
    _name_rows(axes, values)
    axes.set(xlim=(0, 100), xlabel=f"% of the {what} of the class")
    handles = [Patch(facecolor=grey, edgecolor="black") for grey in _GREYS]
    place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1), "borderpad": 0}
    axes.legend(handles, parts.names, ncols=3, frameon=False, **place)
