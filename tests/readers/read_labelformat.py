"""labelformat: boxes and polygons."""

from pathlib import Path

from recipe import SPLITS, Found, fill, from_corners, judge, other, run_recipe


def look(made):
    for outlined, boxed in zip(made["outlines"], made["boxes"], strict=True):
        image = outlined.image
        for instance, detection in zip(outlined.objects, boxed.objects, strict=True):
            corners = detection.box
            yield Found(
                image.filename,
                detection.category.name,
                from_corners((corners.xmin, corners.ymin, corners.xmax, corners.ymax)),
                fill(instance.segmentation.polygons, image.height, image.width),
            )


read = run_recipe("labelformat")["COCOInstanceSegmentationInput"]
for name in "rle", "crowds":  # why the recipe has none of them
    try:
        list(read(Path(other(name))).get_labels())
    except ValueError:
        continue
    raise AssertionError(f"labelformat reads {name}")
judge({split: look(run_recipe("labelformat", split)) for split in SPLITS})
