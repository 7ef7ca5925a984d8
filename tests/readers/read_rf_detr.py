"""RF-DETR: targets before they are scaled, after one epoch of an untrained model with masks."""

from recipe import NAMES, Found, from_corners, judge, predict, run_recipe
from rfdetr import RFDETRSegNano
from rfdetr.datasets.coco import CocoDetection


def look():
    folder, file = "rfdetr/train", "rfdetr/train/_annotations.coco.json"
    data = CocoDetection(folder, file, None, include_masks=True, remap_category_ids=True)
    for image_id, (_, target) in zip(data.ids, data, strict=True):
        [photograph] = data.coco.loadImgs(image_id)
        for corners, label, mask in zip(
            target["boxes"].tolist(), target["labels"].tolist(), target["masks"], strict=True
        ):
            yield Found(photograph["file_name"], NAMES[label], from_corners(corners), mask.numpy())


run_recipe("RF-DETR")
run_recipe("RF-DETR")  # over what the first run made
training = {"epochs": 1, "batch_size": 4, "grad_accum_steps": 1, "num_workers": 0}
RFDETRSegNano(pretrain_weights=None).train(
    dataset_dir="rfdetr", device="cpu", tensorboard=False, **training
)
predict("Results files", "RF-DETR")
judge(look())
