"""DETR: boxes, masks and crowds of its panoptic dataset."""

import sys

import numpy as np
from recipe import CLASSES, SPLITS, STUFF, Found, from_corners, judge, run_recipe

NAMES = [*STUFF.values(), *CLASSES.values()]  # the order of train ids


def look(data):
    for number, annotation in enumerate(data.coco["annotations"]):
        image, target = data[number]
        assert target["image_id"].tolist() == [annotation["image_id"]]
        for label, box, mask, crowd in zip(
            target["labels"].tolist(),
            target["boxes"].tolist(),
            target["masks"].numpy(),
            target["iscrowd"].tolist(),
            strict=True,
        ):
            left, top, right, bottom = box  # of the centres of pixels
            box = from_corners((left, top, right + 1, bottom + 1))
            name = NAMES[label] + "group" * crowd
            yield Found(annotation["file_name"], name, box, mask == 1, pixels=np.array(image))


sys.path.insert(0, "detr")
run_recipe("DETR panoptic")
data = {split: run_recipe("DETR panoptic", split)["data"] for split in SPLITS}
judge({split: look(data[split]) for split in SPLITS}, "segments")
