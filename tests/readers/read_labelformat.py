"""labelformat: boxes and polygons."""

from recipe import Found, fill, judge, run_recipe


def look(outlines, boxes):
    for outlined, boxed in zip(outlines, boxes, strict=True):
        image = outlined.image
        for instance, detection in zip(outlined.objects, boxed.objects, strict=True):
            box = detection.box
            yield Found(
                image.filename,
                detection.category.name,
                (box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin),
                fill(instance.segmentation.polygons, image.height, image.width),
            )


made = run_recipe("labelformat")
judge(look(made["outlines"], made["boxes"]))
