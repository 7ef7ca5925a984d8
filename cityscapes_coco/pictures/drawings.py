"""The records of an image as drawings: what is drawn of each annotation or result, and how.

Coordinates are COCO's: pixel (x, y) is the square from (x, y) to (x + 1, y + 1).
"""

import colorsys
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pycocotools import mask as coco_mask

from cityscapes_coco.cityscapes.photograph_search import locate
from cityscapes_coco.coco.reading import (
    AnyRecord,
    fills_with_opencv,
    list_stuff,
    name_categories,
    read_info,
    read_options,
)
from cityscapes_coco.coco.records import Annotation, CocoFile, Id, Image, Result
from cityscapes_coco.coco.segmentations import decode_annotation
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.pixels.photograph import open_photograph
from cityscapes_coco.pixels.rle import Rle

Style = Literal["filled", "hatched", "outlined", "flat"]
Color = tuple[int, int, int]  # RGB, 0..255
Shade = tuple[float, float, float]  # RGB, 0..1

LABEL_COLORS = {label.name: label.color for label in LABELS}
OTHER_COLOR = (120, 120, 120)
_PAPER = 96  # the grey that stands for a missing photograph, as dark as streets are

# A file may hold any number of annotations of any size. What is drawn of an image is bounded, far
# above what a street has: so many drawings, and masks whose boxes cover the image so many times.
_MOST_DRAWN, _MOST_PAINTED = 300, 10
_LONGEST = 150  # characters of a name


class Categories(NamedTuple):
    """The categories of a file: `names` by id, `colors` by name, and the ids of `stuff`.

    `with_opencv` says that OpenCV fills the polygons of the file.
    """

    names: Mapping[Id, str]
    colors: Mapping[str, Color]
    stuff: Collection[Id] = ()
    with_opencv: bool = False


class Drawing(NamedTuple):
    """What is drawn of an annotation or of a result.

    `name` is the category's, such as `car`. The legend counts drawings by `kind`, such as `car
    group`. `label` is written beside the drawing, unless it is empty. `color` is a shade of
    `category_color`. `bbox` is (x, y, width, height); `rle` is the mask in the whole image, None if
    there is none.

    Groups and false predictions are hatched. Truth drawn over predictions is outlined in white.
    Stuff is flat: filled, without outline, box, label and count.
    """

    name: str
    kind: str
    label: str
    style: Style
    is_group: bool
    category_color: Color
    color: Shade
    bbox: tuple[float, float, float, float]
    rle: Rle | None

    @property
    def line_color(self) -> Shade:
        """The colour of the lines around a shape: lighter than its fill, as streets are dark."""
        lighter = 1.0 if self.style == "outlined" else 0.5
        red, green, blue = (value + (1 - value) * lighter for value in self.color)
        return red, green, blue


class Example(NamedTuple):
    """An image with its instances; `photo` is RGB, uint8, of shape (height, width, 3).

    `note` says why the photograph is missing, if it is. If the drawings are predictions, `truth` is
    drawn over them.
    """

    title: str
    photo: NDArray[np.uint8]
    note: str
    drawings: list[Drawing]
    truth: list[Drawing] | None = None


def read_categories(coco: CocoFile) -> Categories:
    """Return the categories of a file. A merged category has the colour of its first class."""
    merged = read_options(read_info(coco)).parsed_categories
    colors = {category.name: LABEL_COLORS[category.classes[0]] for category in merged}
    return Categories(
        name_categories(coco), LABEL_COLORS | colors, list_stuff(coco), fills_with_opencv(coco)
    )


def load_example(
    path: Path, start: Path, image: Image, annotations: Iterable[Annotation], categories: Categories
) -> Example:
    """Read the photograph of an image of the COCO file at `path`, and decode its annotations.

    The names of images start at the folder `start`. Raises UserError if the image has no size or an
    annotation cannot be decoded.
    """
    title, width, height = image.file_name or "", image.width or 0, image.height or 0
    # matplotlib draws no side of 65,536 pixels, and in a window takes 120 bytes for each pixel.
    if min(width, height) < 1 or max(width, height) > 2**15 or width * height > 2**24:
        raise UserError(path, f"the image {title} has {width} x {height} pixels")

    def decode(annotation: Annotation) -> Rle:
        filled = categories.with_opencv
        return decode_annotation(path, annotation, height, width, with_opencv=filled)

    annotations = list(annotations)
    if len(annotations) > _MOST_DRAWN:
        annotations.sort(key=lambda item: math.prod((item.bbox or (0,))[-2:]), reverse=True)
    drawings, left_out = load_drawings(annotations, decode, width * height, categories)
    photo, note = _read_photo(start, title, width, height)
    return Example(cut_text(title) + left_out, photo, note, sort_by_size(drawings))


def load_drawings(
    records: Sequence[AnyRecord],
    decode: Callable[[AnyRecord], Rle],
    pixels: int,
    categories: Categories,
) -> tuple[list[Drawing], str]:
    """Return the drawings of an image with so many `pixels`, and a text for its title.

    If there are too many records, only the first ones are drawn, and the text says so. `decode`
    returns the mask of a record, None if it has none.
    """
    counts: Counter[Id] = Counter()
    drawings: list[Drawing] = []
    painted = 0.0
    for record in records[:_MOST_DRAWN]:
        number = record.category_id
        is_stuff = number in categories.stuff
        rle = decode(record)
        box = coco_mask.toBbox(rle).tolist() if rle else (0.0, 0.0, 0.0, 0.0)
        painted += box[2] * box[3]
        name = cut_text(categories.names.get(number, "unknown").strip()) or "unnamed"
        color = categories.colors.get(name, OTHER_COLOR)
        is_group = isinstance(record, Annotation) and bool(record.iscrowd)
        kind = f"{name} group" if is_group else name
        drawings.append(
            Drawing(
                name,
                kind,
                label=f"{kind} {record.score:.2f}" if isinstance(record, Result) else kind,
                style="hatched" if is_group else "flat" if is_stuff else "filled",
                is_group=is_group,
                category_color=color,
                color=_shade(color, counts[number]),
                bbox=record.bbox or tuple(box),
                rle=rle if painted <= _MOST_PAINTED * pixels else None,
            )
        )
        counts[number] += 1
    total = len(records)
    if total <= _MOST_DRAWN and painted <= _MOST_PAINTED * pixels:
        return drawings, ""
    masks = sum(drawing.rle is not None for drawing in drawings)
    return drawings, f" (drawn: {len(drawings)} of {total}, {masks} with masks)"


def sort_by_size(drawings: Iterable[Drawing]) -> list[Drawing]:
    """Return drawings with large ones first, so that small ones lie on top of them."""
    return sorted(drawings, key=lambda drawing: -drawing.bbox[2] * drawing.bbox[3])


def cut_text(text: str) -> str:
    """Return a text, cut if it is too long to be drawn."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _read_photo(start: Path, name: str, width: int, height: int) -> tuple[NDArray[np.uint8], str]:
    """Return the photograph of shape (height, width, 3), or a grey one and the reason for it."""
    path, name = locate(start, name), cut_text(name)
    if path is None:
        note = f"no photograph {name} in {start}"
    else:
        try:
            with open_photograph(path) as photo:
                if photo.size == (width, height):
                    return _to_rgb(photo), ""
                note = f"{name} has {photo.width} x {photo.height} pixels, not {width} x {height}"
        except Exception:  # Pillow raises any error for a damaged file
            note = f"{name} cannot be read"
    return np.full((height, width, 3), _PAPER, np.uint8), note


def _to_rgb(photo: PillowImage.Image) -> NDArray[np.uint8]:
    """Return the pixels of a photograph, shape (height, width, 3); Pillow cuts off 16 bits."""
    if photo.mode.startswith("I"):
        grey = np.asarray(photo).astype(np.int64)
        grey = grey >> 8 if grey.max(initial=0) > 255 else grey
        return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.asarray(photo.convert("RGB"))


def _shade(color: Color, number: int) -> Shade:
    """Return a shade of a class's colour for its `number`th instance; the first has the colour.

    Steps of the golden ratio keep any few shades in a row apart. Dark classes stay darker than
    light ones: nothing else distinguishes trucks, cars and motorcycles.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in color))
    step = number * 0.618 % 1
    shifted = hue + 0.03 * step * (-1) ** number
    return colorsys.hls_to_rgb(shifted % 1, min(lightness * (1 + 0.5 * step), 0.8), saturation)
