"""The masks of annotations and results, encoded, and decoded where they are needed.

This takes numpy, which the rest of `coco/` but panoptic.py does without: the summary of a file does
not wait for it.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET, Raw

from cityscapes_coco.coco.json_file import mend_segmentation
from cityscapes_coco.coco.reading import AnyRecord
from cityscapes_coco.coco.records import Annotation, Image, Result
from cityscapes_coco.errors import UserError
from cityscapes_coco.pixels.opencv_polygons import fill_polygons
from cityscapes_coco.pixels.rle import (
    Rle,
    RunLengths,
    check_polygons,
    fill_image,
    to_rle,
    to_rles,
)
from cityscapes_coco.run.json_errors import explain, name_odd_numbers

# A segmentation that is there but empty, in a compact file or in one with line breaks.
_NOTHING = re.compile(rb"null|\[\s*\]|\{\s*\}")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[list[float]] | RunLengths)


def encode_segmentation(segmentation: list[list[float]] | Rle) -> Raw:
    """Return polygons, [x0, y0, x1, y1, ...] each, or an RLE of pycocotools as JSON."""
    if isinstance(segmentation, dict):
        segmentation = {**segmentation, "counts": segmentation["counts"].decode()}
    return Raw(_encoder.encode(segmentation))


def decode_segmentation(record: Annotation | Result) -> list[list[float]] | RunLengths | None:
    """Return the polygons or the run lengths of an annotation or a result; None if there are none.
    Raises ValueError if its segmentation is something else."""
    if record.segmentation is UNSET or not has_segmentation(record):
        return None
    try:
        return _decoder.decode(record.segmentation)
    except msgspec.ValidationError:
        pass
    try:
        return _decoder.decode(mend_segmentation(bytes(record.segmentation)))
    except msgspec.ValidationError as error:
        reason = explain(error, "segmentation")
        raise ValueError(name_odd_numbers(reason, bytes(record.segmentation))) from error


def has_segmentation(record: Annotation | Result) -> bool:
    """Return whether an annotation or a result has a segmentation at all, readable or not."""
    return record.segmentation is not UNSET and not _NOTHING.fullmatch(record.segmentation)


def decode_rle(
    record: Annotation | Result, height: int, width: int, *, with_opencv: bool = False
) -> Rle:
    """Return the RLE of the mask of an annotation or a result, in an image of the given size; None
    if there is no mask. `with_opencv` says that OpenCV fills the polygons, and not pycocotools.

    Raises ValueError if the mask cannot be decoded or is of another size.
    """
    return _to_rle(decode_segmentation(record), height, width, with_opencv, is_checked=False)


def decode_rles(
    path: Path,
    records: Sequence[AnyRecord],
    size: tuple[int, int],
    name: Callable[[AnyRecord], str],
    *,
    with_opencv: bool = False,
) -> list[Rle]:
    """Return what `decode_rle` does of each record of an image, (height, width) in pixels, in the
    file at `path`. `name` tells the name of a record, for errors. Raises UserError if a mask
    cannot be decoded or is of another size."""
    height, width = size
    segmentations, rles = [], []
    for record in records:
        try:
            segmentations.append(decode_segmentation(record))
        except ValueError as error:
            raise UserError(path, f"{name(record)}: {error}") from error
    counts = [runs["counts"] for runs in segmentations if isinstance(runs, dict)]
    texts = [text for text in counts if isinstance(text, str)]
    # All at once, which is quick. If one is wrong, each is checked again, to find which.
    are_checked = bool(texts) and fill_image(texts, height * width)
    for record, segmentation in zip(records, segmentations, strict=True):
        try:
            rle = _to_rle(segmentation, height, width, with_opencv, are_checked)
        except ValueError as error:
            raise UserError(path, f"{name(record)}: {error}") from error
        rles.append(rle)
    return rles


def name_annotation(annotation: Annotation) -> str:
    return f"annotation {annotation.id}"


def find_size(path: Path, image: Image) -> tuple[int, int]:
    """Return (height, width) of an image of the COCO file at `path`, in pixels. Raises UserError if
    the file does not say, or says what no image has."""
    if image.height is UNSET or image.width is UNSET:
        raise UserError(path, f"image {image.id} has no height or no width; add both")
    height, width = image.height, image.width
    # A run length of pycocotools has 32 bits.
    if min(height, width) < 1 or max(height, width) >= 1 << 16:
        reason = f"image {image.id} has {width} x {height} pixels"
        raise UserError(path, f"{reason}; each side must have 1 to 65,535")
    return height, width


def _to_rle(
    segmentation: list[list[float]] | RunLengths | None,
    height: int,
    width: int,
    with_opencv: bool,
    is_checked: bool,
) -> Rle:
    if not (with_opencv and segmentation and isinstance(segmentation, list)):
        return to_rle(segmentation, height, width, is_checked=is_checked)
    check_polygons(segmentation, height, width)
    [rle] = to_rles([fill_polygons(segmentation, height, width)], height, width)
    return rle
