"""Hugging Face DETR: labels, boxes and masks in the frame's own size; and a step of training."""

import numpy as np
from recipe import NAMES, SPLITS, Found, from_centre, judge, run_recipe
from transformers import DetrConfig, DetrForSegmentation, ResNetConfig


def look(data, processor):
    for image_id, (image, annotations) in zip(data.ids, data, strict=True):
        target = {"image_id": image_id, "annotations": annotations}
        how = {"return_segmentation_masks": True, "do_resize": False, "return_tensors": "pt"}
        [labels] = processor(image, target, **how)["labels"]
        [photograph] = data.coco.loadImgs(image_id)
        for box, label, mask in zip(
            labels["boxes"].double().numpy() * (2 * image.size),
            labels["class_labels"].tolist(),
            labels["masks"].numpy(),
            strict=True,
        ):
            yield Found(
                photograph["file_name"],
                NAMES[label],
                from_centre(box),
                mask == 1,
                pixels=np.array(image),
            )


made = {split: run_recipe("Hugging Face DETR", split) for split in SPLITS}
config = DetrConfig(
    backbone_config=ResNetConfig(out_features=["stage1", "stage2", "stage3", "stage4"]),
    use_timm_backbone=False,
    use_pretrained_backbone=False,
    backbone=None,
    num_labels=len(NAMES),
)
DetrForSegmentation(config)(**made["train"]["batch"]).loss.backward()
judge({split: look(made[split]["data"], made[split]["processor"]) for split in SPLITS})
