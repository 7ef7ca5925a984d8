"""The records of an image as drawings: what is drawn of each annotation or result.

Coordinates are COCO's: pixel (x, y) is the square from (x, y) to (x + 1, y + 1).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.reading import (
    AnyRecord,
    fills_with_opencv,
    list_stuff,
    name_categories,
    read_options,
)
from cityscapes_coco.coco.records import Annotation, CocoFile, Id, Result
from cityscapes_coco.pictures.colors import (
    LABEL_COLORS,
    OTHER_COLOR,
    Color,
    Family,
    find_families,
    find_page_colors,
    tint,
)
from cityscapes_coco.pixels.rle import Rle

Box = tuple[float, float, float, float]
Outcome = Literal["", "right", "false", "missed", "found", "ignored"]
Region = tuple[int, int, NDArray[np.uint8]]  # x, y, and a mask from there on, of 0 and 1

# A file may hold any number of annotations of any size. What is drawn of an image is bounded, far
# above what a street has: so many drawings, and masks whose boxes cover the image so many times.
_MOST_DRAWN, _MOST_PAINTED = 300, 10


class Categories(NamedTuple):
    """The categories of a file, in its order: `names` by id, and by name the colours that instances
    may have, and the one that a page has for the class; the ids of `stuff`.

    `with_opencv` says that OpenCV fills the polygons of the file.
    """

    names: Mapping[Id, str]
    families: Mapping[str, Family]
    page_colors: Mapping[str, Color]
    stuff: Collection[Id] = ()
    with_opencv: bool = False


class Drawing(NamedTuple):
    """What is drawn of an annotation or of a result.

    `name` is the category's; `label` is written beside the drawing, unless it is empty. `family`
    has the colours of the category, and `color` the one that is drawn. `bbox` is (x, y, width,
    height). `rle` is the mask in the whole image, and `region` the same, ready to be painted; None
    if there is none. Where there is no mask, the box `filled` is painted instead, unless it is
    None. `score` is 1 for an annotation; `outcome` is empty if no results are compared with the
    truth.
    """

    name: str
    label: str
    is_group: bool
    is_stuff: bool
    family: Family
    color: Color
    bbox: Box
    rle: Rle | None
    score: float = 1
    outcome: Outcome = ""
    region: Region | None = None
    filled: tuple[float, float, float, float] | None = None

    @property
    def line_color(self) -> Color:
        """The colour of lines around a shape: lighter than its fill, but for what was missed."""
        return self.color if self.outcome == "missed" else tint(self.color, 0.3)


def read_categories(coco: CocoFile) -> Categories:
    """Return the categories of a file. A merged category has the colours of its first class."""
    merged = {c.name: c.classes[0] for c in read_options(coco).parsed_categories}
    names, stuff = name_categories(coco), list_stuff(coco)
    classes = {name: merged.get(name, name) for key, name in names.items() if key not in stuff}
    families = find_families(classes)
    page_colors = find_page_colors(classes)
    for name in (names[key] for key in names if key in stuff):
        page_colors[name] = LABEL_COLORS.get(merged.get(name, name), OTHER_COLOR)
        families[name] = (page_colors[name],)
    return Categories(names, families, page_colors, stuff, fills_with_opencv(coco))


def draw_records(
    records: Sequence[AnyRecord],
    decode: Callable[[AnyRecord], Rle],
    pixels: int,
    categories: Categories,
) -> tuple[list[Drawing], str]:
    """Return the drawings of an image with so many `pixels`, and a text for its title.

    If there are too many records, only the first ones are drawn, and the text says so. `decode`
    returns the mask of a record, None if it has none.
    """
    drawings: list[Drawing] = []
    painted = 0.0
    for record in records[:_MOST_DRAWN]:
        rle = decode(record)
        box: Any = coco_mask.toBbox(rle).tolist() if rle else (0.0, 0.0, 0.0, 0.0)
        drawing = _draw(record, categories, record.bbox or tuple(box), rle)
        if drawing.filled and not rle:
            box = drawing.filled
        painted += min(box[2] * box[3], pixels)
        if painted > _MOST_PAINTED * pixels:
            drawing = drawing._replace(rle=None, filled=None)
        drawings.append(drawing)
    total = len(records)
    if total <= _MOST_DRAWN and painted <= _MOST_PAINTED * pixels:
        return drawings, ""
    masks = sum(drawing.rle is not None for drawing in drawings)
    return drawings, f" (drawn: {len(drawings)} of {total}, {masks} with masks)"


def sort_by_size(drawings: Iterable[Drawing]) -> list[Drawing]:
    """Return drawings with large ones first, so that small ones lie on top of them."""
    return sorted(drawings, key=lambda drawing: -drawing.bbox[2] * drawing.bbox[3])


def _draw(
    record: Annotation | Result, categories: Categories, bbox: Box, rle: Rle | None
) -> Drawing:
    name = categories.names.get(record.category_id, "unknown")
    family = categories.families.get(name, (OTHER_COLOR,))
    is_group = isinstance(record, Annotation) and bool(record.iscrowd)
    is_stuff = record.category_id in categories.stuff
    shown = name.strip() or "unnamed"
    score, label, filled = 1.0, f"{shown} group" if is_group else shown, None
    if isinstance(record, Result):
        score, label = record.score, f"{shown} {record.score:.2f}"
    elif record.ignore:
        label, filled = "ignore region", record.bbox or None
    else:
        filled = record.vis_bbox or None  # of a body, the part that can be seen
    return Drawing(
        *(shown, label, is_group, is_stuff, family, family[0], bbox, rle, score), filled=filled
    )
