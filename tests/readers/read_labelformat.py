"""labelformat: boxes and polygons, filled as pycocotools fills polygons."""

import numpy as np
from pycocotools import mask as coco_mask
from recipe import Found, judge, run_recipe


def fill(polygons, width, height):
    flat = [np.ravel(polygon).tolist() for polygon in polygons]
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, height, width))) == 1


def corner_and_size(box):
    return box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin


made = run_recipe("labelformat")
judge(
    Found(
        image.filename,
        boxed.category.name,
        corner_and_size(boxed.box),
        fill(outlined.segmentation.polygons, image.width, image.height),
    )
    for outlines, boxes in zip(made["outlines"], made["boxes"], strict=True)
    for image in [outlines.image]
    for outlined, boxed in zip(outlines.objects, boxes.objects, strict=True)
)
