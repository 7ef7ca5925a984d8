"""One frame becomes annotations."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import cv2
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.boxes_json import read_boxes
from cityscapes_coco.cityscapes.frame import Frame, name_file
from cityscapes_coco.cityscapes.id_map import cut_mask, find_instances, read_id_map
from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.coco.segmentations import encode_segmentation
from cityscapes_coco.convert.boxes import annotate_boxes
from cityscapes_coco.convert.categories import find_category_ids
from cityscapes_coco.convert.panoptic import PanopticFrame, segment_frame
from cityscapes_coco.convert.regions import Cut, choose_regions
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS_BY_ID
from cityscapes_coco.options import BOX_TYPES, Options, Segmentation
from cityscapes_coco.pixels.opencv_polygons import to_opencv_polygons
from cityscapes_coco.pixels.photograph import read_size
from cityscapes_coco.pixels.polygons import contours_like_original, to_polygons
from cityscapes_coco.pixels.rle import to_rles

_CV_NO_MEMORY = -4  # cv::Error::StsNoMem


@dataclass(frozen=True)
class FrameRecords:
    """What one frame adds to files; `width` and `height` are its size in pixels, as its annotation
    file has it.

    The annotations are in the order of their values in the map, or of the boxes in their file, and
    have neither id nor image id yet. `left_out` counts the other regions or boxes by reason and
    class. `has_instances` is true if the frame has instances of any class, asked for or not.
    `foreign` and `unknown` are as in `MapContents`. `other_sizes` has a line for each photograph of
    another size than the frame. `panoptic` is None unless the options ask for it.
    `soft_label_classes` are as in `Image`.
    """

    width: int
    height: int
    annotations: list[Annotation]
    left_out: Counter[tuple[str, str]]
    has_instances: bool
    foreign: list[int]
    unknown: list[int]
    other_sizes: list[str]
    panoptic: PanopticFrame | None
    soft_label_classes: list[str] | UnsetType = UNSET


def try_to_convert(frame: Frame, options: Options, root: Path) -> FrameRecords | UserError:
    """Convert a frame as `convert_frame` does, but return what is wrong with it as a value, so that
    the other frames are tried too."""
    try:
        return convert_frame(frame, options, root)
    except UserError as error:
        return error
    except cv2.error as error:
        if error.code == _CV_NO_MEMORY:
            raise MemoryError(frame.annotation_path) from error
        raise


def convert_frame(frame: Frame, options: Options, root: Path) -> FrameRecords:
    """Return what one frame adds to files; the names of its photographs start at `root`.

    Raises UserError if the annotation file cannot be read.
    """
    try:
        "".join(frame.file_names).encode()
    except UnicodeEncodeError as error:
        # JSON could hold the name, but few readers of JSON would take it.
        raise UserError(frame.annotation_path, "its name is not valid UTF-8; rename it") from error
    if options.annotations in BOX_TYPES:
        return _convert_boxes(frame, options, root)
    void_unknown = options.unknown_labels == "void"
    id_map, passed_over = read_id_map(frame.annotation_path, void_unknown=void_unknown)
    instances, foreign, unknown = find_instances(id_map, frame.annotation_path)
    cuts, left_out = choose_regions(id_map, instances, options)
    annotations, dropped = _annotate(cuts, id_map, options)
    dropped.update(("polygons of fewer than two points", label) for label in passed_over)
    height, width = id_map.shape
    return FrameRecords(
        width,
        height,
        annotations,
        left_out + dropped,
        has_instances=any(not instance.is_group for instance in instances),
        foreign=foreign,
        unknown=unknown,
        other_sizes=list(_compare_sizes(frame, root, (width, height), options)),
        panoptic=_segment_frame(id_map, options),
    )


def _convert_boxes(frame: Frame, options: Options, root: Path) -> FrameRecords:
    file = read_boxes(frame.annotation_path, options.annotations)
    annotations, left_out = annotate_boxes(file, options)
    return FrameRecords(
        file.width,
        file.height,
        annotations,
        left_out,
        has_instances=any(not box.is_region for box in file.boxes),
        foreign=[],
        unknown=[],
        other_sizes=list(_compare_sizes(frame, root, (file.width, file.height), options)),
        panoptic=None,
        soft_label_classes=file.classes,
    )


def _segment_frame(id_map: NDArray[np.uint16], options: Options) -> PanopticFrame | None:
    if options.panoptic == "none":
        return None
    return segment_frame(id_map, options.panoptic, foreign=options.unknown_labels == "error")


def _annotate(
    cuts: Iterable[Cut], id_map: NDArray[np.uint16], options: Options
) -> tuple[list[Annotation], Counter[tuple[str, str]]]:
    """Return the annotations of regions of a map, and a count of the regions that have none."""
    category_ids = find_category_ids(options)
    annotations = []
    left_out: Counter[tuple[str, str]] = Counter()
    for batch in _batch_by_size(cuts, most=2 * id_map.size):
        segmentations = _segment(batch, id_map.shape, options.segmentation)
        for (region, _), segmentation in zip(batch, segmentations, strict=True):
            if segmentation == []:
                reason = "a contour of two points or fewer"
                left_out[reason, LABELS_BY_ID[region.label_id].name] += 1
                continue
            annotation = Annotation(
                category_id=category_ids[region.label_id],
                iscrowd=int(region.is_group),
                area=region.area,
                bbox=region.bbox,
                map_value=region.value,
            )
            if segmentation is not None:
                annotation.segmentation = encode_segmentation(segmentation)
            annotations.append(annotation)
    return annotations, left_out


def _compare_sizes(
    frame: Frame, root: Path, size: tuple[int, int], options: Options
) -> Iterator[str]:
    """Yield a line for each photograph of a frame of another size than the `size`, (width,
    height), that its annotation file has."""
    kind = name_file(options.annotations)
    for file_name in frame.file_names:
        found = read_size(os.path.join(root, file_name))
        if found not in (None, size):
            yield f"{file_name} ({found[0]} x {found[1]}, the {kind} {size[0]} x {size[1]})"


def _batch_by_size(cuts: Iterable[Cut], most: int) -> Iterator[list[Cut]]:
    """Yield the regions in batches whose boxes cover at most `most` pixels together; a region with
    a larger box is a batch of its own.

    Outlining all masks of a batch together is quick. The masks of a whole frame may take any amount
    of memory: thousands of regions may each reach from corner to corner.
    """
    batch: list[Cut] = []
    area = 0
    for cut in cuts:
        _, _, width, height = cut[0].bbox
        area += width * height
        if batch and area > most:
            yield batch
            batch, area = [], width * height
        batch.append(cut)
    if batch:
        yield batch


def _segment(cuts: Sequence[Cut], shape: tuple[int, int], kind: Segmentation) -> list[object]:
    """Return the segmentation of each region in a map of the shape (height, width): polygons, an
    RLE, or None for boxes only.

    The polygons of a region that the original script drops are an empty list.
    """
    if kind == "none":
        return [None] * len(cuts)
    masks = [(cut_mask(pixels, region), *region.bbox[:2]) for region, pixels in cuts]
    as_rle = [kind == "rle" or region.is_group for region, _ in cuts]
    others = {"opencv": to_opencv_polygons, "original": contours_like_original}
    outline = others.get(kind, to_polygons)
    outlines = iter(outline(compress(masks, [not rle for rle in as_rle])))
    rles = iter(to_rles(compress(masks, as_rle), *shape))
    return [
        next(rles) if rle else [polygon.ravel().tolist() for polygon in next(outlines)]
        for rle in as_rle
    ]
