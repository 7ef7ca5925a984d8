"""mmdetection: a configuration's dataset, and results of a model that gives what is planted."""

import runpy
import sys
from pathlib import Path

import mmcv_operators  # noqa: F401  (before mmdetection)
import mmdet
import torch
from mmdet.models.detectors import MaskRCNN
from mmdet.registry import DATASETS, MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.structures import InstanceData
from recipe import RESULTS, RESULTS_PAGE, Found, blocks, from_corners, judge, plant, section


def look(data):
    for item in data:
        record = item["data_samples"]
        pixels = item["inputs"].permute(1, 2, 0).numpy()[..., ::-1]  # from BGR
        for found, suffix in (record.gt_instances, ""), (record.ignored_instances, "group"):
            for corners, label, mask in zip(
                found.bboxes.tensor.tolist(), found.labels, found.masks.to_ndarray(), strict=True
            ):
                name, box = data.metainfo["classes"][label] + suffix, from_corners(corners)
                yield Found(record.img_path, name, box, mask == 1, pixels=pixels)


predicted = MaskRCNN.predict


def find(self, *inputs, **how):
    """Put what is planted in the place of what the model finds."""
    samples = predicted(self, *inputs, **how)
    for sample in samples:
        labels, corners, masks = zip(*plant(sample.img_path), strict=True)
        sample.pred_instances = InstanceData(
            bboxes=torch.tensor(corners, dtype=torch.float32),
            labels=torch.tensor(labels),
            masks=torch.stack([torch.tensor(mask) for mask in masks]),
            scores=torch.ones(len(labels)),
        )
    return samples


def test_untrained(config):
    """Run the test program of mmdetection, with small frames."""
    register_all_modules()
    torch.save(MODELS.build(config.model).state_dict(), "untrained.pth")
    layers = [f"model.roi_head.{part}_roi_extractor.roi_layer" for part in ("bbox", "mask")]
    small = [f"{layer}.use_torchvision=True" for layer in layers]
    small += ["model.test_cfg.rcnn.score_thr=0.0"]
    small += [f"test_dataloader.{key}" for key in ("num_workers=0", "persistent_workers=False")]
    small += ["test_dataloader.dataset.pipeline.1.scale=(512,256)"]
    program = Path(mmdet.__file__).parent / ".mim" / "tools" / "test.py"
    sys.argv = [str(program), "cityscapes.py", "untrained.pth", "--cfg-options", *small]
    runpy.run_path(str(program), run_name="__main__")


[code] = blocks(section("mmdetection"), "python")
[results] = blocks(section("mmdetection", RESULTS_PAGE), "python")
Path("cityscapes.py").write_text(code + results)
config = Config.fromfile("cityscapes.py")
MaskRCNN.predict = find
test_untrained(config)
Path("results/val.segm.json").replace(RESULTS)
chosen = {
    "train": config.train_dataloader.dataset.dataset,
    "val": config.val_dataloader.dataset,
}
for dataset in chosen.values():
    dataset.pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "mmdet.LoadAnnotations", "with_bbox": True, "with_mask": True},
        {"type": "mmdet.PackDetInputs"},
    ]
    dataset.test_mode = False  # in which annotations are left out
judge(
    {split: look(DATASETS.build(dataset)) for split, dataset in chosen.items()},
    "instances and groups",
)
