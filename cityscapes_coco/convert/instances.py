"""The frames of a split with their instances, for use from Python: no file is written."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.dataset import Dataset, list_frames
from cityscapes_coco.cityscapes.frame import Frame
from cityscapes_coco.cityscapes.id_map import Region, cut_mask, find_instances, read_id_map
from cityscapes_coco.convert.categories import find_category_ids, list_categories
from cityscapes_coco.convert.regions import choose_regions
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import BOX_TYPES, Options
from cityscapes_coco.run.folders import name_some


class UnknownLabels(UserError):
    """A map has values of another label table."""


@dataclass(frozen=True, eq=False)
class Instance:
    """An instance, a group of objects that the map shows as one, or stuff that was asked for.

    `box` is (x, y, width, height) in pixels and covers the pixels x .. x + width - 1. `area` counts
    pixels. `map_value` is the value of its pixels in the map; of merged stuff, the first label id.
    """

    category: str
    is_group: bool
    box: tuple[int, int, int, int]
    area: int
    map_value: int
    _region: Region = field(repr=False)
    _pixels: NDArray[Any] = field(repr=False)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels of the instance: shape (height, width) of the frame, computed at each call."""
        mask = np.zeros(self._pixels.shape, np.bool_)
        x, y, width, height = self.box
        mask[y : y + height, x : x + width] = cut_mask(self._pixels, self._region)
        return mask


@dataclass(frozen=True, eq=False)
class FrameInstances:
    """A frame and its instances, in the order of their values in the map.

    `name` is what the names of all files of the frame begin with. `file_names` are its photographs,
    as seen from the data folder. `map_path` is the map, or the file of polygons that the map was
    drawn from. `width` and `height` are the size of the map in pixels.
    """

    name: str
    file_names: tuple[str, ...]
    map_path: str
    width: int
    height: int
    instances: list[Instance]


def read_frames(
    dataset: Dataset,
    split: str,
    options: Options = Options(),  # noqa: B008  (frozen)
    *,
    warn: Callable[[str], object] = warnings.warn,
) -> Iterator[FrameInstances]:
    """Yield the frames of a split, sorted by name, each with its instances.

    The options that count are `images`, `categories`, `crowd`, `stuff`, `min_area`, `empty_frames`,
    `skip_bad` and `unknown_labels`, as for files. `warn` is called with a line for each map that is
    skipped or is strange.

    Raises UserError if the split is missing or has no maps, at a map of another label table, and,
    unless `options.skip_bad` is set, at a map that cannot be read.
    """
    if dataset.annotation_type in BOX_TYPES:
        raise UserError(dataset.maps, "has boxes and no maps; convert_split reads them")
    options = options.of(dataset.annotation_type)
    names = {int(c.id or 0): str(c.name) for c in list_categories(options)}
    category_ids = find_category_ids(options)
    categories = {label_id: names[number] for label_id, number in category_ids.items()}
    for frame in list_frames(dataset, split, options.images).frames:
        try:
            found = _read_frame(frame, options, categories, warn)
        except UnknownLabels:
            # The map can be read, and the others are most likely like it.
            raise
        except UserError as error:
            if not options.skip_bad:
                raise
            warn(str(error))
            continue
        if found.instances or options.empty_frames == "keep":
            yield found


def _read_frame(
    frame: Frame, options: Options, categories: dict[int, str], warn: Callable[[str], object]
) -> FrameInstances:
    void_unknown = options.unknown_labels == "void"
    path = frame.annotation_path
    id_map, _ = read_id_map(path, void_unknown=void_unknown)
    regions, foreign, unknown = find_instances(id_map, path)
    if unknown and options.unknown_labels == "error":
        found = f"holds {name_some(unknown)}, of labels that Cityscapes does not have"
        raise UnknownLabels(path, f"{found}; to ignore them, set unknown_labels to 'void'")
    if foreign:
        warn(
            str(UserError(path, f"holds values that Cityscapes never writes: {name_some(foreign)}"))
        )
    instances = [
        Instance(
            categories[region.label_id],
            region.is_group,
            region.bbox,
            region.area,
            region.value,
            region,
            pixels,
        )
        for region, pixels in choose_regions(id_map, regions, options)[0]
    ]
    height, width = id_map.shape
    return FrameInstances(frame.stem, frame.file_names, path, width, height, instances)
