"""Examples: images of a COCO file with their photographs and what is drawn on them."""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cityscapes_coco.cityscapes.photographs import locate
from cityscapes_coco.coco.records import Annotation, Image, Result
from cityscapes_coco.coco.segmentations import decode_rles, name_annotation
from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures.colors import choose_colors
from cityscapes_coco.pictures.drawings import Categories, Drawing, draw_records, sort_by_size
from cityscapes_coco.pictures.outcomes import compare, compare_segments
from cityscapes_coco.pictures.text import cut_text
from cityscapes_coco.pixels.photograph import open_photograph
from cityscapes_coco.pixels.rle import Rle, decode_box
from cityscapes_coco.scores.results import decode_masks

_MAP_TYPE = re.compile(r"_gt(Fine|Coarse)(?=_leftImg8bit\.)")
_PAPER = 96  # the grey that stands for a missing photograph, as dark as streets are


class Source(NamedTuple):
    """The COCO file at `path`, the folder that the names of its images start at, its categories,
    and the file of results, None if only the truth is drawn. Of panoptic results, only drawings of
    the categories `shown` are left when they have been compared, or all if none is named."""

    path: Path
    start: Path
    categories: Categories
    results_path: Path | None = None
    shown: Collection[str] = ()


class Example(NamedTuple):
    """An image with what is drawn of it; `photo` is RGB, uint8, of shape (height, width, 3).

    `note` says why the photograph is missing, if it is. If the drawings are predictions, `truth` is
    drawn over them. `classes` has the names of the categories in their order.
    """

    title: str
    photo: NDArray[np.uint8]
    note: str
    classes: Sequence[str]
    drawings: list[Drawing]
    truth: list[Drawing] | None = None


def draw_image(
    source: Source,
    image: Image,
    annotations: Iterable[Annotation],
    results: Sequence[Result] | Sequence[Annotation] = (),
) -> tuple[list[Drawing], list[Drawing] | None, str]:
    """Return what is drawn of an image: instances, or predictions and the truth; without masks that
    can be painted. The text says which drawings were left out.

    Raises UserError if the image has no size or a mask cannot be decoded.
    """
    width, height = image.width or 0, image.height or 0
    # matplotlib draws no side of 65,536 pixels, and in a window takes 120 bytes for each pixel.
    if min(width, height) < 1 or max(width, height) > 2**15 or width * height > 2**24:
        name = image.file_name or ""
        reason = f"the image {name} has {width} x {height} pixels, which cannot be drawn"
        raise UserError(source.path, f"{reason}; choose others with --image")

    def decode(annotation: Annotation) -> Rle:
        opencv = source.categories.with_opencv
        [rle] = decode_rles(
            source.path, [annotation], (height, width), name_annotation, with_opencv=opencv
        )
        return rle

    def decode_result(result: Result | Annotation) -> Rle:
        if isinstance(result, Annotation):
            return decode(result)
        return decode_masks(source.results_path or source.path, [result], (height, width))[0]

    # The largest are drawn if there are too many.
    by_size = sorted(annotations, key=lambda a: -math.prod((a.bbox or (0,))[-2:]))
    drawings, left_out = draw_records(by_size, decode, width * height, source.categories)
    if source.results_path is None:
        return sort_by_size(drawings), None, left_out
    best_first: list[Any] = sorted(results, key=lambda result: -getattr(result, "score", 0))
    predictions, more_left_out = draw_records(
        best_first, decode_result, width * height, source.categories
    )
    is_panoptic = any(isinstance(result, Annotation) for result in results)
    judge = compare_segments if is_panoptic else compare
    predictions, truth = judge(predictions, drawings)
    if source.shown:
        predictions, truth = (
            [drawing for drawing in side if drawing.name in source.shown]
            for side in (predictions, truth)
        )
    return sort_by_size(predictions), sort_by_size(truth), left_out + more_left_out


def load_example(
    source: Source,
    image: Image,
    annotations: Iterable[Annotation],
    results: Sequence[Result] | Sequence[Annotation] = (),
) -> Example:
    """Return an image with its photograph and its drawings, ready to be painted. Raises UserError
    if the image has no size or a mask cannot be decoded."""
    drawings, truth, left_out = draw_image(source, image, annotations, results)
    name = image.file_name or ""
    photo, note = _read_photo(source.start, name, image.width or 0, image.height or 0)
    drawings = [_cut_out(drawing, photo) for drawing in drawings]
    if truth is None:
        drawings = _color(drawings, photo)
    else:
        truth = [_cut_out(drawing, photo) for drawing in truth]
    classes = [*source.categories.names.values()]
    return Example(cut_text(name) + left_out, photo, note, classes, drawings, truth)


def _cut_out(drawing: Drawing, photo: NDArray[np.uint8]) -> Drawing:
    """Give a drawing the region that is painted: its mask, or the box that stands for it."""
    if drawing.rle:
        return drawing._replace(region=decode_box(drawing.rle))
    if drawing.filled is None:
        return drawing
    x, y, width, height = drawing.filled
    most = photo.shape[1::-1]
    left, top = (round(min(max(edge, 0), end)) for edge, end in zip((x, y), most, strict=True))
    right, bottom = (
        round(min(max(edge, 0), end))
        for edge, end in zip((x + width, y + height), most, strict=True)
    )
    if right <= left or bottom <= top:
        return drawing
    return drawing._replace(region=(left, top, np.ones((bottom - top, right - left), np.uint8)))


def _color(drawings: list[Drawing], photo: NDArray[np.uint8]) -> list[Drawing]:
    """Give each instance a colour that differs from its neighbours'."""
    shaped = [drawing for drawing in drawings if not drawing.is_stuff]
    if not shaped:
        return drawings
    means = np.zeros((len(shaped), 3))
    for mean, drawing in zip(means, shaped, strict=True):
        if drawing.region:
            x, y, mask = drawing.region
            mean[:] = cv2.mean(photo[y : y + mask.shape[0], x : x + mask.shape[1]], mask)[:3]
    boxes = np.array([drawing.bbox for drawing in shaped], np.float64)
    boxes[:, 2:] += boxes[:, :2]
    colors = iter(choose_colors([drawing.family for drawing in shaped], boxes, means))
    return [d if d.is_stuff else d._replace(color=next(colors)) for d in drawings]


def _read_photo(start: Path, name: str, width: int, height: int) -> tuple[NDArray[np.uint8], str]:
    """Return the photograph of shape (height, width, 3), or a grey one and the reason for it."""
    # The official createPanopticImgs.py puts the type of the maps into names of photographs.
    path = locate(start, name) or locate(start, _MAP_TYPE.sub("", name))
    name = cut_text(name)
    if path is None:
        note = f"no photograph {name} in {start}; see --datadir and --imagedir"
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
