"""A map of instance ids, and the regions in it: instances, groups, and stuff."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.pixels.png import decode_png
from cityscapes_coco.run.files import read_file

# For every value that a map can hold: its label, and what we know of it.
_VALUES = np.arange(1 << 16)
_LABEL_OF = np.where(_VALUES < 1000, _VALUES, _VALUES // 1000)
_IS_KNOWN = np.isin(_LABEL_OF, [label.id for label in LABELS if label.id >= 0])
_HAS_INSTANCES = np.isin(_LABEL_OF, [label.id for label in LABELS if label.has_instances])
_IS_FOREIGN = _IS_KNOWN & (_VALUES >= 1000) & ~_HAS_INSTANCES
_FIRST_WITH_INSTANCES = min(label.id for label in LABELS if label.has_instances)

# More bytes than the largest map that `decode_png` accepts takes without compression.
_MOST_BYTES = 1 << 27


class Region(NamedTuple):
    """All pixels of one value in a map: an instance, a group, or stuff. A group is several objects
    of a class that could not be told apart; COCO calls it a crowd. `bbox` is (x, y, width, height)
    in pixels and covers the pixels x .. x + width - 1; `area` counts pixels."""

    value: int
    bbox: tuple[int, int, int, int]
    area: int

    @property
    def label_id(self) -> int:
        """The class, by its id in the label table."""
        return int(_LABEL_OF[self.value])

    @property
    def is_group(self) -> bool:
        return self.value < 1000 and bool(_HAS_INSTANCES[self.value])


class MapRuns(NamedTuple):
    """A map cut into runs of equal pixels, row after row. A run has one of `values`, and covers the
    pixels start .. end - 1 of the map, counted row after row."""

    values: NDArray[np.uint16]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class MapContents(NamedTuple):
    """The instances and groups of a map, and the foreign and unknown values, in order of value.

    A value is foreign if it is 1000 or more and its label has no instances, such as 11000.
    Cityscapes' own tools never write one; maps of train ids and of other datasets have them. A
    value is unknown if Cityscapes does not have its label, such as 255 or 36001.
    """

    instances: list[Region]
    foreign: list[int]
    unknown: list[int]


def read_id_map(path: str) -> NDArray[np.uint16]:
    """Return the `instanceIds.png` at `path` as an array of shape (height, width). Raises UserError
    if the file cannot be read, is damaged, or is not a PNG file of one channel of 16 bits."""
    try:
        return decode_png(read_file(path, _MOST_BYTES))
    except ValueError as error:
        raise UserError(path, str(error)) from error


def find_instances(id_map: NDArray[np.uint16]) -> MapContents:
    """Return the instances and groups of `id_map`, shape (height, width), and the values that do
    not belong into a map of Cityscapes.

    The encoding is the one of cityscapesscripts' `json2instanceImg.py`: label id * 1000 + n for an
    instance; the bare label id for stuff, and for a group of a class that has instances.

    Raises ValueError if all numbers of a class are taken, from 0 to 999. The tools that draw maps
    go on to count, so that the next instance has the value of another class.
    """
    # Most rows of a street have nothing but stuff. Its labels are all below the first label with
    # instances, and all of them are known.
    rows = np.flatnonzero(id_map.max(axis=1) >= _FIRST_WITH_INSTANCES)
    if not rows.size:
        return MapContents([], [], [])
    runs = cut_into_runs(id_map, int(rows[0]), int(rows[-1]) + 1)
    values, tables = runs.values, (_IS_FOREIGN, ~_IS_KNOWN)
    foreign, unknown = (np.unique(values[table.take(values)]).tolist() for table in tables)
    instances = [*measure_regions(runs, _HAS_INSTANCES, id_map.shape[1])]
    check_numbers(region.value for region in instances)
    return MapContents(instances, foreign, unknown)


def check_numbers(values: Iterable[int]) -> None:
    """Raise ValueError if the values of a map take all numbers of a class, from 0 to 999."""
    counts = Counter(value // 1000 for value in values if value >= 1000)
    for label_id, count in counts.items():
        if count == 1000:
            name = next(label.name for label in LABELS if label.id == label_id)
            raise ValueError(
                f"holds all 1,000 numbers of {name}, {label_id}000 to {label_id}999; an instance"
                " more would have the value of another class, so check how the map was drawn"
            )


def cut_into_runs(id_map: NDArray[np.uint16], top: int = 0, bottom: int | None = None) -> MapRuns:
    """Return the runs of a map, shape (height, width), in the rows from `top` to `bottom` - 1."""
    pixels = id_map[top:bottom].ravel()
    first = top * id_map.shape[1]
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = np.concatenate(([0], changes))
    ends = np.concatenate((changes, [pixels.size]))
    return MapRuns(pixels.take(starts), starts + first, ends + first)


def measure_regions(runs: MapRuns, wanted: NDArray[np.bool_], width: int) -> Iterator[Region]:
    """Yield the region of each wanted value, in order of value, in a map of the given width.
    `wanted`, shape (65536,), says which values are. Boxes and areas follow from the runs alone."""
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
    for value, left, top, right, bottom, area in np.stack(columns).T.tolist():
        yield Region(value, (left, top, right - left, bottom - top), area)


def cut_mask(id_map: NDArray[np.uint16], region: Region) -> NDArray[np.uint8]:
    """Return the mask of a region within its bbox: 0 or 1, shape (height, width) of the bbox."""
    left, top, width, height = region.bbox
    cut = id_map[top : top + height, left : left + width]
    mask: NDArray[np.uint8] = (cut == region.value).view(np.uint8)
    return mask
