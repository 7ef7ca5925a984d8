"""COCO's panoptic format: a map becomes a PNG file of segments, and a split a folder of such files
with the JSON file that tells what they hold; and such a PNG file, of any tool, is read.

Categories, segments, pixels and names are those that the official `createPanopticImgs.py` of the
package cityscapesscripts writes.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.dataset import Dataset, Frame
from cityscapes_coco.cityscapes.id_map import cut_into_runs, measure_regions
from cityscapes_coco.cityscapes.photographs import parts_inside
from cityscapes_coco.coco.records import (
    PANOPTIC_PREFIX,
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
from cityscapes_coco.labels import LABELS, Label
from cityscapes_coco.options import Panoptic
from cityscapes_coco.pixels.png import decode_rgb_png, encode_png
from cityscapes_coco.pixels.rle import find_rles
from cityscapes_coco.run.files import read_file, replacing_folder, waiting_file
from cityscapes_coco.run.folders import list_folder

# The labels that have a category: those that Cityscapes evaluates. All other pixels are void.
_LABELS = {label.id: label for label in LABELS if not label.ignored}

# More than any PNG file of a map has.
_MOST_BYTES = 1 << 28

# For every value that a map can hold: does it belong to a segment, and which id has it there?
_VALUES = np.arange(1 << 16)
_IS_SEGMENT = np.isin(np.where(_VALUES < 1000, _VALUES, _VALUES // 1000), list(_LABELS))
_SEGMENT_IDS = np.where(_IS_SEGMENT, _VALUES, 0).astype("<u4")


class PanopticFrame(NamedTuple):
    """What one map, of so many pixels, adds to panoptic files: its PNG file, and the segments in
    it."""

    width: int
    height: int
    png: bytes
    segments: list[Segment]


def list_panoptic_categories(ids: Panoptic) -> list[PanopticCategory]:
    """Return the 19 categories in the order of the label table; their `ids` are those of the table
    or its "train" ids."""
    return [
        PanopticCategory(
            id=_category_id(label, ids),
            name=label.name,
            supercategory=label.category,
            isthing=int(label.has_instances),
            color=label.color,
        )
        for label in _LABELS.values()
    ]


def segment_frame(id_map: NDArray[np.uint16], ids: Panoptic) -> PanopticFrame:
    """Return what a map, shape (height, width), adds to panoptic files with such category ids.

    The id of a segment is the value in the map, and the segments are in the order of their ids. In
    the PNG file, a pixel is R + 256 G + 65536 B, and void is 0. A value of 1000 or more whose label
    has no instances, which Cityscapes never writes, is a segment of that label.
    """
    height, width = id_map.shape
    runs = cut_into_runs(id_map)
    segments = []
    for value, bbox, area in measure_regions(runs, _IS_SEGMENT, width):
        label = _LABELS[value if value < 1000 else value // 1000]
        is_group = label.has_instances and value < 1000
        segments.append(Segment(value, _category_id(label, ids), int(is_group), area, bbox))
    # Runs are quicker to paint than pixels are to look up. The four bytes of a little-endian number
    # are R, G, B, and one that is left out.
    pixels = np.repeat(_SEGMENT_IDS.take(runs.values), runs.ends - runs.starts)
    rgba = pixels.view(np.uint8).reshape(height, width, 4)
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)
    return PanopticFrame(width, height, encode_png(rgb), segments)


def name_panoptic(dataset: Dataset, ending: str, ids: Panoptic) -> str:
    """Return the name of panoptic files: for the fine maps that of the official tool; `ending`
    names the split."""
    map_type = "" if dataset.map_type == "gtFine" else f"{dataset.map_type}_"
    return f"{PANOPTIC_PREFIX}{map_type}{ending}{'_trainId' if ids == 'train' else ''}"


def check_image_ids(dataset: Dataset, frames: Iterable[Frame]) -> None:
    """Raise UserError if two frames would have one PNG file, or two images one id."""
    pngs: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    for frame in frames:
        pngs[_name_png(frame)] += 1
        ids.update(_image_ids(frame))
    for counts, what, remedy in (
        (pngs, "frames the PNG file", "the maps of this frame are in several folders; keep one"),
        (ids, "images the id", "take one image set with --images"),
    ):
        [(name, times)] = counts.most_common(1)
        if times > 1:
            raise UserError(dataset.folder, f"--panoptic gives {times} {what} {name}; {remedy}")


class PanopticWriter:
    """Panoptic files that are being written: `add` the frames in order, then `finish`.

    The PNG files wait in one file until all frames are there.
    """

    def __init__(self, file: CocoWriter, folder: Path, pngs: IO[bytes]) -> None:
        self._file = file
        self._folder = folder
        self._pngs = pngs
        self._sizes: dict[str, int] = {}

    def add(self, frame: Frame, file_names: Sequence[str], made: PanopticFrame) -> None:
        """Write what was made of a frame, for each of its photographs, as they are to be named."""
        name = _name_png(frame)
        with blaming(self._folder):
            self._sizes[name] = self._pngs.write(made.png)
        for image_id, file_name in zip(_image_ids(frame), file_names, strict=True):
            image = PanopticImage(image_id, file_name, made.width, made.height)
            self._file.add(image, [PanopticAnnotation(image_id, name, made.segments)])

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


def _category_id(label: Label, ids: Panoptic) -> int:
    return label.train_id if ids == "train" else label.id


def _name_png(frame: Frame) -> str:
    return frame.map_name.removesuffix("_instanceIds.png") + PANOPTIC_SUFFIX


def _image_ids(frame: Frame) -> list[str]:
    """Return the ids of a frame's images: what the names of its files begin with, as the official
    tool has it; of several photographs, their own names."""
    if len(frame.file_names) == 1:
        return [frame.stem]
    return [PurePosixPath(name).stem for name in frame.file_names]


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
