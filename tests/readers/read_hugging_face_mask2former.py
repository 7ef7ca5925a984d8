"""Hugging Face Mask2Former: labels and masks in the frame's own size; a step of training; and
results of a model that gives what is planted."""

import numpy as np
import torch
from panoptic_results import write_panoptic_results
from recipe import NAMES, SPLITS, Found, judge, plant, predict, run_recipe
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation


def look(made):
    data = made["data"]
    for image_id, (image, annotations) in zip(data.ids, data, strict=True):
        numbers, labels = made["number_instances"](image, annotations)
        how = {"do_resize": False, "size_divisor": 1, "return_tensors": "pt"}
        given = made["processor"](image, numbers, instance_id_to_semantic_id=labels, **how)
        [photograph] = data.coco.loadImgs(image_id)
        for label, mask in zip(
            given["class_labels"][0].tolist(), given["mask_labels"][0].numpy(), strict=True
        ):
            name, pixels = photograph["file_name"], np.array(image)
            yield Found(name, NAMES[label], mask=mask == 1, pixels=pixels)


made = {split: run_recipe("Hugging Face Mask2Former", split) for split in SPLITS}
model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(num_labels=len(NAMES)))
model(**made["train"]["batch"]).loss.backward()
forward, val = model.forward, made["val"]["data"]
photographs = iter([image["file_name"] for image in val.coco.loadImgs(val.ids)])


def find(**inputs):
    """Put what is planted, for one photograph after the other, in the place of what is found."""
    outputs = forward(**inputs)
    labels, _, masks = zip(*plant(next(photographs)), strict=True)
    logits = torch.nn.functional.one_hot(torch.tensor(labels), len(NAMES) + 1) * 50.0
    outputs.class_queries_logits = logits[None]
    small = torch.nn.functional.max_pool2d(torch.tensor(np.array(masks))[None].float(), 4)
    outputs.masks_queries_logits = 40 * small - 20
    return outputs


model.forward = find
predict("Results files", "Hugging Face", model=model, processor=made["val"]["processor"])
write_panoptic_results()
judge({split: look(made[split]) for split in SPLITS})
