"""A map of instance ids, and the regions in it: instances, groups, and stuff."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.frame import is_drawn
from cityscapes_coco.cityscapes.polygons_json import draw_polygons
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS, LABELS_BY_ID
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
    """All pixels of one value in a map, an instance, a group, or stuff; or a part of stuff. A group
    is several objects of a class that could not be told apart; COCO calls it a crowd. `bbox` is (x,
    y, width, height) in pixels and covers the pixels x .. x + width - 1; `area` counts pixels.
    `part` is 0, or the number of a connected part of stuff."""

    value: int
    bbox: tuple[int, int, int, int]
    area: int
    part: int = 0

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

    values: NDArray[Any]
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


def read_id_map(
    path: str, *, void_unknown: bool = False
) -> tuple[NDArray[np.uint16], Sequence[str]]:
    """Return the map of a frame, shape (height, width): the `instanceIds.png` at `path`, or what
    the polygons there make. The texts are the labels of polygons that are passed over.

    Polygons of labels that Cityscapes does not have are an error unless `void_unknown` is set.
    Raises UserError if the file cannot be read, is damaged, or is not a PNG file of one channel of
    16 bits or a file of polygons.
    """
    if is_drawn(path):
        return draw_polygons(path, void_unknown=void_unknown)
    try:
        return decode_png(read_file(path, _MOST_BYTES)), ()
    except ValueError as error:
        raise UserError(path, str(error)) from error


def find_instances(id_map: NDArray[np.uint16], path: str) -> MapContents:
    """Return the instances and groups of a map, shape (height, width), that was read from `path`,
    and the values that do not belong into a map of Cityscapes.

    The encoding is the one of cityscapesscripts' `json2instanceImg.py`: label id * 1000 + n for an
    instance; the bare label id for stuff, and for a group of a class that has instances.

    Raises UserError if all numbers of a class are taken, from 0 to 999, unless the map was drawn
    here: other tools go on to count, so that the next instance has the value of another class.
    """
    # Most rows of a street have nothing but stuff. Its labels are all below the first label with
    # instances, and all of them are known.
    rows = np.flatnonzero(id_map.max(axis=1) >= _FIRST_WITH_INSTANCES)
    if not rows.size:
        return MapContents([], [], [])
    runs = cut_into_runs(id_map, int(rows[0]), int(rows[-1]) + 1)
    values, tables = runs.values, (_IS_FOREIGN, ~_IS_KNOWN)
    foreign, unknown = (np.unique(values[table.take(values)]).tolist() for table in tables)
    instances = [*measure_regions(runs, _HAS_INSTANCES.take(values), id_map.shape[1])]
    if not is_drawn(path):
        _check_numbers(path, [region.value for region in instances])
    return MapContents(instances, foreign, unknown)


def find_stuff(
    id_map: NDArray[np.uint16], merged: Iterable[Sequence[int]], *, parts: bool, foreign: bool
) -> tuple[NDArray[Any], list[Region]]:
    """Return the regions of stuff in `id_map`, shape (height, width), and an array of this shape
    from which `cut_mask` cuts them.

    Each of `merged` holds the ids of labels that count as one; regions of it have the first id as
    their value. With `parts`, each connected part is a region, where pixels that share a corner are
    connected too. With `foreign`, values of 1000 or more belong to their label. The regions are in
    the order of their values, parts in the order of their first pixels, row after row.
    """
    first_ids = np.zeros(1000, np.uint8)
    for label_ids in merged:
        first_ids[list(label_ids)] = label_ids[0]
    belongs = foreign | ~_IS_FOREIGN
    stuff = (first_ids.take(_LABEL_OF) * belongs).take(id_map)
    width = id_map.shape[1]
    runs = cut_into_runs(stuff)
    regions = [*measure_regions(runs, runs.values > 0, width)]
    return _split_into_parts(stuff, regions) if parts else (stuff, regions)


def cut_into_runs(id_map: NDArray[Any], top: int = 0, bottom: int | None = None) -> MapRuns:
    """Return the runs of a map, shape (height, width), in the rows from `top` to `bottom` - 1."""
    pixels = id_map[top:bottom].ravel()
    first = top * id_map.shape[1]
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = np.concatenate(([0], changes))
    ends = np.concatenate((changes, [pixels.size]))
    return MapRuns(pixels.take(starts), starts + first, ends + first)


def measure_regions(runs: MapRuns, wanted: NDArray[np.bool_], width: int) -> Iterator[Region]:
    """Yield the region of each value, in order of value, in a map of the given width. `wanted` says
    which runs count. Boxes and areas follow from the runs alone."""
    chosen = np.flatnonzero(wanted)
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


def cut_mask(pixels: NDArray[Any], region: Region) -> NDArray[np.uint8]:
    """Return the mask of a region within its bbox: 0 or 1, shape (height, width) of the bbox.

    `pixels` is the map, or for stuff the array of `find_stuff`.
    """
    left, top, width, height = region.bbox
    cut = pixels[top : top + height, left : left + width]
    mask: NDArray[np.uint8] = (cut == (region.part or region.value)).view(np.uint8)
    return mask


def _check_numbers(path: str, values: Iterable[int]) -> None:
    """Raise UserError if the values of a map take all numbers of a class, from 0 to 999."""
    counts = Counter(value // 1000 for value in values if value >= 1000)
    for label_id, count in counts.items():
        if count == 1000:
            raise UserError(
                path,
                f"holds all 1,000 numbers of {LABELS_BY_ID[label_id].name}, {label_id}000 to"
                f" {label_id}999; an instance more would have the value of another class, so check"
                " how the map was drawn",
            )


def _split_into_parts(
    stuff: NDArray[np.uint8], regions: Iterable[Region]
) -> tuple[NDArray[np.int32], list[Region]]:
    """Return an array that has a number for each connected part of some regions, and 0 elsewhere,
    and the parts; see `find_stuff`."""
    numbers = np.zeros(stuff.shape, np.int32)
    owners = [0]
    for region in regions:
        left, top, width, height = region.bbox
        count, found = cv2.connectedComponents(cut_mask(stuff, region), connectivity=8)
        labels = np.asarray(found, np.int32)
        labels[labels > 0] += len(owners) - 1
        numbers[top : top + height, left : left + width] += labels
        owners += [region.value] * (count - 1)
    runs = cut_into_runs(numbers)
    parts = [
        region._replace(value=owners[region.value], part=region.value)
        for region in measure_regions(runs, runs.values > 0, stuff.shape[1])
    ]
    # OpenCV's order of parts depends on its version and on the number of threads.
    values, first = np.unique(runs.values, return_index=True)
    place = dict(zip(values.tolist(), first.tolist(), strict=True))
    return numbers, sorted(parts, key=lambda part: (part.value, place[part.part]))
