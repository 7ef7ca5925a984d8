"""detectron2: what the mapper of a dataset gives, and a step of training of an untrained model."""

from pathlib import Path

from detectron2 import model_zoo
from detectron2.data import DatasetCatalog, DatasetMapper, MetadataCatalog
from detectron2.modeling import build_model
from detectron2.structures.masks import polygons_to_bitmask
from detectron2.utils.events import EventStorage
from recipe import RESULTS, Found, from_corners, judge, predict, run_recipe

NAME = "cityscapes_train"


def look():
    mapper = DatasetMapper(
        is_train=True, augmentations=[], image_format="BGR", use_instance_mask=True
    )
    names = MetadataCatalog.get(NAME).thing_classes
    for record in DatasetCatalog.get(NAME):
        found = mapper(record)["instances"]
        for corners, label, polygons in zip(
            found.gt_boxes.tensor.tolist(), found.gt_classes, found.gt_masks.polygons, strict=True
        ):
            mask = polygons_to_bitmask(polygons, *found.image_size)
            yield Found(record["file_name"], names[label], from_corners(corners), mask)


run_recipe("detectron2")
cfg = model_zoo.get_config("COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml")
cfg.MODEL.DEVICE = "cpu"
cfg.MODEL.ROI_HEADS.NUM_CLASSES = 8
cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
cfg.INPUT.MIN_SIZE_TRAIN = (256,)
cfg.INPUT.MIN_SIZE_TEST = 256
cfg.DATALOADER.NUM_WORKERS = 0
records = DatasetCatalog.get(NAME)
mapper = DatasetMapper(cfg, is_train=True)
model = build_model(cfg)
with EventStorage():
    sum(model.train()([mapper(records[0])]).values()).backward()
predict("Results files", "detectron2", cfg=cfg, model=model)
Path("results/coco_instances_results.json").replace(RESULTS)
judge(look())
