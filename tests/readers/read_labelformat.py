"""labelformat: boxes and polygons."""

from pathlib import Path

from recipe import Found, fill, from_corners, judge, other, run_recipe


def look(outlines, boxes):
    for outlined, boxed in zip(outlines, boxes, strict=True):
        image = outlined.image
        for instance, detection in zip(outlined.objects, boxed.objects, strict=True):
            corners = detection.box
            yield Found(
                image.filename,
                detection.category.name,
                from_corners((corners.xmin, corners.ymin, corners.xmax, corners.ymax)),
                fill(instance.segmentation.polygons, image.height, image.width),
            )


made = run_recipe("labelformat")
for name in "rle", "crowds":  # why the recipe has none of them
    try:
        list(made["COCOInstanceSegmentationInput"](Path(other(name))).get_labels())
    except ValueError:
        continue
    raise AssertionError(f"labelformat reads {name}")
judge(look(made["outlines"], made["boxes"]))
