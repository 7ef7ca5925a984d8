"""One map of instance ids, and the instances in it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.pixels.png import decode_png
from cityscapes_coco.run.files import read_file

# For every value that a map can hold: does it belong to a label, and to one that has instances?
_VALUES = np.arange(1 << 16)
_LABEL_OF = np.where(_VALUES < 1000, _VALUES, _VALUES // 1000)
_IS_KNOWN = np.isin(_LABEL_OF, [label.id for label in LABELS if label.id >= 0])
_HAS_INSTANCES = np.isin(_LABEL_OF, [label.id for label in LABELS if label.has_instances])
_IS_FOREIGN = _IS_KNOWN & (_VALUES >= 1000) & ~_HAS_INSTANCES
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


class Region(NamedTuple):
    """All pixels of one value in a map; `bbox` and `area` are as those of an instance."""

    value: int
    bbox: tuple[int, int, int, int]
    area: int


class Runs(NamedTuple):
    """A map cut into runs of equal pixels, row after row: their values, and the places of their
    first pixels and of those after their last ones."""

    values: NDArray[np.uint16]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class MapContents(NamedTuple):
    """What a map holds, in the order of the values.

    `foreign` are values of 1000 or more whose label has no instances, such as 11000. Cityscapes'
    own tools never write one; maps with train ids or of other datasets hold them.
    """

    instances: list[Instance]
    foreign: list[int]


def read_id_map(path: str) -> NDArray[np.uint16]:
    """Return the `instanceIds.png` at `path` as an array of shape (height, width).

    Raises UserError if the map cannot be read, is damaged, or is not a PNG with one channel of 16
    bits.
    """
    try:
        return decode_png(read_file(path, _MOST_BYTES))
    except ValueError as error:
        raise UserError(path, str(error)) from error


def find_instances(id_map: NDArray[np.uint16]) -> MapContents:
    """Return the instances and groups of `id_map`, shape (height, width), and foreign values.

    The encoding is that of cityscapesscripts' `json2instanceImg.py`: label id * 1000 + n for an
    instance; the bare label id for stuff, and for a group of a class that has instances.

    Raises ValueError if a value belongs to no label.
    """
    # Most rows of a street are stuff from end to end: nothing but labels below the first one with
    # instances, all of which are known.
    rows = np.flatnonzero(id_map.max(axis=1) >= _FIRST_WITH_INSTANCES)
    if not rows.size:
        return MapContents([], [])
    above = int(rows[0])
    id_map = id_map[above : rows[-1] + 1]
    width = id_map.shape[1]
    runs = cut_into_runs(id_map)
    known = _IS_KNOWN.take(runs.values)
    if not known.all():
        unknown = runs.values[~known][0]
        raise ValueError(f"holds the value {unknown}, whose label Cityscapes does not have")
    foreign = np.unique(runs.values[_IS_FOREIGN.take(runs.values)]).tolist()
    instances = [
        Instance(
            id=value,
            label_id=int(_LABEL_OF[value]),
            is_group=value < 1000,
            bbox=(left, above + top, wide, high),
            area=area,
        )
        for value, (left, top, wide, high), area in measure_regions(runs, _HAS_INSTANCES, width)
    ]
    return MapContents(instances, foreign)


def cut_into_runs(id_map: NDArray[np.uint16]) -> Runs:
    """Return the runs of a map, shape (height, width), or of some rows of it."""
    pixels = id_map.ravel()
    bounds = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = np.concatenate(([0], bounds))
    return Runs(pixels.take(starts), starts, np.concatenate((bounds, [pixels.size])))


def measure_regions(runs: Runs, wanted: NDArray[np.bool_], width: int) -> Iterator[Region]:
    """Yield the regions of the values that are `wanted`, in their order, in a map so wide.

    `wanted`, of shape (65536,), says it of each value. Everything but the masks follows from runs.
    """
    chosen = np.flatnonzero(wanted.take(runs.values))
    if not chosen.size:
        return
    chosen = chosen[np.argsort(runs.values[chosen], kind="stable")]
    values, starts, lasts = runs.values[chosen], runs.starts[chosen], runs.ends[chosen] - 1
    tops, bottoms = starts // width, lasts // width
    # A run that goes on in the next row touches both sides of the map.
    wraps = tops < bottoms
    lefts = np.where(wraps, 0, starts - tops * width)
    rights = np.where(wraps, width - 1, lasts - bottoms * width)
    first = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))
    columns = (
        values[first],
        np.minimum.reduceat(lefts, first),
        np.minimum.reduceat(tops, first),
        np.maximum.reduceat(rights, first) + 1,
        np.maximum.reduceat(bottoms, first) + 1,
        np.add.reduceat(lasts - starts + 1, first),
    )
    for value, left, top, right, bottom, area in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        yield Region(value, (left, top, right - left, bottom - top), area)


def cut_mask(id_map: NDArray[np.uint16], instance: Instance) -> NDArray[np.uint8]:
    """Return the mask of an instance within its bbox: 0 or 1, of shape (height, width)."""
    left, top, width, height = instance.bbox
    cut = id_map[top : top + height, left : left + width]
    mask: NDArray[np.uint8] = (cut == instance.id).view(np.uint8)
    return mask
