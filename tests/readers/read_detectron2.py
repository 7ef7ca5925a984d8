"""detectron2: what the mapper of a dataset gives, and a step of training of an untrained
model, and results of a model that gives what is planted."""

from pathlib import Path

import torch
from detectron2 import model_zoo
from detectron2.data import DatasetCatalog, DatasetMapper, MetadataCatalog
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.structures.masks import polygons_to_bitmask
from detectron2.utils.events import EventStorage
from panoptic_results import find_segments, write_panoptic_results
from recipe import RESULTS, SPLITS, Found, from_corners, judge, plant, predict, run_recipe


def look(name):
    mapper = DatasetMapper(
        is_train=True, augmentations=[], image_format="BGR", use_instance_mask=True
    )
    names = MetadataCatalog.get(name).thing_classes
    for record in map(mapper, DatasetCatalog.get(name)):
        found = record["instances"]
        pixels = record["image"].permute(1, 2, 0).numpy()[..., ::-1]  # from BGR
        for corners, label, polygons in zip(
            found.gt_boxes.tensor.tolist(), found.gt_classes, found.gt_masks.polygons, strict=True
        ):
            mask = polygons_to_bitmask(polygons, *found.image_size)
            box = from_corners(corners)
            yield Found(record["file_name"], names[label], box, mask, pixels=pixels)


def find(inputs):
    """Put what is planted in the place of what the model finds."""
    outputs = model.eval()(inputs)
    for given, output in zip(inputs, outputs, strict=True):
        labels, corners, masks = zip(*plant(given["file_name"]), strict=True)
        output["instances"] = Instances(
            (given["height"], given["width"]),
            pred_boxes=Boxes(torch.tensor(corners)),
            pred_classes=torch.tensor(labels),
            pred_masks=torch.stack([torch.tensor(mask) for mask in masks]),
            scores=torch.ones(len(labels)),
        )
    return outputs


run_recipe("detectron2")
cfg = model_zoo.get_config("COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml")
cfg.MODEL.DEVICE = "cpu"
cfg.MODEL.ROI_HEADS.NUM_CLASSES = 8
cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
cfg.INPUT.MIN_SIZE_TRAIN = (256,)
cfg.INPUT.MIN_SIZE_TEST = 256
cfg.DATALOADER.NUM_WORKERS = 0
records = DatasetCatalog.get("cityscapes_train")
mapper = DatasetMapper(cfg, is_train=True)
model = build_model(cfg)
with EventStorage():
    sum(model.train()([mapper(records[0])]).values()).backward()
predict("Results files", "detectron2", cfg=cfg, model=find)
Path("results/coco_instances_results.json").replace(RESULTS)
truth = find_segments()


def find_panoptic(picture):
    """Number the segments from 1, as detectron2 does, and put void in place of groups."""
    ids, segments = next(truth)
    numbered = torch.zeros(picture.shape[:2], dtype=torch.int32)
    for number, segment in enumerate(segments, 1):
        numbered[torch.tensor(ids == segment["id"])] = number
    found = [{"id": n, "category_id": s["category_id"]} for n, s in enumerate(segments, 1)]
    return {"panoptic_seg": (numbered, [one | {"isthing": True} for one in found])}


write_panoptic_results("detectron2", predictor=find_panoptic)
judge({split: look(f"cityscapes_{split}") for split in SPLITS})
