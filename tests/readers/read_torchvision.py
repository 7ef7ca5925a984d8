"""torchvision: the targets of a dataset, which an untrained Mask R-CNN then learns from."""

import numpy as np
from recipe import NAMES, SPLITS, Found, from_corners, judge, run_recipe
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.transforms.functional import to_tensor


def look(data):
    for photograph, target in data:
        [image] = data.coco.loadImgs(target["image_id"])
        for corners, label, mask in zip(
            target["boxes"].tolist(), target["labels"].tolist(), target["masks"], strict=True
        ):
            yield Found(
                image["file_name"],
                NAMES[label - 1],
                from_corners(corners),
                mask.numpy() == 1,
                pixels=np.array(photograph),
            )


data = {split: run_recipe("torchvision", split)["data"] for split in SPLITS}
model = maskrcnn_resnet50_fpn(
    weights=None, weights_backbone=None, num_classes=len(NAMES) + 1, min_size=256
)
image, target = data["train"][0]
sum(model([to_tensor(image)], [target]).values()).backward()
judge({split: look(data[split]) for split in SPLITS})
