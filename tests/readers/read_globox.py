"""globox: boxes with the names of their classes."""

from pathlib import Path

from recipe import Found, judge, other, run_recipe


def look(data):
    return (Found(image.image_id, box.label, box.ltwh) for image in data for box in image.boxes)


made = run_recipe("globox")
judge(look(made["globox"].AnnotationSet.from_coco(Path(other("boxes")))))
judge(look(made["data"]))
