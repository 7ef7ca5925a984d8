"""COCO's panoptic files: a JSON file of segments, and a folder of PNG files that show where the
segments are. They are written whole, and read from any tool."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.records import (
    PANOPTIC_SUFFIX,
    Annotation,
    Image,
    PanopticAnnotation,
    PanopticImage,
    Segment,
)
from cityscapes_coco.coco.segmentations import encode_segmentation
from cityscapes_coco.coco.writing import blaming, write_coco
from cityscapes_coco.errors import UserError
from cityscapes_coco.pixels.png import decode_rgb_png
from cityscapes_coco.pixels.rle import find_rles
from cityscapes_coco.run.files import read_file, replacing_folder, scratch_file
from cityscapes_coco.run.folders import list_folder, parts_inside

# More than any PNG file of a map has.
_MOST_BYTES = 1 << 28
# An id has three bytes in a PNG file.
HIGHEST_ID = (1 << 24) - 1


class PanopticWriter:
    """Panoptic files that are being written: `add` the frames in order, then `finish`. The PNG
    files wait in one temporary file until all frames are there."""

    def __init__(self, path: Path, files: ExitStack) -> None:
        self._folder = png_folder(path)
        with blaming(self._folder):
            self._pngs = files.enter_context(scratch_file(path.parent))
        in_place = replacing_folder(self._folder, path, self._unpack)
        self._file = files.enter_context(write_coco(path, in_place))
        self.finish = self._file.finish
        self._sizes: dict[str, int] = {}

    def add(
        self, name: str, png: bytes, segments: list[Segment], images: Iterable[PanopticImage]
    ) -> None:
        """Write the PNG file of a frame under its `name`, and the frame's segments for each of its
        images."""
        with blaming(self._folder):
            self._sizes[name] = self._pngs.write(png)
        for image in images:
            self._file.add(image, [PanopticAnnotation(image.id, name, segments)])

    def _unpack(self, draft: Path) -> None:
        self._pngs.seek(0)
        for name, size in self._sizes.items():
            # "x" refuses a second file of one name: on some systems A and a are the same.
            with (draft / name).open("xb") as file:
                file.write(self._pngs.read(size))


@contextmanager
def write_panoptic(path: Path) -> Iterator[PanopticWriter]:
    """Give a writer of the JSON file at `path` and of the folder of PNG files beside it. When the
    context is left the folder appears, then the JSON file.

    Until then, and whatever goes wrong, earlier ones stay as they were. Raises UserError if they
    cannot be written, or if the folder holds other files, which would be lost.
    """
    _check_earlier(png_folder(path))
    with ExitStack() as files:
        yield PanopticWriter(path, files)


def png_folder(path: Path) -> Path:
    """Return the folder of the PNG files that belong to the JSON file at `path`, which may be
    gzipped."""
    name = path.name.removesuffix(".gz")
    return path.parent / PurePath(name).stem if name else path


def search_png(path: Path, name: str) -> Path:
    """Return the path of a PNG file that belongs to the JSON file at `path`, by its `file_name`. If
    the usual folder is missing, it is in the first folder beside the file, or beside the file's
    folder, that holds such a PNG file.

    Raises UserError if the name leads out of the folder.
    """
    usual = png_folder(path)
    found = find_png(usual, name)
    if not usual.is_dir():
        for around in path.parent, path.parent.parent:
            with suppress(UserError):
                for folder in list_folder(around or ".").folders:
                    other = find_png(around / folder, name)
                    if other.is_file():
                        return other
    return found


def find_png(folder: Path, name: str) -> Path:
    """Return the path of a PNG file by its `file_name`. Raises UserError if this leads out of the
    folder."""
    parts = parts_inside(name)
    if not parts:
        raise UserError(folder, f"the file_name {name!r} leads out of this folder, or is empty")
    return folder.joinpath(*parts)


def read_png(path: Path, image: Image) -> bytes:
    """Return the PNG file of an image of the panoptic file at `path`, of any tool. Raises UserError
    if it cannot be read."""
    if not image.seg_file_name:
        reason = f"the image {image.file_name or ''} has no PNG file in the folder"
        raise UserError(path, f"{reason}; write both again")
    return read_file(search_png(path, image.seg_file_name), _MOST_BYTES)


def read_colors(path: Path, height: int, width: int) -> NDArray[np.int32]:
    """Return the colours in the PNG file at `path`, RGB or RGBA, of any tool, of shape (height,
    width): ids of segments in the three lower bytes, and anything in the highest one, which takes a
    while to clear in all pixels. Raises UserError if the file cannot be read or is not of this
    size."""
    png = read_file(path, _MOST_BYTES)
    try:
        return _decode_colors(png, height, width, with_alpha=True)
    except ValueError as error:
        raise UserError(path, str(error)) from error


def decode_segment_ids(png: bytes, height: int, width: int) -> NDArray[np.int32]:
    """Return the ids of the segments in a PNG file, of any tool, shape (height, width). Raises
    ValueError if the file is damaged or is not RGB of this size."""
    ids: NDArray[np.int32] = _decode_colors(png, height, width) & HIGHEST_ID
    return ids


def swap_channels(ids: NDArray[Any]) -> NDArray[Any]:
    """Return the ids that colours stand for if they are in the order blue, green, red."""
    swapped: NDArray[Any] = (ids & 0xFF) << 16 | ids & 0xFF00 | ids >> 16
    return swapped


def add_masks(png: Path, image: Image, annotations: Sequence[Annotation]) -> str:
    """Give the segments of an image their masks in the file `png`, as RLEs; return a text about
    segments without pixels and pixels of no segment, or "". Raises UserError if the PNG file cannot
    be read."""
    ids = read_colors(png, image.height or 0, image.width or 0) & HIGHEST_ID
    by_id = {annotation.map_value: annotation for annotation in annotations}
    known = [number for number in by_id if number is not UNSET and number > 0]
    # Of noise, every pixel has an id of its own.
    masks = find_rles(ids, lambda ids: np.isin(ids, known), min(known, default=1))
    for segment_id, rle in masks.items():
        by_id[segment_id].segmentation = encode_segmentation(rle)
    listed = int(coco_mask.area([*masks.values()]).sum())
    unlisted = np.count_nonzero(ids) - listed
    unseen = len(annotations) - len(masks)
    notes = []
    if unseen:
        notes.append(f"{unseen} of {len(annotations)} segments have no pixel in the PNG file")
    if unlisted:
        notes.append(f"{unlisted} pixels of the PNG file are of no segment")
    if unseen and unlisted and np.isin(swap_channels(ids), known).sum() > listed:
        notes.append("colours in BGR order?")
    return "; ".join(notes)


def _decode_colors(
    png: bytes, height: int, width: int, *, with_alpha: bool = False
) -> NDArray[np.int32]:
    pixels = decode_rgb_png(png, with_alpha=with_alpha)
    has_height, has_width, _ = pixels.shape
    if (has_height, has_width) != (height, width):
        reason = f"has {has_width} x {has_height} pixels, not {width} x {height} as its image"
        raise ValueError(f"{reason}; write it in that size")
    # The four bytes of a little-endian number are R, G, B, and the alpha that OpenCV adds.
    colors: NDArray[np.int32] = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA).view("<i4")[..., 0]
    return colors


def _check_earlier(folder: Path) -> None:
    """Raise UserError unless a folder is missing or holds PNG files of panoptic files alone."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise UserError(folder, "is in the place of the folder of PNG files; move it away")
    listing = list_folder(folder)
    others = [name for name in listing.files if not name.endswith(PANOPTIC_SUFFIX)]
    others += listing.folders
    if others:
        reason = f"would be replaced, but holds more than panoptic maps: {others[0]}"
        raise UserError(folder, f"{reason}; move it away, or choose a folder with --outdir")
