"""Ultralytics: boxes and masks as they reach a model, after one epoch of an untrained model."""

import math
from pathlib import Path

import torch
from recipe import RESULTS, SPLITS, Floor, Found, judge, predict, run_recipe
from ultralytics import YOLO
from ultralytics.cfg import get_cfg
from ultralytics.data import YOLODataset
from ultralytics.data.utils import check_det_dataset
from ultralytics.models.yolo.segment import SegmentationValidator

SIDE = 2048  # of the square that a frame of 2048 x 1024 pixels is put in the middle of


def look(split):
    data = check_det_dataset("yolo/data.yaml")
    how = get_cfg(overrides={"mask_ratio": 1, "overlap_mask": False})
    dataset = YOLODataset(
        img_path=data[split], data=data, imgsz=SIDE, augment=False, hyp=how, task="segment"
    )
    for item in dataset:
        pixels = item["img"].permute(1, 2, 0).numpy()[SIDE // 4 : -SIDE // 4]
        boxes = item["bboxes"].double().numpy() * SIDE
        for (x, y, width, height), label, mask in zip(
            boxes, item["cls"].int().ravel().tolist(), item["masks"].numpy(), strict=True
        ):
            box = x - width / 2, y - height / 2 - SIDE / 4, width, height
            mask = mask[SIDE // 4 : -SIDE // 4] == 1
            yield Found(item["im_file"], data["names"][label], box, mask, pixels=pixels)


update = SegmentationValidator.update_metrics


def find(validator, predictions, batch):
    """Put the largest box of each class, filled, in the place of what the model predicts."""
    planted = []
    for number in range(len(predictions)):
        truth = validator._prepare_batch(number, batch)
        boxes, classes = truth["bboxes"], truth["cls"]
        order = (boxes[:, 2:] - boxes[:, :2]).prod(1).argsort().tolist()
        chosen = list({int(classes[place]): place for place in order}.values())
        masks = torch.zeros(len(chosen), *truth["imgsz"], dtype=torch.uint8)
        # Small masks would vanish in frames of this size.
        for mask, (left, top, right, bottom) in zip(masks, boxes[chosen].tolist(), strict=True):
            mask[int(top) : math.ceil(bottom), int(left) : math.ceil(right)] = 1
        planted.append(
            {
                "bboxes": boxes[chosen],
                "cls": classes[chosen],
                "conf": torch.ones(len(chosen)),
                "masks": masks,
            }
        )
    update(validator, planted, batch)


run_recipe("Ultralytics")
run_recipe("Ultralytics")  # over what the first run made
training = {"epochs": 1, "imgsz": 320, "batch": 4, "workers": 0, "plots": False}
YOLO("yolo11n-seg.yaml").train(data="yolo/data.yaml", device="cpu", **training)
SegmentationValidator.update_metrics = find
predict("Ultralytics")
[predictions] = Path("runs").rglob("predictions.json")
predictions.replace(RESULTS)
# Ultralytics draws lines between the parts of a mask. docs/file.md has figures for real maps.
floor = Floor(exact_masks=206, mean_iou=0.966, off_by=0.51)
judge({split: look(split) for split in SPLITS}, floor=floor)
