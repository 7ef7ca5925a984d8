"""RF-DETR: targets before they are scaled, after one epoch of an untrained model with masks; and
results of a model that gives what is planted."""

import numpy as np
import torch
from recipe import NAMES, Found, from_corners, judge, plant, predict, run_recipe
from rfdetr import RFDETRSegNano
from rfdetr.datasets.coco import CocoDetection
from rfdetr.models.postprocess import PostProcess


def look(split):
    folder = f"rfdetr/{split}"
    how = {"include_masks": True, "remap_category_ids": True}
    data = CocoDetection(folder, f"{folder}/_annotations.coco.json", None, **how)
    for image_id, (image, target) in zip(data.ids, data, strict=True):
        [photograph] = data.coco.loadImgs(image_id)
        for corners, label, mask in zip(
            target["boxes"].tolist(), target["labels"].tolist(), target["masks"], strict=True
        ):
            name, box, pixels = photograph["file_name"], from_corners(corners), np.array(image)
            yield Found(name, NAMES[label], box, mask.numpy(), pixels=pixels)


def plant_outputs(photograph, classes):
    """Return what a model gives that finds what is planted, in a number of classes."""
    labels, corners, masks = zip(*plant(photograph), strict=True)
    left, top, right, bottom = torch.tensor(corners).T
    boxes = torch.stack([left + right, top + bottom, 2 * (right - left), 2 * (bottom - top)], 1)
    height, width = masks[0].shape
    small = torch.nn.functional.max_pool2d(torch.tensor(np.array(masks))[None].float(), 4)
    return {
        "pred_logits": 60.0 * torch.nn.functional.one_hot(torch.tensor(labels), classes)[None] - 50,
        "pred_boxes": boxes[None] / 2 / torch.tensor([width, height, width, height]),
        "pred_masks": 100 * small - 50,
    }


run_recipe("RF-DETR")
run_recipe("RF-DETR")  # over what the first run made
training = {"epochs": 1, "batch_size": 4, "grad_accum_steps": 1, "num_workers": 0}
RFDETRSegNano(pretrain_weights=None).train(
    dataset_dir="rfdetr", device="cpu", tensorboard=False, **training
)
predicted, processed, asked = RFDETRSegNano.predict, PostProcess.forward, []


def note(self, image, **how):
    asked.append(image)
    return predicted(self, image, **how)


def process(self, outputs, *more, **how):
    planted = plant_outputs(asked[-1], outputs["pred_logits"].shape[2])
    return processed(self, planted, *more, **how)


RFDETRSegNano.predict, PostProcess.forward = note, process
predict("Results files", "RF-DETR")
judge({"train": look("train"), "val": look("valid")})
