"""Hugging Face Mask2Former: labels and masks in the frame's own size; a step of training; and
results of a model that gives what is planted."""

from types import SimpleNamespace

import numpy as np
import torch
from panoptic_results import find_segments, write_panoptic_results
from recipe import NAMES, SPLITS, Found, judge, plant, predict, run_recipe
from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    Mask2FormerImageProcessor,
)


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
truth = find_segments()


class PanopticModel(torch.nn.Module):
    def forward(self, **inputs):
        ids, segments = next(truth)
        labels = torch.tensor([segment["category_id"] for segment in segments])
        masks = torch.tensor(np.array([ids == segment["id"] for segment in segments]))
        return SimpleNamespace(
            class_queries_logits=50.0 * torch.nn.functional.one_hot(labels, 20)[None],
            masks_queries_logits=40.0 * masks[None] - 20,
        )


write_panoptic_results("Hugging Face", model=PanopticModel(), processor=Mask2FormerImageProcessor())
judge({split: look(made[split]) for split in SPLITS})
