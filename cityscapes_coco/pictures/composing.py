"""An example as one picture: the photograph with masks, boxes and labels, and a legend below it."""

import re
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.pictures.colors import BLACK, FILL, OUTCOME_COLORS, WHITE, Color, ink
from cityscapes_coco.pictures.drawings import Drawing
from cityscapes_coco.pictures.examples import Example
from cityscapes_coco.pictures.label_places import place_labels
from cityscapes_coco.pictures.text import measure, write
from cityscapes_coco.run.files import write_file

Pixels = NDArray[np.uint8]

LAYERS = ("masks", "boxes", "labels", "truth")

# Sizes in pixels of the picture as it is seen or saved.
_SMALL_TEXT, _LARGE_TEXT = 14, 26
_LEGEND_TEXT, _LEGEND_ROW, _MARGIN, _SWATCH = 22, 40, 14, 45
_NARROWEST = 640
_GREY = (90, 90, 90)
# Photographs get as small as at zlib's usual effort, in a sixth of the time.
_PNG = cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE
_MOST_NAMED = 8  # classes that the legend names of an outcome
_HATCH = 12  # from one stripe of a hatched mask to the next, in pixels
_TINY = 40  # below this width or height an outline is one pixel wide


class Entry(NamedTuple):
    """An entry of the legend: its text, the colours of its swatch, and what else the swatch has."""

    text: str
    colors: Sequence[Color]
    is_hatched: bool = False
    is_outlined: bool = False


def save_example(example: Example, path: Path) -> Pixels:
    """Write an example as PNG, the photograph in full resolution, the legend below it; return the
    pixels, RGB. Raises UserError if it cannot be written."""
    picture = compose(example)
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _PNG)
    write_file(path, png.tobytes(), "--save")
    return picture


def list_layers(example: Example) -> tuple[str, ...]:
    """Return what can be left out of the picture of an example."""
    return LAYERS if example.truth is not None else LAYERS[:-1]


def compose(example: Example, layers: Collection[str] = LAYERS, scale: float = 1) -> Pixels:
    """Return the picture of an example, RGB, uint8: some layers of it, and the legend.

    The photograph keeps its resolution. Writing and lines are `scale` times as large as for a
    picture that is seen pixel by pixel.
    """
    height, width = example.photo.shape[:2]
    legend = _draw_legend(example, max(width, round(_NARROWEST * scale)), scale)
    page = np.full((height + len(legend), legend.shape[1], 3), 255, np.uint8)
    truth = (example.truth or []) if "truth" in layers else []
    picture = page[:height, :width]
    picture[:] = paint(example.photo, [*(example.drawings if "masks" in layers else []), *truth])
    page[height:] = legend
    if example.note:
        lines = textwrap.wrap(example.note, 90)
        size = round(_LEGEND_TEXT * scale)
        # There may be a bright sky behind it.
        picture[: round((len(lines) + 0.8) * 1.4 * size)] //= 3
        for row, line in enumerate(lines):
            left = (width - measure(line, size)) // 2
            write(picture, left, round((row + 1) * 1.4 * size), line, size, (230, 230, 230))
    shaped = [drawing for drawing in example.drawings if not drawing.is_stuff]
    only_boxes = [drawing for drawing in truth if not drawing.rle]
    for drawing in [*(shaped if "boxes" in layers else []), *only_boxes]:
        left, top, right, bottom = _find_corners(drawing, picture).round().astype(int).tolist()
        # Where there is no mask, the box alone has to be seen; what is found has two.
        is_bold = not drawing.rle and drawing.outcome not in ("found", "ignored")
        thickness = max(round(scale * (3 if is_bold else 1)), 1)
        ends = (left, top), (right - 1, bottom - 1)
        cv2.rectangle(picture, *ends, drawing.line_color, thickness)
    if "labels" in layers:
        _draw_labels(picture, [d for d in (*shaped, *truth) if d.label], scale)
    return page


def paint(photo: NDArray[np.uint8], drawings: Iterable[Drawing]) -> NDArray[np.uint8]:
    """Return the photograph, RGB, shape (height, width, 3), with the masks of drawings painted.

    Instances and right predictions are filled; groups and false predictions are hatched; stuff is
    filled without an outline, and outlined if it is right; the truth over predictions is outlined,
    and filled if it was missed.
    """
    picture: NDArray[np.uint8] = photo.copy()
    for drawing in drawings:
        if drawing.region is None:
            continue
        x, y, mask = drawing.region
        height, width = mask.shape
        patch = picture[y : y + height, x : x + width]
        if drawing.is_stuff and not drawing.outcome:
            _mix(patch, mask, drawing.color, 0.5)
            continue
        thickness = 1 if min(height, width) < _TINY else 2
        if drawing.outcome == "missed":
            _mix(patch, mask, drawing.color, 0.4)
            thickness += 1
        elif drawing.outcome == "false" or (drawing.is_group and not drawing.outcome):
            rows, columns = np.ogrid[y : y + height, x : x + width]
            stripes = (rows + columns) % _HATCH < _HATCH // 3
            _mix(patch, mask * stripes, drawing.color, 0.9)
        elif drawing.outcome in ("right", "") and not drawing.is_stuff:
            _mix(patch, mask, drawing.color, FILL)
        kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
        inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        patch[mask > inner] = drawing.line_color
    return picture


def list_entries(example: Example) -> list[Entry]:
    """Return the legend: how many instances there are of each class, and which stuff; or of each
    outcome, and of which classes."""
    order = {name: place for place, name in enumerate(example.classes)}

    def place(drawing: Drawing) -> tuple[int, str, bool]:
        return order.get(drawing.name, len(order)), drawing.name, drawing.is_group

    everything = sorted((*example.drawings, *(example.truth or ())), key=place)
    if example.truth is not None:
        by_outcome = {o: [d for d in everything if d.outcome == o] for o in OUTCOME_COLORS}
        return [_outcome_entry(*item) for item in by_outcome.items() if item[1]]
    first = {place(drawing): drawing for drawing in reversed(everything)}
    counts = Counter(map(place, everything))
    texts = {
        key: d.label if d.is_stuff else f"{d.label}  {counts[key]}" for key, d in first.items()
    }
    return [Entry(texts[key], d.family[:4], d.is_group) for key, d in sorted(first.items())]


def _outcome_entry(outcome: str, drawings: Sequence[Drawing]) -> Entry:
    classes = Counter(f"{d.name} group" if d.is_group else d.name for d in drawings)
    named = [f"{count} {name}" for name, count in classes.items()][:_MOST_NAMED]
    more = ["..."] * (len(classes) > _MOST_NAMED)
    text = f"{outcome}  {len(drawings)}" + (":  " if named else "") + ", ".join(named + more)
    color = OUTCOME_COLORS[outcome]
    return Entry(text, [color], outcome == "false", outcome not in ("right", "false"))


def _find_corners(drawing: Drawing, picture: Pixels) -> NDArray[np.float64]:
    """Return the box of a drawing: left, top, right, bottom. In a file of another tool it may be
    anywhere, so it is cut off one size of the picture beyond its edges."""
    height, width = picture.shape[:2]
    x, y, w, h = drawing.bbox
    corners = np.sort(np.array([[x, y], [x + w, y + h]], np.float64), axis=0).ravel()
    least, most = np.array([-width, -height] * 2), np.array([2 * width, 2 * height] * 2)
    return corners.clip(least, most)


def _draw_labels(picture: Pixels, drawings: Sequence[Drawing], scale: float) -> None:
    """Write the label of each drawing; one that is away from its box has a line to it."""
    if not drawings:
        return
    # Small ones come last, to lie on top, and choose their places first.
    drawings = sorted(drawings, key=lambda drawing: drawing.bbox[2] * drawing.bbox[3])
    boxes = np.array([_find_corners(drawing, picture) for drawing in drawings])
    sizes = (boxes[:, 3] - boxes[:, 1]) / 8 / scale
    texts = np.round(sizes.clip(_SMALL_TEXT, _LARGE_TEXT) * scale).astype(int).tolist()
    # Digits are equally wide, so few of the many scores have to be measured.
    labels = [re.sub(r"[0-9]", "0", drawing.label) for drawing in drawings]
    widths = [*map(measure, labels, texts)]
    sizes = [(w + round(0.5 * s), round(1.3 * s)) for w, s in zip(widths, texts, strict=True)]
    height, width = picture.shape[:2]
    placed = place_labels(boxes, sizes, np.array([0, 0, width, height]))
    for drawing, (_, line) in zip(drawings, placed, strict=True):
        if line is not None:
            x, y, to_x, to_y = line.round().astype(int).tolist()
            thickness = max(round(2 * scale), 1)
            cv2.line(picture, (x, y), (to_x, to_y), drawing.color, thickness, cv2.LINE_AA)
    for drawing, size, text_width, (place, _) in zip(drawings, texts, widths, placed, strict=True):
        left, top, right, bottom = place.round().astype(int).tolist()
        ends = (left, top), (right - 1, bottom - 1)
        cv2.rectangle(picture, *ends, drawing.color, cv2.FILLED)
        cv2.rectangle(picture, *ends, drawing.line_color, 1)
        start, middle = left + (right - left - text_width) // 2, (top + bottom) // 2
        write(picture, start, middle, drawing.label, size, ink(drawing.color))


def _draw_legend(example: Example, width: int, scale: float) -> Pixels:
    """Return the strip below a photograph: the name of the image, and the legend."""
    sizes = _LEGEND_TEXT, _LEGEND_ROW, _MARGIN, _SWATCH
    size, row_height, margin, swatch = (round(value * scale) for value in sizes)
    placed: list[tuple[Entry, int, int]] = []
    x, row = margin, 1
    for entry in list_entries(example):
        needed = swatch + measure(entry.text, size) + margin
        if x > margin and x + needed > width:
            x, row = margin, row + 1
        placed.append((entry, x, row))
        x += needed + 2 * margin
    rows = row + 1 if placed else 1
    strip = np.full((rows * row_height + margin, width, 3), 255, np.uint8)
    middle = (margin + row_height) // 2
    write(strip, margin, middle, example.title, size, _GREY)
    for entry, x, row in placed:
        at = middle + row * row_height
        box = strip[at - size // 2 : at + size // 2, x : x + round(1.5 * size)]
        _draw_swatch(box, entry)
        write(strip, x + swatch, at, entry.text, size, BLACK)
    return strip


def _draw_swatch(box: Pixels, entry: Entry) -> None:
    height, width = box.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    box[:] = np.array(entry.colors)[columns * len(entry.colors) // width]
    if entry.is_hatched:
        box[(rows + columns) % 8 >= 4] = WHITE
    if entry.is_outlined:
        box[3:-3, 3:-3] = WHITE if entry.colors == [WHITE] else box[3:-3, 3:-3] // 2 + 127
    frame = _GREY if entry.colors == [WHITE] else entry.colors[0]
    cv2.rectangle(box, (0, 0), (width - 1, height - 1), frame, 1)


def _mix(patch: NDArray[np.uint8], mask: NDArray[np.uint8], color: Color, share: float) -> None:
    """Mix a `share` of a colour into the pixels of a picture that the mask has. A table of what
    each value of a channel becomes is faster than mixing the pixels."""
    table = np.arange(256)[:, None] * (1 - share) + np.array(color) * share
    cv2.copyTo(cv2.LUT(patch, np.round(table).astype(np.uint8)[None]), mask, patch)
