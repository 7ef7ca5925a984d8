"""Examples and pages as figures of matplotlib, and the files they are saved in."""

import gc
import re
import textwrap
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures.drawings import (
    LABEL_COLORS,
    OTHER_COLOR,
    Drawing,
    Example,
    Shade,
    cut_text,
)
from cityscapes_coco.pictures.label_places import place_labels
from cityscapes_coco.pictures.painting import paint
from cityscapes_coco.run.files import replacing

LAYERS = ("masks", "boxes", "labels", "truth")

# A power of two, so that whole pixels stay whole when matplotlib counts them in inches.
_DPI = 128
# Sizes in pixels of the picture as it is seen or saved.
_SMALL_TEXT, _LARGE_TEXT = 14, 26
_LEGEND_TEXT, _LEGEND_ROW, _MARGIN = 22, 40, 14
_NARROWEST = 640


class _Pixels(Artist):
    """Pixels at the upper left of a figure: RGB, uint8, of shape (height, width, 3).

    An image of matplotlib would be interpolated, at 120 bytes for each pixel.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        super().__init__()
        self._pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)

    def draw(self, renderer: Any) -> None:
        _, height = renderer.get_canvas_width_height()
        bottom = height - len(self._pixels)
        renderer.draw_image(renderer.new_gc(), 0, bottom, self._pixels[::-1])


def plain_text(text: str) -> str:
    """Return a text, cut if it is very long, that matplotlib draws character by character."""
    # matplotlib takes text between dollars for a formula.
    return "".join(c if c.isprintable() else "?" for c in cut_text(text)).replace("$", r"\$")


def new_figure(width: float, height: float) -> Figure:
    """Return a figure that is to be saved, of the given size in pixels."""
    return Figure((width / _DPI, height / _DPI), dpi=_DPI)


def save_figure(figure: Figure, path: Path, option: str) -> None:
    """Write a figure as PNG. Raises UserError, which names the option, if it cannot be written."""
    try:
        with replacing(path) as file:
            figure.savefig(file, format="png", dpi=figure.dpi)
    except OSError as error:
        raise UserError(path, f"cannot be written: {error.strerror}; see {option}") from error


def save_example(example: Example, path: Path) -> None:
    """Write an example as PNG: the photograph in full resolution, the legend below it.

    Raises UserError if it cannot be written.
    """
    height, width = example.photo.shape[:2]
    width = max(width, _NARROWEST)
    figure = new_figure(width, height + _legend_height(example, width))
    draw_example(figure, example)
    save_figure(figure, path, "--save")
    # A figure and its canvas refer to each other, so that their pixels would stay for long.
    del figure
    gc.collect()


def list_layers(example: Example) -> tuple[str, ...]:
    """Return what can be left out of the picture of an example."""
    return LAYERS if example.truth is not None else LAYERS[:-1]


def draw_example(figure: Figure, example: Example, layers: Collection[str] = LAYERS) -> None:
    """Draw an example, and its legend below, as large as the figure has room for."""
    figure.clear()
    width, height = (float(size) for size in figure.get_size_inches() * figure.dpi)
    legend = _legend_height(example, width)
    rows, columns = example.photo.shape[:2]
    scale = min(width / columns, max(height - legend, 1) / rows)
    axes = _add_axes(figure, 0, columns * scale, rows * scale)
    truth = (example.truth or []) if "truth" in layers else []
    picture = paint(example.photo, [*(example.drawings if "masks" in layers else []), *truth])
    if figure.canvas.manager is None:
        figure.add_artist(_Pixels(picture))
    else:
        # In a window, a picture can be zoomed.
        axes.imshow(picture, extent=(0, columns * scale, rows * scale, 0), aspect="auto")
    if example.note:
        note = "\n".join(textwrap.wrap(plain_text(example.note), 90))
        size = _points(figure, _LEGEND_TEXT)
        axes.text(columns * scale / 2, _MARGIN, note, size=size, color="0.9", ha="center", va="top")
    shaped = [drawing for drawing in example.drawings if drawing.style != "flat"]
    only_boxes = [drawing for drawing in truth if not drawing.rle]
    for drawing in [*(shaped if "boxes" in layers else []), *only_boxes]:
        x, y, w, h = (value * scale for value in drawing.bbox)
        _draw_box(axes, (x, y), w, h, 1, edgecolor=drawing.line_color, fill=False)
    if "labels" in layers:
        _draw_labels(axes, [drawing for drawing in (*shaped, *truth) if drawing.label], scale)
    _draw_legend(_add_axes(figure, rows * scale, width, legend), example)


def _draw_labels(axes: Axes, drawings: Sequence[Drawing], scale: float) -> None:
    """Write the label of each drawing; one that is away from its box has a line to it."""
    if not drawings:
        return
    # Small ones come last, to lie on top, and choose their places first.
    drawings = drawings[::-1]
    boxes = np.array([drawing.bbox for drawing in drawings]) * scale
    boxes[:, 2:] += boxes[:, :2]
    texts = [plain_text(drawing.label) for drawing in drawings]
    heights = np.clip((boxes[:, 3] - boxes[:, 1]) / 8, _SMALL_TEXT, _LARGE_TEXT).tolist()
    # Digits are equally wide, so few of the many scores have to be measured.
    widths = [_text_width(re.sub(r"[0-9]", "0", text)) for text in texts]
    sizes = [((w + 0.5) * h, 1.25 * h) for w, h in zip(widths, heights, strict=True)]
    room = np.array([0, 0, axes.get_xlim()[1], axes.get_ylim()[0]])
    placed = place_labels(boxes, sizes, room)
    for drawing, text, height, (place, line) in zip(drawings, texts, heights, placed, strict=True):
        color, is_outlined = drawing.line_color, drawing.style == "outlined"
        if line is not None:
            axes.plot(line[::2], line[1::2], color=color, linewidth=_points(axes.figure, 1.5))
        back = color if is_outlined else drawing.color
        (left, top), (w, h) = place[:2], place[2:] - place[:2]
        _draw_box(axes, (left, top), w, h, 1, edgecolor=color, facecolor=back, zorder=3)
        axes.text(
            left + w / 2,
            top + h / 2,
            text,
            size=_points(axes.figure, height),
            color=drawing.color if is_outlined else _ink(drawing.color),
            ha="center",
            va="center_baseline",
            zorder=4,
        )


def _draw_legend(axes: Axes, example: Example) -> None:
    """Write the name of the image, how many instances of each class it has, and which stuff."""
    size = _points(axes.figure, _LEGEND_TEXT)
    texts: dict[str, Any] = {"size": size, "va": "center_baseline"}
    middle = _MARGIN / 2 + _LEGEND_ROW / 2
    axes.text(_MARGIN, middle, plain_text(example.title), color="0.35", **texts)
    for text, drawing, x, row in _legend_entries(example, axes.get_xlim()[1]):
        y = middle + row * _LEGEND_ROW
        color = np.array(drawing.category_color) / 255
        face = color if drawing.style in ("filled", "flat") else "white"
        hatch = "////" if drawing.style == "hatched" else None
        corner, width, height = (x, y - _LEGEND_TEXT / 2), 1.5 * _LEGEND_TEXT, _LEGEND_TEXT
        _draw_box(axes, corner, width, height, 1.5, edgecolor=color, facecolor=face, hatch=hatch)
        axes.text(x + 2 * _LEGEND_TEXT, y, text, color="black", **texts)


def _legend_height(example: Example, width: float) -> float:
    rows = max((row for *_, row in _legend_entries(example, width)), default=0) + 1
    return rows * _LEGEND_ROW + _MARGIN


def _legend_entries(example: Example, width: float) -> list[tuple[str, Drawing, float, int]]:
    """Return the entries of a legend: text, a drawing of the kind, x, and row.

    They begin in the row below the name of the image.
    """
    # In the order of the label table, by its colours: categories may have names of their own.
    order = [*LABEL_COLORS.values(), OTHER_COLOR]
    drawings = [*example.drawings, *(example.truth or ())]
    kinds = {drawing.kind: drawing for drawing in drawings}
    counts = Counter(drawing.kind for drawing in drawings)
    entries = []
    x, row = float(_MARGIN), 1
    for kind in sorted(kinds, key=lambda kind: (order.index(kinds[kind].category_color), kind)):
        text = plain_text(kind)
        if kinds[kind].style != "flat":
            text += f"  {counts[kind]}"
        needed = _text_width(text) * _LEGEND_TEXT + 2 * _LEGEND_TEXT
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, row = float(_MARGIN), row + 1
        entries.append((text, kinds[kind], x, row))
        x += needed + 2 * _LEGEND_TEXT
    return entries


def _add_axes(figure: Figure, top: float, width: float, height: float) -> Axes:
    """Add axes at the left of a figure, `top` pixels below its upper edge, that count in pixels."""
    total_width, total_height = figure.get_size_inches() * figure.dpi
    axes = figure.add_axes(
        (0, 1 - (top + height) / total_height, width / total_width, height / total_height)
    )
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))
    return axes


def _draw_box(
    axes: Axes, corner: tuple[float, float], width: float, height: float, line: float, **style: Any
) -> None:
    """Draw a rectangle from its upper left corner, with a line of so many pixels around it."""
    linewidth = _points(axes.figure, line)
    axes.add_patch(Rectangle(corner, width, height, linewidth=linewidth, **style))


def _points(figure: Any, pixels: float) -> float:
    """Convert pixels to the unit of matplotlib's fonts and lines."""
    return float(pixels * 72 / figure.dpi)


@cache
def _text_width(text: str) -> float:
    """Return the width of a text for a font of size 1."""
    return float(TextPath((0, 0), text, size=100).get_extents().x1 / 100)


def _ink(color: Shade) -> str:
    """Return a colour for writing on `color`."""
    red, green, blue = color
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
