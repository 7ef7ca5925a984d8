"""Pictures of the images of a COCO file, with their instances drawn.

Coordinates are COCO's: pixel (x, y) is the square from (x, y) to (x + 1, y + 1). Boxes and places
for labels are arrays of shape (n, 4) where many are weighed at once: left, top, right, bottom.
"""

import colorsys
import gc
import math
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pycocotools import mask as coco_mask

from cityscapes_coco.cityscapes.photographs import locate, open_photograph
from cityscapes_coco.coco.reading import AnyRecord
from cityscapes_coco.coco.records import Annotation, Id, Image, Result
from cityscapes_coco.coco.segmentations import decode_annotation
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.options import Options
from cityscapes_coco.pixels.rle import Rle, to_mask
from cityscapes_coco.run.files import replacing

LAYERS = ("masks", "boxes", "labels")

Style = Literal["filled", "hatched", "outlined", "flat"]
Rgb = tuple[float, float, float]  # 0..1
Rectangles = NDArray[np.float64]  # of shape (n, 4)

_COLORS = {label.name: label.color for label in LABELS}
OTHER_COLOR = (120, 120, 120)
_PAPER = 96  # the grey that stands for a missing photograph, dark as streets are

# A power of two, so that whole pixels stay whole when matplotlib counts them in inches.
_DPI = 128
# Sizes in pixels of the picture as it is seen or saved.
_SMALL_TEXT, _LARGE_TEXT = 14, 26
_LEGEND_TEXT, _LEGEND_ROW, _MARGIN = 22, 40, 14
_NARROWEST = 640

# A file may hold any number of annotations, of any size, with names of any length: what is drawn of
# an image is bounded, far above what a street has. Masks are counted in pixels of the image.
_MOST_DRAWN, _MOST_PAINTED, _LONGEST = 300, 10, 150

_FILL = 0.5  # how much of a colour covers the photograph
_HATCH = 12  # from one stripe of a crowd to the next, in pixels
_TINY = 24  # below this width or height an outline is one pixel wide, else two


class Drawing(NamedTuple):
    """What is drawn of an annotation, or of a result.

    `name` is that of the category, such as `car`; `kind` is what the legend counts, such as `car
    group`; `label` is written beside it, if it is not empty. `category_color` is RGB, 0..255, and
    `color` a shade of it. `bbox` is (x, y, width, height); `rle` is the mask in the whole image,
    None if there is none. Groups, and predictions that are false, are hatched; the truth over
    predictions is outlined in white; stuff is flat: filled, without outline, box, label and count.
    """

    name: str
    kind: str
    label: str
    style: Style
    category_color: tuple[int, int, int]
    color: Rgb
    bbox: tuple[float, float, float, float]
    rle: Rle | None

    @property
    def line_color(self) -> Rgb:
        """The colour of the lines around a shape: lighter than its fill, as streets are dark."""
        lighter = 1.0 if self.style == "outlined" else 0.5
        red, green, blue = (value + (1 - value) * lighter for value in self.color)
        return red, green, blue


class Example(NamedTuple):
    """One image with its instances; `photo` is RGB, uint8, of shape (height, width, 3).

    `note` says why the photograph is missing, if it is. If the drawings are predictions, `truth` is
    drawn over them.
    """

    title: str
    photo: NDArray[np.uint8]
    note: str
    drawings: list[Drawing]
    truth: list[Drawing] | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """What can be left out of the picture."""
        return LAYERS if self.truth is None else (*LAYERS, "truth")


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


def load_example(
    path: Path,
    coco_dir: Path,
    image: Image,
    annotations: Iterable[Annotation],
    names: Mapping[Id, str],
    colors: Mapping[str, tuple[int, int, int]] = _COLORS,
    stuff: Collection[Id] = (),
) -> Example:
    """Read the photograph of an image and decode its annotations.

    `path` is the COCO file, `coco_dir` where names of images start; `names` are those of its
    categories, by id, `colors` those of the categories, by name, and `stuff` has the ids of those
    that are stuff. Raises UserError if the image has no size or an annotation cannot be decoded.
    """
    title, width, height = image.file_name or "", image.width or 0, image.height or 0
    # Matplotlib draws no side of 65,536 pixels, and in a window takes 120 bytes for each pixel.
    if min(width, height) < 1 or max(width, height) > 2**15 or width * height > 2**24:
        raise UserError(path, f"the image {title} has {width} x {height} pixels")
    photo, note = _read_photo(coco_dir, title, width, height)

    def decode(annotation: Annotation) -> Rle:
        return decode_annotation(path, annotation, height, width)

    annotations = list(annotations)
    if len(annotations) > _MOST_DRAWN:
        annotations.sort(key=lambda item: math.prod((item.bbox or (0,))[-2:]), reverse=True)
    drawings, left_out = load_drawings(annotations, decode, width * height, names, colors, stuff)
    title = plain_text(title) + left_out
    return Example(title, photo, plain_text(note), sort_by_size(drawings))


def load_drawings(
    records: Sequence[AnyRecord],
    decode: Callable[[AnyRecord], Rle],
    pixels: int,
    names: Mapping[Id, str],
    colors: Mapping[str, tuple[int, int, int]],
    stuff: Collection[Id] = (),
) -> tuple[list[Drawing], str]:
    """Return what is drawn of the annotations or results of an image of so many `pixels`, the first
    ones if there are too many, and a text that says so.

    `decode` returns the mask of a record, None if it has none; the rest is as for `load_example`.
    """
    counts: Counter[Id] = Counter()
    drawings: list[Drawing] = []
    painted = 0.0
    for record in records[:_MOST_DRAWN]:
        rle = decode(record)
        box = coco_mask.toBbox(rle).tolist() if rle else (0.0, 0.0, 0.0, 0.0)
        painted += box[2] * box[3]
        name = plain_text(names.get(record.category_id, "unknown")).strip() or "unnamed"
        is_group = isinstance(record, Annotation) and bool(record.iscrowd)
        kind = f"{name} group" if is_group else name
        style: Style = (
            "hatched" if is_group else "flat" if record.category_id in stuff else "filled"
        )
        drawings.append(
            Drawing(
                name,
                kind,
                label=f"{kind} {record.score:.2f}" if isinstance(record, Result) else kind,
                style="hatched" if is_group else style,
                category_color=(color := colors.get(name, OTHER_COLOR)),
                color=_shade(color, counts[record.category_id]),
                bbox=record.bbox or tuple(box),
                rle=rle if painted <= _MOST_PAINTED * pixels else None,
            )
        )
        counts[record.category_id] += 1
    total = len(records)
    if total <= _MOST_DRAWN and painted <= _MOST_PAINTED * pixels:
        return drawings, ""
    masks = sum(drawing.rle is not None for drawing in drawings)
    return drawings, f" (drawn: {len(drawings)} of {total}, {masks} with masks)"


def sort_by_size(drawings: Iterable[Drawing]) -> list[Drawing]:
    """Return drawings with large ones first, so that small ones lie on top of them."""
    return sorted(drawings, key=lambda drawing: -drawing.bbox[2] * drawing.bbox[3])


def choose_colors(options: Options) -> dict[str, tuple[int, int, int]]:
    """Return the colour of each category: that of the class, or of the first one of several."""
    chosen = options.parsed_categories
    return _COLORS | {category.name: _COLORS[category.classes[0]] for category in chosen}


def plain_text(text: str) -> str:
    """Return a text that matplotlib draws as it is, whatever is in it and however long it is."""
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return "".join(c if c.isprintable() else "?" for c in short).replace("$", r"\$")


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


def draw_example(
    figure: Figure, example: Example, layers: Collection[str] = (*LAYERS, "truth")
) -> None:
    """Draw an example, and its legend below, as large as the figure has room for."""
    figure.clear()
    width, height = (float(size) for size in figure.get_size_inches() * figure.dpi)
    legend = _legend_height(example, width)
    rows, columns = example.photo.shape[:2]
    scale = min(width / columns, max(height - legend, 1) / rows)
    axes = _add_axes(figure, 0, columns * scale, rows * scale)
    truth = (example.truth or []) if "truth" in layers else []
    picture = _paint(example.photo, [*(example.drawings if "masks" in layers else []), *truth])
    if figure.canvas.manager is None:
        figure.add_artist(_Pixels(picture))
    else:
        # In a window, a picture can be zoomed.
        axes.imshow(picture, extent=(0, columns * scale, rows * scale, 0), aspect="auto")
    if example.note:
        axes.text(
            columns * scale / 2,
            _MARGIN,
            "\n".join(textwrap.wrap(example.note, 90)),
            size=_points(figure, _LEGEND_TEXT),
            color="0.9",
            ha="center",
            va="top",
        )
    shaped = [drawing for drawing in example.drawings if drawing.style != "flat"]
    only_boxes = [drawing for drawing in truth if not drawing.rle]
    for drawing in [*(shaped if "boxes" in layers else []), *only_boxes]:
        x, y, w, h = (value * scale for value in drawing.bbox)
        _draw_box(axes, (x, y), w, h, 1, edgecolor=drawing.line_color, fill=False)
    if "labels" in layers:
        _draw_labels(axes, [*shaped, *truth], scale)
    _draw_legend(_add_axes(figure, rows * scale, width, legend), example)


def _read_photo(
    coco_dir: Path, name: str, width: int, height: int
) -> tuple[NDArray[np.uint8], str]:
    """Return the photograph of shape (height, width, 3), or a plain one and the reason for it."""
    path = locate(coco_dir, name)
    if path is None:
        note = f"no photograph {name} in {coco_dir}"
    else:
        try:
            with open_photograph(path) as photo:
                if photo.size == (width, height):
                    return _to_rgb(photo), ""
                note = f"{name} has {photo.width} x {photo.height} pixels, not {width} x {height}"
        except Exception:  # Pillow raises whatever a damaged file makes its parser stumble on
            note = f"{name} cannot be read"
    return np.full((height, width, 3), _PAPER, np.uint8), note


def _to_rgb(photo: PillowImage.Image) -> NDArray[np.uint8]:
    """Return the pixels of a photograph, shape (height, width, 3); Pillow cuts off 16 bits."""
    if photo.mode.startswith("I"):
        grey = np.asarray(photo).astype(np.int64)
        grey = grey >> 8 if grey.max(initial=0) > 255 else grey
        return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.asarray(photo.convert("RGB"))


def _shade(color: tuple[int, int, int], number: int) -> Rgb:
    """Return a shade of a class's colour for its `number`th instance; the first has the colour.

    Steps of the golden ratio keep any few shades in a row apart. Dark classes stay darker than
    light ones, which is all that tells trucks, cars and motorcycles apart.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in color))
    step = number * 0.618 % 1
    shifted = hue + 0.03 * step * (-1) ** number
    return colorsys.hls_to_rgb(shifted % 1, min(lightness * (1 + 0.5 * step), 0.8), saturation)


def _paint(photo: NDArray[np.uint8], drawings: Iterable[Drawing]) -> NDArray[np.uint8]:
    """Return the photograph with masks filled, hatched or left as they are, and outlined.

    Masks are decoded one by one, as a file may hold any number of them.
    """
    picture: NDArray[np.uint8] = photo.copy()
    for drawing in drawings:
        # OpenCV takes no mask without pixels.
        if drawing.rle is None or not coco_mask.area(drawing.rle):
            continue
        x, y, width, height = coco_mask.toBbox(drawing.rle).astype(int).tolist()
        mask = to_mask(drawing.rle)[y : y + height, x : x + width].astype(bool)
        patch = picture[y : y + height, x : x + width]
        color, line = (255 * np.array(c) for c in (drawing.color, drawing.line_color))
        if drawing.style in ("filled", "flat"):
            _mix(patch, mask, color)
        elif drawing.style == "hatched":
            rows, columns = np.ogrid[y : y + height, x : x + width]
            _mix(patch, mask & ((rows + columns) % _HATCH < _HATCH // 3), line)
        if drawing.style == "flat":
            continue
        thickness = 1 if min(height, width) < _TINY else 2
        kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
        inner = cv2.erode(
            mask.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        patch[mask & (inner == 0)] = line
    return picture


def _mix(patch: NDArray[np.uint8], where: NDArray[np.bool_], color: NDArray[np.float64]) -> None:
    """Mix a colour into some pixels of a picture.

    What each value of a channel becomes is quicker found than the pixels are mixed themselves.
    """
    mixed = np.arange(256)[:, None] * (1 - _FILL) + color * _FILL
    for channel, table in enumerate(mixed.astype(np.uint8).T):
        np.copyto(patch[..., channel], table[patch[..., channel]], where=where)


def _draw_labels(axes: Axes, drawings: Sequence[Drawing], scale: float) -> None:
    """Write the name of each instance close to it, where it hides least.

    Small instances choose first, because large ones have more places to choose from. A label that
    ends up away from its box has a line to it.
    """
    drawings = [drawing for drawing in drawings if drawing.label]
    if not drawings:
        return
    boxes = np.array([drawing.bbox for drawing in reversed(drawings)]) * scale
    boxes[:, 2:] += boxes[:, :2]
    density = 1 / np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) + 1)
    room = np.array([0, 0, axes.get_xlim()[1], axes.get_ylim()[0]])
    taken = np.empty((0, 4))
    for drawing, box in zip(reversed(drawings), boxes, strict=True):
        size = float(np.clip((box[3] - box[1]) / 8, _SMALL_TEXT, _LARGE_TEXT))
        # Digits are as wide as each other: so few of the many scores have to be measured.
        text_width = _text_width(re.sub(r"[0-9]", "0", drawing.label))
        width, height = (text_width + 0.5) * size, 1.25 * size
        places, distances = _places_near(box, width, height, room)
        cost = (
            10 * _common_areas(places, taken).sum(axis=1)
            + 20 * _common_areas(places, boxes) @ density
            + width * distances
        )
        left, top, right, bottom = place = places[cost.argmin()]
        taken = np.vstack((taken, place))
        color = drawing.line_color
        is_outlined = drawing.style == "outlined"
        if distances[cost.argmin()] > 0:
            middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            end = np.clip(middle, place[:2], place[2:])
            start = np.clip(end, box[:2], box[2:])
            axes.plot(
                *zip(start, end, strict=True), color=color, linewidth=_points(axes.figure, 1.5)
            )
        back = color if is_outlined else drawing.color
        _draw_box(axes, (left, top), width, height, 1, edgecolor=color, facecolor=back, zorder=3)
        axes.text(
            (left + right) / 2,
            (top + bottom) / 2,
            drawing.label,
            size=_points(axes.figure, size),
            color=drawing.color if is_outlined else _ink(drawing.color),
            ha="center",
            va="center_baseline",
            zorder=4,
        )


def _places_near(
    box: Rectangles, width: float, height: float, room: Rectangles
) -> tuple[Rectangles, NDArray[np.float64]]:
    """Return places for a label around and in a box, within the `room` there is, and how far each
    is from the box, in label heights."""
    left, top, right, bottom = box
    columns = (left, (left + right - width) / 2, right - width)
    rows = (top, (top + bottom - height) / 2, bottom - height)
    corners, distances = [], []
    for away in range(8):
        gap = away * height
        above_below = [(x, y) for y in (top - height - gap, bottom + gap) for x in columns]
        beside = [(x, y) for x in (left - width - gap, right + gap) for y in rows]
        corners += above_below + beside
        distances += [away] * len(above_below + beside)
    if right - left > 2 * width and bottom - top > 3 * height:
        corners += [(x, y) for y in rows for x in columns]
        distances += [0] * 9
    size = np.array([width, height])
    starts = np.clip(corners, room[:2], np.maximum(room[2:] - size, 0))
    return np.hstack((starts, starts + size)), np.array(distances, float)


def _common_areas(some: Rectangles, others: Rectangles) -> NDArray[np.float64]:
    """Return the area that each of the first rectangles shares with each of the others."""
    starts = np.maximum(some[:, None, :2], others[None, :, :2])
    ends = np.minimum(some[:, None, 2:], others[None, :, 2:])
    areas: NDArray[np.float64] = np.maximum(ends - starts, 0).prod(axis=2)
    return areas


def _draw_legend(axes: Axes, example: Example) -> None:
    """Write the name of the image, how many instances of each class it has, and which stuff."""
    size = _points(axes.figure, _LEGEND_TEXT)
    texts: dict[str, Any] = {"size": size, "va": "center_baseline"}
    middle = _MARGIN / 2 + _LEGEND_ROW / 2
    axes.text(_MARGIN, middle, example.title, color="0.35", **texts)
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
    """Return the entries of a legend: text, an instance of the kind, x, and row.

    They begin in the row below the name of the image.
    """
    # In the order of the label table, by its colours: categories may have names of their own.
    order = [*_COLORS.values(), OTHER_COLOR]
    drawings = [*example.drawings, *(example.truth or ())]
    kinds = {drawing.kind: drawing for drawing in drawings}
    counts = Counter(drawing.kind for drawing in drawings)
    entries = []
    x, row = float(_MARGIN), 1
    for kind in sorted(kinds, key=lambda kind: (order.index(kinds[kind].category_color), kind)):
        text = kind if kinds[kind].style == "flat" else f"{kind}  {counts[kind]}"
        needed = _text_width(text) * _LEGEND_TEXT + 2 * _LEGEND_TEXT
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, row = float(_MARGIN), row + 1
        entries.append((text, kinds[kind], x, row))
        x += needed + 2 * _LEGEND_TEXT
    return entries


def _add_axes(figure: Figure, top: float, width: float, height: float) -> Axes:
    """Add axes that begin `top` pixels below the figure's upper edge, at its left, and count in
    its pixels."""
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


def _ink(color: Rgb) -> str:
    """Return the colour of writing that stands out from `color`."""
    red, green, blue = color
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
