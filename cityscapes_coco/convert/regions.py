"""Which regions of a map become annotations, and which are left out."""

from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.id_map import Region, find_stuff
from cityscapes_coco.convert.categories import find_category_ids
from cityscapes_coco.labels import LABELS_BY_ID, LABELS_BY_NAME
from cityscapes_coco.options import Options

# A region, and the array that `cut_mask` cuts it from.
Cut = tuple[Region, NDArray[Any]]


def choose_regions(
    id_map: NDArray[np.uint16], instances: Iterable[Region], options: Options
) -> tuple[list[Cut], Counter[tuple[str, str]]]:
    """Return the regions of a map, shape (height, width), that the options ask for, in the order of
    their values, and a count of the others by reason and class. `instances` are in the map, too.

    Stuff that is not asked for is not counted.
    """
    cuts: list[Cut] = []
    stuff = [category.classes for category in options.parsed_categories if category.is_stuff]
    if stuff:
        merged = [[LABELS_BY_NAME[name].id for name in classes] for classes in stuff]
        foreign = options.unknown_labels == "error"
        parts = options.stuff == "parts"
        pixels, regions = find_stuff(id_map, merged, parts=parts, foreign=foreign)
        cuts = [(region, pixels) for region in regions]
    cuts += [(instance, id_map) for instance in instances]
    category_ids = find_category_ids(options)
    chosen = []
    left_out: Counter[tuple[str, str]] = Counter()
    for region, pixels in cuts:
        if reason := _reason_to_leave_out(region, options, category_ids):
            left_out[reason, LABELS_BY_ID[region.label_id].name] += 1
        else:
            chosen.append((region, pixels))
    return chosen, left_out


def _reason_to_leave_out(region: Region, options: Options, category_ids: Container[int]) -> str:
    """Return why a region is left out; an empty text if it is not. `category_ids` has the label ids
    that are asked for."""
    if region.label_id not in category_ids:
        return "classes not asked for"
    if region.is_group and options.crowd == "drop":
        return "groups"
    if region.area < options.min_area:
        return f"smaller than {options.min_area} pixels"
    return ""
