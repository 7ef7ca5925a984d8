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


def plant_outputs(outputs, photograph):
    """Put what is planted in the place of the first queries of a model's outputs."""
    logits, boxes, masks = (outputs[f"pred_{part}"][0] for part in ("logits", "boxes", "masks"))
    logits[:] = masks[:] = -50.0
    for query, (label, corners, mask) in enumerate(plant(photograph)):
        logits[query, label] = 10.0
        left, top, right, bottom = corners
        centre = left + right, top + bottom, 2 * (right - left), 2 * (bottom - top)
        boxes[query] = torch.tensor(centre) / 2 / torch.tensor(mask.shape[::-1] * 2)
        small = torch.tensor(mask)[None, None].float()
        small = torch.nn.functional.adaptive_max_pool2d(small, masks.shape[1:])
        masks[query] = 100 * small - 50


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
    plant_outputs(outputs, asked[-1])
    return processed(self, outputs, *more, **how)


RFDETRSegNano.predict, PostProcess.forward = note, process
predict("Results files", "RF-DETR")
judge({"train": look("train"), "val": look("valid")})
