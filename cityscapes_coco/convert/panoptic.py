"""A map becomes the segments of COCO's panoptic format, with the PNG file that shows them.

Categories, segments, pixels and names are the same as in the files of the official
`createPanopticImgs.py`, from the package cityscapesscripts.
"""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.frame import Frame
from cityscapes_coco.cityscapes.id_map import cut_into_runs, measure_regions
from cityscapes_coco.coco.panoptic import PanopticWriter
from cityscapes_coco.coco.records import PanopticCategory, PanopticImage, Segment
from cityscapes_coco.convert.names import list_panoptic_ids, name_png
from cityscapes_coco.labels import LABELS, Label
from cityscapes_coco.options import Panoptic
from cityscapes_coco.pixels.png import encode_rgb_png

# Only labels that Cityscapes evaluates are categories. All other pixels are void.
_EVALUATED = {label.id: label for label in LABELS if not label.ignored}

# For every value that a map can hold: does it belong to a segment, with and without the values that
# Cityscapes never writes?
_VALUES = np.arange(1 << 16)
_LABEL_OF = np.where(_VALUES < 1000, _VALUES, _VALUES // 1000)
_THINGS = [label.id for label in _EVALUATED.values() if label.has_instances]
_IS_SEGMENT = np.isin(_LABEL_OF, list(_EVALUATED))
_IS_USUAL_SEGMENT = _IS_SEGMENT & ((_VALUES < 1000) | np.isin(_LABEL_OF, _THINGS))


class PanopticFrame(NamedTuple):
    """What one map adds to panoptic files: a PNG file and its segments; the size is in pixels."""

    width: int
    height: int
    png: bytes
    segments: list[Segment]


def list_panoptic_categories(ids: Panoptic) -> list[PanopticCategory]:
    """Return the 19 categories in the order of the label table, with label ids or "train" ids."""
    return [
        PanopticCategory(
            id=_category_id(label, ids),
            name=label.name,
            supercategory=label.category,
            isthing=int(label.has_instances),
            color=label.color,
        )
        for label in _EVALUATED.values()
    ]


def segment_frame(
    id_map: NDArray[np.uint16], ids: Panoptic, *, foreign: bool = True
) -> PanopticFrame:
    """Return what a map, shape (height, width), adds to panoptic files; `ids` are the kind of the
    category ids.

    The id of a segment is the value in the map, and the segments are in the order of their ids. In
    the PNG file, a pixel of id R + 256 G + 65536 B has the color (R, G, B), and void is 0. A value
    of 1000 or more whose label has no instances, which Cityscapes never writes, is a segment of
    that label, or void without `foreign`.
    """
    is_segment = _IS_SEGMENT if foreign else _IS_USUAL_SEGMENT
    height, width = id_map.shape
    runs = cut_into_runs(id_map)
    segments = []
    for region in measure_regions(runs, is_segment.take(runs.values), width):
        category_id = _category_id(_EVALUATED[region.label_id], ids)
        is_group = int(region.is_group)
        segments.append(Segment(region.value, category_id, is_group, region.area, region.bbox))
    # Painting runs is quicker than looking up each pixel. The four bytes of a little-endian number
    # are R, G, B, and one that is left out.
    segment_ids = np.where(is_segment.take(runs.values), runs.values, 0).astype("<u4")
    pixels = np.repeat(segment_ids, runs.ends - runs.starts)
    rgba = pixels.view(np.uint8).reshape(height, width, 4)
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)
    return PanopticFrame(width, height, encode_rgb_png(rgb), segments)


def add_frame(
    file: PanopticWriter, frame: Frame, file_names: Iterable[str], made: PanopticFrame
) -> None:
    """Write the segments and the PNG file of a frame, with an image for each of its photographs;
    `file_names` are the names that these get."""
    images = [
        PanopticImage(image_id, file_name, made.width, made.height)
        for image_id, file_name in zip(list_panoptic_ids(frame), file_names, strict=True)
    ]
    file.add(name_png(frame), made.png, made.segments, images)


def _category_id(label: Label, ids: Panoptic) -> int:
    return label.train_id if ids == "train" else label.id
