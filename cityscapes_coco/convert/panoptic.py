"""A map becomes the segments of COCO's panoptic format, with the PNG file that shows them.

Categories, segments, pixels and names are those that the official `createPanopticImgs.py` of the
package cityscapesscripts writes.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.dataset import Dataset
from cityscapes_coco.cityscapes.frame import Frame
from cityscapes_coco.cityscapes.id_map import cut_into_runs, measure_regions
from cityscapes_coco.coco.panoptic import PanopticWriter
from cityscapes_coco.coco.records import (
    PANOPTIC_PREFIX,
    PANOPTIC_SUFFIX,
    PanopticCategory,
    PanopticImage,
    Segment,
)
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS, Label
from cityscapes_coco.options import Panoptic
from cityscapes_coco.pixels.png import encode_rgb_png

# The labels that have a category: those that Cityscapes evaluates. All other pixels are void.
_LABELS = {label.id: label for label in LABELS if not label.ignored}

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
    for region in measure_regions(runs, _IS_SEGMENT, width):
        category_id = _category_id(_LABELS[region.label_id], ids)
        is_group = int(region.is_group)
        segments.append(Segment(region.value, category_id, is_group, region.area, region.bbox))
    # Runs are quicker to paint than pixels are to look up. The four bytes of a little-endian number
    # are R, G, B, and one that is left out.
    pixels = np.repeat(_SEGMENT_IDS.take(runs.values), runs.ends - runs.starts)
    rgba = pixels.view(np.uint8).reshape(height, width, 4)
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)
    return PanopticFrame(width, height, encode_rgb_png(rgb), segments)


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


def add_frame(
    file: PanopticWriter, frame: Frame, file_names: Iterable[str], made: PanopticFrame
) -> None:
    """Write what was made of a frame, for each of its photographs, as they are to be named."""
    images = [
        PanopticImage(image_id, file_name, made.width, made.height)
        for image_id, file_name in zip(_image_ids(frame), file_names, strict=True)
    ]
    file.add(_name_png(frame), made.png, made.segments, images)


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
