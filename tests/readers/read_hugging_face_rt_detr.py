"""Hugging Face RT-DETR: labels and boxes in the frame's own size; and a step of training."""

import numpy as np
from recipe import NAMES, SPLITS, Found, from_centre, judge, run_recipe
from transformers import RTDetrConfig, RTDetrForObjectDetection


def look(data, processor):
    for image_id, (image, annotations) in zip(data.ids, data, strict=True):
        target = {"image_id": image_id, "annotations": annotations}
        [labels] = processor(image, target, do_resize=False, return_tensors="pt")["labels"]
        [photograph] = data.coco.loadImgs(image_id)
        boxes = labels["boxes"].double().numpy() * (2 * image.size)
        for box, label in zip(boxes, labels["class_labels"].tolist(), strict=True):
            name = photograph["file_name"]
            yield Found(name, NAMES[label], from_centre(box), pixels=np.array(image))


made = {split: run_recipe("Hugging Face RT-DETR", split) for split in SPLITS}
batch = made["train"]["batch"]
assert "masks" not in batch["labels"][0]
model = RTDetrForObjectDetection(RTDetrConfig(num_labels=len(NAMES)))
model(**batch).loss.backward()
judge({split: look(made[split]["data"], made[split]["processor"]) for split in SPLITS})
