"""What the scripts of D-FINE, DEIM and RT-DETRv2 share: these repositories have one kind of
configuration, which the recipe is, and one kind of dataset."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from recipe import NAMES, SPLITS, Found, blocks, from_corners, judge, section

SMALL = "total_batch_size=4", "num_workers=0"


def judge_config(heading, folder, package, backbone):
    """Train an untrained model for an epoch as the recipe says, and judge the boxes of its dataset.

    The repository's code is the package in a folder; the backbone is not to be downloaded.
    """
    text = section(heading)
    [config], [command] = blocks(text, "yaml"), blocks(text, "sh")
    Path("cityscapes.yml").write_text(config)
    program, *argv = command.split()
    assert program == "python"
    small = [f"{backbone}.pretrained=False", "epoches=1", "epochs=1"]
    small += [f"{part}_dataloader.{key}" for part in ("train", "val") for key in SMALL]
    subprocess.run([sys.executable, *argv, "--device", "cpu", "--update", *small], check=True)

    sys.path.insert(0, folder)
    loaded = import_module(f"{package}.core").YAMLConfig("cityscapes.yml")
    judge({split: look(getattr(loaded, f"{split}_dataloader").dataset) for split in SPLITS})


def look(dataset):
    for number, image_id in enumerate(dataset.ids):
        image, target = dataset.load_item(number)
        [photograph] = dataset.coco.loadImgs(image_id)
        for corners, label in zip(target["boxes"].tolist(), target["labels"].tolist(), strict=True):
            name, box = photograph["file_name"], from_corners(corners)
            yield Found(name, NAMES[label], box, pixels=np.array(image))
