"""supervision: boxes and masks of a dataset."""

import supervision
from recipe import DATADIR, Found, from_corners, judge, other, run_recipe


def load(path):
    return supervision.DetectionDataset.from_coco(str(DATADIR), path, force_masks=True)


def look(data):
    for path, _, found in data:
        for corners, mask, label in zip(found.xyxy, found.mask, found.class_id, strict=True):
            yield Found(path, data.classes[label], from_corners(corners), mask)


# The list of annotations is there even if it is empty: supervision asks for it.
[(_, _, found)] = load(other("rle", "test"))
assert len(found) == 0
data = run_recipe("supervision")["data"]
# Why the recipe has --segmentation rle: masks of polygons are too large.
assert sum(f.mask.sum() for f in look(load(other("label_ids")))) > sum(
    f.mask.sum() for f in look(data)
)
judge(look(data))
