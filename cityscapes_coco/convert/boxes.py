"""The boxes of one frame become annotations."""

from collections import Counter
from collections.abc import Mapping

from msgspec import UNSET

from cityscapes_coco.cityscapes.boxes_json import Box, BoxFile
from cityscapes_coco.coco.records import Annotation
from cityscapes_coco.convert.categories import find_class_ids
from cityscapes_coco.options import Options


def annotate_boxes(
    file: BoxFile, options: Options
) -> tuple[list[Annotation], Counter[tuple[str, str]]]:
    """Return the annotations of the boxes of a frame, in the order of the file, and a count of the
    boxes left out, by reason and class.

    CityPersons' protocol asks for one class of people, and for all other people as regions that no
    detector is asked about. So with `crowd` "keep" they become such regions, too.
    """
    class_ids = find_class_ids(options)
    keeps_regions = options.crowd == "keep"
    others_are_regions = keeps_regions and options.annotations == "gtBboxCityPersons"
    annotations = []
    left_out: Counter[tuple[str, str]] = Counter()
    for box in file.boxes:
        is_region = box.is_region or (others_are_regions and box.name not in class_ids)
        if is_region and not keeps_regions:
            left_out["ignore regions", box.name] += 1
        elif not is_region and box.name not in class_ids:
            left_out["classes not asked for", box.name] += 1
        elif box.bbox[2] * box.bbox[3] < options.min_area:
            left_out[f"smaller than {options.min_area} pixels", box.name] += 1
        else:
            annotations.append(_annotate(box, is_region, class_ids))
    return annotations, left_out


def _annotate(box: Box, is_region: bool, class_ids: Mapping[str, int]) -> Annotation:
    """Return the annotation of a box. A region is one of the first category."""
    area = box.bbox[2] * box.bbox[3]
    annotation = Annotation(
        category_id=next(iter(class_ids.values())) if is_region else class_ids[box.name],
        iscrowd=int(is_region),
        area=area,
        bbox=box.bbox,
        map_value=box.instance_id,
        ignore=int(is_region),
        soft_label=box.soft_label,
        vote_counts=box.vote_counts,
        added_from_original_annotations=box.added,
    )
    if box.visible is not UNSET:
        annotation.vis_bbox = box.visible
        # Nothing can be seen of a box without an area.
        annotation.vis_ratio = box.visible[2] * box.visible[3] / area if area else 0
        annotation.height = box.bbox[3]
    return annotation
