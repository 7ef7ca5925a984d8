"""globox: boxes with the names of their classes."""

from pathlib import Path

from recipe import SPLITS, Found, judge, other, run_recipe


def look(data):
    return (Found(image.image_id, box.label, box.ltwh) for image in data for box in image.boxes)


read = run_recipe("globox")["globox"].AnnotationSet.from_coco
judge({split: look(read(Path(other("boxes", split)))) for split in SPLITS})
judge({split: look(run_recipe("globox", split)["data"]) for split in SPLITS})
