"""One map of instance ids, and the instances in it."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.png import decode_png

# For every value that a map can hold: does it belong to a label, and to one that has instances?
_VALUES = np.arange(1 << 16)
_LABEL_OF = np.where(_VALUES < 1000, _VALUES, _VALUES // 1000)
_IS_KNOWN = np.isin(_LABEL_OF, [label.id for label in LABELS if label.id >= 0])
_HAS_INSTANCES = np.isin(_LABEL_OF, [label.id for label in LABELS if label.has_instances])
_FIRST_WITH_INSTANCES = min(label.id for label in LABELS if label.has_instances)

# More than any map that `decode_png` takes has uncompressed.
_MOST_BYTES = 1 << 27


class Instance(NamedTuple):
    """One object of a map, or one group of objects that could not be told apart.

    `id` is the value in the map, `label_id` the class in the label table. COCO calls a group a
    crowd. `bbox` is (x, y, width, height) in pixels and covers the pixels x .. x + width - 1;
    `area` counts pixels.
    """

    id: int
    label_id: int
    is_group: bool
    bbox: tuple[int, int, int, int]
    area: int


def read_id_map(path: str) -> NDArray[np.uint16]:
    """Return the `instanceIds.png` at `path` as an array of shape (height, width).

    Raises UserError if the map cannot be read, is damaged, or is not a PNG with one channel of 16
    bits.
    """
    try:
        return decode_png(_read_file(path))
    except ValueError as error:
        raise UserError(path, str(error)) from error


def _read_file(path: str) -> bytes:
    try:
        status = os.stat(path)  # noqa: PTH116
        # Anything else, a pipe for example, might never end.
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise UserError(path, "cannot be read: not a file")
        if status.st_size > _MOST_BYTES:
            raise UserError(path, f"has {status.st_size} bytes, too many for a map")
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(path, f"cannot be read: {error.strerror}") from error


def find_instances(id_map: NDArray[np.uint16]) -> list[Instance]:
    """Return the instances and groups of `id_map`, shape (height, width), in the order of their
    ids.

    The encoding is that of cityscapesscripts' `json2instanceImg.py`: label id * 1000 + n for an
    instance; the bare label id for stuff, and for a group of a class that has instances.

    Raises ValueError if a value belongs to no label.
    """
    # Most rows of a street are stuff from end to end: nothing but labels below the first one with
    # instances, all of which are known.
    rows = np.flatnonzero(id_map.max(axis=1) >= _FIRST_WITH_INSTANCES)
    if not rows.size:
        return []
    above = int(rows[0])
    id_map = id_map[above : rows[-1] + 1]

    # One pass over the rest: everything but the masks follows from its runs of equal pixels.
    width = id_map.shape[1]
    pixels = id_map.ravel()
    bounds = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = np.concatenate(([0], bounds))
    ends = np.concatenate((bounds, [pixels.size]))
    ids = pixels.take(starts)
    known = _IS_KNOWN.take(ids)
    if not known.all():
        unknown = ids[~known][0]
        raise ValueError(f"holds the value {unknown}, whose label Cityscapes does not have")

    runs = np.flatnonzero(_HAS_INSTANCES.take(ids))
    if not runs.size:
        return []
    runs = runs[np.argsort(ids[runs], kind="stable")]
    ids, starts, lasts = ids[runs], starts[runs], ends[runs] - 1
    tops, bottoms = starts // width, lasts // width
    # A run that goes on in the next row touches both sides of the map.
    wraps = tops < bottoms
    lefts = np.where(wraps, 0, starts - tops * width)
    rights = np.where(wraps, width - 1, lasts - bottoms * width)
    first = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1))
    columns = (
        ids[first],
        np.minimum.reduceat(lefts, first),
        np.minimum.reduceat(tops, first),
        np.maximum.reduceat(rights, first) + 1,
        np.maximum.reduceat(bottoms, first) + 1,
        np.add.reduceat(lasts - starts + 1, first),
    )
    return [
        Instance(
            id=value,
            label_id=int(_LABEL_OF[value]),
            is_group=value < 1000,
            bbox=(left, above + top, right - left, bottom - top),
            area=area,
        )
        for value, left, top, right, bottom, area in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def cut_mask(id_map: NDArray[np.uint16], instance: Instance) -> NDArray[np.uint8]:
    """Return the mask of an instance within its bbox: 0 or 1, of shape (height, width)."""
    left, top, width, height = instance.bbox
    cut = id_map[top : top + height, left : left + width]
    mask: NDArray[np.uint8] = (cut == instance.id).view(np.uint8)
    return mask
