"""What the scripts of D-FINE, DEIM and RT-DETRv2 share: these repositories have one kind of
configuration, which the recipe is, and one kind of dataset."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

from recipe import NAMES, Found, blocks, from_corners, judge, section

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
    judge(look(loaded.train_dataloader.dataset))


def look(dataset):
    for number, image_id in enumerate(dataset.ids):
        _, target = dataset.load_item(number)
        [photograph] = dataset.coco.loadImgs(image_id)
        for corners, label in zip(target["boxes"].tolist(), target["labels"].tolist(), strict=True):
            yield Found(photograph["file_name"], NAMES[label], from_corners(corners))
