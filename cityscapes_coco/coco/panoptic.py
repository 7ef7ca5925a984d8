"""COCO's panoptic files: a JSON file of segments and a folder of PNG files that show where they
are. They are written whole, and read from any tool."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.coco.records import (
    PANOPTIC_SUFFIX,
    Annotation,
    Image,
    Info,
    PanopticAnnotation,
    PanopticCategory,
    PanopticImage,
    Segment,
)
from cityscapes_coco.coco.writing import CocoWriter, blaming, encode_segmentation, write_coco
from cityscapes_coco.errors import UserError
from cityscapes_coco.pixels.png import decode_rgb_png
from cityscapes_coco.pixels.rle import find_rles
from cityscapes_coco.run.files import read_file, replacing_folder, waiting_file
from cityscapes_coco.run.folders import list_folder, parts_inside

# More than any PNG file of a map has.
_MOST_BYTES = 1 << 28


class PanopticWriter:
    """Panoptic files that are being written: `add` the frames in order, then `finish`.

    The PNG files wait in one file until all frames are there.
    """

    def __init__(self, file: CocoWriter, folder: Path, pngs: IO[bytes]) -> None:
        self._file = file
        self._folder = folder
        self._pngs = pngs
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

    def finish(self, info: Info, categories: Sequence[PanopticCategory]) -> None:
        self._file.finish(info, categories)

    def unpack(self, draft: Path) -> None:
        """Write each PNG file into a folder."""
        self._pngs.seek(0)
        for name, size in self._sizes.items():
            # Where A and a are one, two frames could get one file.
            with (draft / name).open("xb") as file:
                file.write(self._pngs.read(size))


@contextmanager
def write_panoptic(path: Path) -> Iterator[PanopticWriter]:
    """Give a writer of the JSON file at `path` and of the folder of PNG files beside it, which
    appear when the context is left: the folder first, the JSON file last.

    Until then, and whatever goes wrong, earlier ones stay as they were. Raises UserError if they
    cannot be written, or if the folder holds other files, which would be lost.
    """
    folder = find_folder(path)
    _check_earlier(folder)
    with ExitStack() as stack:
        with blaming(folder):
            pngs = stack.enter_context(waiting_file(path.parent))
        in_place = replacing_folder(folder, path, lambda draft: writer.unpack(draft))
        writer = PanopticWriter(stack.enter_context(write_coco(path, in_place)), folder, pngs)
        yield writer


def find_folder(path: Path) -> Path:
    """Return the folder of the PNG files that belong to the JSON file at `path`."""
    return path.with_suffix("")


def read_png(path: Path, image: Image) -> bytes:
    """Return the PNG file of an image of the panoptic file at `path`, which any tool may have
    written. Raises UserError if it cannot be read."""
    parts = parts_inside(image.seg_file_name or "")
    if not parts:
        raise UserError(path, f"the image {image.file_name or ''} has no PNG file in the folder")
    return read_file(find_folder(path).joinpath(*parts), _MOST_BYTES)


def add_masks(path: Path, image: Image, annotations: Iterable[Annotation]) -> None:
    """Give the segments of an image in the panoptic file at `path` their masks, as RLEs. Raises
    UserError if its PNG file cannot be read."""
    try:
        ids = decode_segment_ids(read_png(path, image), image.height or 0, image.width or 0)
    except ValueError as error:
        raise UserError(find_folder(path) / str(image.seg_file_name), str(error)) from error
    by_value = {annotation.map_value: annotation for annotation in annotations}
    for value, rle in find_rles(ids, lambda ids: ids > 0, 1).items():
        if value in by_value:
            by_value[value].segmentation = encode_segmentation(rle)


def decode_segment_ids(png: bytes, height: int, width: int) -> NDArray[np.int32]:
    """Return the ids of the segments in a PNG file, of any tool, shape (height, width).

    Raises ValueError if the file is damaged or is not RGB of this size.
    """
    pixels = decode_rgb_png(png)
    if pixels.shape[:2] != (height, width):
        has_height, has_width, _ = pixels.shape
        raise ValueError(f"has {has_width} x {has_height} pixels, not {width} x {height}")
    # The four bytes of a little-endian number are R, G, B, and the alpha that OpenCV adds.
    rgba = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    ids: NDArray[np.int32] = rgba.view("<i4")[..., 0] & 0xFFFFFF
    return ids


def _check_earlier(folder: Path) -> None:
    """Refuse to replace what is no folder of panoptic maps."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise UserError(folder, "not a folder, but one of PNG files is to be here; move it away")
    listing = list_folder(folder)
    others = [name for name in listing.files if not name.endswith(PANOPTIC_SUFFIX)]
    others += listing.folders
    if others:
        raise UserError(
            folder,
            f"would be replaced, but holds more than panoptic maps: {others[0]}; move it away, or"
            " choose a folder with --outdir",
        )
