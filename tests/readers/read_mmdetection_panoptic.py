"""mmdetection: the panoptic dataset of a configuration, and a step of training."""

from pathlib import Path

import mmcv_operators  # noqa: F401  (before mmdetection)
import numpy as np
from mmdet.registry import DATASETS, MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from recipe import Found, blocks, from_corners, judge, run_recipe, section


def look(data):
    things, stuff = data.metainfo["thing_classes"], data.metainfo["stuff_classes"]
    for item in data:
        record = item["data_samples"]
        pixels = item["inputs"].permute(1, 2, 0).numpy()[..., ::-1]  # from BGR
        rest = record.gt_sem_seg.sem_seg[0].numpy()
        found = record.gt_instances
        for corners, label, mask in zip(
            found.bboxes.tensor.tolist(), found.labels, found.masks.to_ndarray(), strict=True
        ):
            assert (rest[mask == 1] == label.item()).all()
            rest[mask == 1] = 255
            box = from_corners(corners)
            yield Found(record.img_path, things[label], box, mask == 1, pixels=pixels)
        names = [f"{name}group" for name in things] + list(stuff)
        for label in np.unique(rest[rest < 255]):
            yield Found(record.img_path, names[label], mask=rest == label, pixels=pixels)


register_all_modules()
run_recipe("mmdetection panoptic")
run_recipe("mmdetection panoptic")  # over what the first run made
_, config = blocks(section("mmdetection panoptic"), "python")
Path("panoptic.py").write_text(config)
config = Config.fromfile("panoptic.py")
model = MODELS.build(config.model)
chosen = {split: config[f"{split}_dataloader"].dataset for split in ("train", "val")}
step = DATASETS.build(chosen["train"])[0]
batch = model.data_preprocessor({key: [value] for key, value in step.items()}, training=True)
losses = model.loss(batch["inputs"], batch["data_samples"])
for dataset in chosen.values():
    dataset.pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "LoadPanopticAnnotations"},
        {"type": "mmdet.PackDetInputs"},
    ]
    dataset.test_mode = False  # in which annotations are left out
judge({split: look(DATASETS.build(dataset)) for split, dataset in chosen.items()}, "segments")
