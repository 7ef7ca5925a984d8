"""mmdetection: the panoptic dataset of a configuration, a step of training, and results of a model
that finds the segments of the truth."""

import json
import shutil
from pathlib import Path

import mmcv_operators  # noqa: F401  (before mmdetection)
import numpy as np
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from panoptic_results import find_segments
from recipe import PAGE, Found, blocks, from_corners, judge, run_recipe, section


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


def write_results(evaluator, data):
    """Write what the evaluator of the page makes of a model that finds the truth."""
    names = list(data.metainfo["classes"])
    coco = json.loads(Path(evaluator["ann_file"]).read_text())
    name_of = {category["id"]: category["name"] for category in coco["categories"]}
    metric = METRICS.build(evaluator)
    metric.dataset_meta = data.metainfo
    for index, (ids, segments) in enumerate(find_segments("cityscapes_panoptic_val")):
        found = np.full(ids.shape, len(names))  # which is void
        for number, segment in enumerate(segments, 1):
            label = names.index(name_of[segment["category_id"]])
            is_thing = label < len(data.metainfo["thing_classes"])
            found[ids == segment["id"]] = label + 1000 * number * is_thing
        sample = data.get_data_info(index) | {"ori_shape": ids.shape}
        sample["pred_panoptic_seg"] = {"sem_seg": torch.tensor(found[None])}
        metric.process({}, [sample])
    metric.evaluate(len(data))


register_all_modules()
run_recipe("mmdetection panoptic")
run_recipe("mmdetection panoptic")  # over what the first run made
_, config = blocks(section("mmdetection panoptic"), "python")
[evaluator] = blocks(section("Results of mmdetection", PAGE.with_name("panoptic.md")), "python")
Path("panoptic.py").write_text(config + evaluator)
config = Config.fromfile("panoptic.py")
model = MODELS.build(config.model)
chosen = {split: config[f"{split}_dataloader"].dataset for split in ("train", "val")}
step = DATASETS.build(chosen["train"])[0]
batch = model.data_preprocessor({key: [value] for key, value in step.items()}, training=True)
losses = model.loss(batch["inputs"], batch["data_samples"])
write_results(config.test_evaluator, DATASETS.build(chosen["val"]))
for dataset in chosen.values():
    dataset.pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "LoadPanopticAnnotations"},
        {"type": "mmdet.PackDetInputs"},
    ]
    dataset.test_mode = False  # in which annotations are left out
judge({split: look(DATASETS.build(dataset)) for split, dataset in chosen.items()}, "segments")
# In place of the links, which are no longer needed, for the command that scores the results.
shutil.rmtree("panoptic")
Path("results/val.panoptic").rename("panoptic")
Path("results/val.panoptic.json").rename("panoptic.json")
