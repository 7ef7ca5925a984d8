"""torchvision: the targets of a dataset, which an untrained Mask R-CNN then learns from."""

from recipe import NAMES, Found, judge, run_recipe
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.transforms.functional import to_tensor

data = run_recipe("torchvision")["data"]


def look():
    for _, target in data:
        [image] = data.coco.loadImgs(target["image_id"])
        for (x0, y0, x1, y1), label, mask in zip(
            target["boxes"].tolist(), target["labels"].tolist(), target["masks"], strict=True
        ):
            box = x0, y0, x1 - x0, y1 - y0
            yield Found(image["file_name"], NAMES[label - 1], box, mask.numpy() == 1)


model = maskrcnn_resnet50_fpn(
    weights=None, weights_backbone=None, num_classes=len(NAMES) + 1, min_size=256
)
image, target = data[0]
sum(model([to_tensor(image)], [target]).values()).backward()
judge(look())
