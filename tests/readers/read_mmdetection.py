"""mmdetection: the dataset of a configuration.

mmdetection imports the operators of mmcv, which are built for one version of torch and CUDA each.
The dataset needs none: here, all of them are missing.
"""

import sys
from pathlib import Path
from unittest.mock import MagicMock

sys.modules["mmcv._ext"] = MagicMock()  # before mmdetection is imported

from mmdet.registry import DATASETS  # noqa: E402
from mmengine.config import Config  # noqa: E402
from recipe import Found, blocks, from_corners, judge, section  # noqa: E402


def look(data):
    for item in data:
        record = item["data_samples"]
        found = record.gt_instances
        for corners, label, mask in zip(
            found.bboxes.tensor.tolist(), found.labels, found.masks.to_ndarray(), strict=True
        ):
            yield Found(
                record.img_path, data.metainfo["classes"][label], from_corners(corners), mask == 1
            )


[code] = blocks(section("mmdetection"), "python")
Path("cityscapes.py").write_text(code)
chosen = Config.fromfile("cityscapes.py").train_dataloader.dataset.dataset
chosen.pipeline = [
    {"type": "LoadImageFromFile"},
    {"type": "mmdet.LoadAnnotations", "with_bbox": True, "with_mask": True},
    {"type": "mmdet.PackDetInputs"},
]
judge(look(DATASETS.build(chosen)))
