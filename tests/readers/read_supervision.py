"""supervision: boxes and masks of a dataset."""

import supervision
from recipe import DATADIR, SPLITS, Found, from_corners, judge, other, run_recipe


def load(path):
    return supervision.DetectionDataset.from_coco(str(DATADIR), path, force_masks=True)


def look(data):
    for path, image, found in data:
        pixels = image[..., ::-1]  # from BGR
        for corners, mask, label in zip(found.xyxy, found.mask, found.class_id, strict=True):
            box = from_corners(corners)
            yield Found(path, data.classes[label], box, mask, pixels=pixels)


# The list of annotations is there even if it is empty: supervision asks for it.
[(_, _, found)] = load(other("rle", "test"))
assert len(found) == 0
data = {split: run_recipe("supervision", split)["data"] for split in SPLITS}
# Why the recipe has --segmentation rle: masks of polygons are too large.
assert sum(f.mask.sum() for f in look(load(other("label_ids")))) > sum(
    f.mask.sum() for f in look(data["train"])
)
judge({split: look(data[split]) for split in SPLITS})
