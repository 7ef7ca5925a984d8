"""EoMT: masks of a data module, from an archive that is made here; and a batch of training."""

import shutil
import subprocess
import sys

import torch
from recipe import DATADIR, NAMES, Found, blocks, judge, run_recipe, section


def look(dataset):
    for number, name in enumerate(dataset.imgs):
        image, target = dataset[number]
        pixels = image.permute(1, 2, 0).numpy()
        for label, mask in zip(target["labels"].tolist(), target["masks"].numpy(), strict=True):
            yield Found(name, NAMES[label], mask=mask == 1, pixels=pixels)


archive = DATADIR / "leftImg8bit_trainvaltest"
shutil.make_archive(str(archive), "zip", DATADIR, "leftImg8bit")
[command] = blocks(section("EoMT"), "sh")
subprocess.run([sys.executable, *command.split()[1:]], check=True)
sys.path.insert(0, "eomt")
data = run_recipe("EoMT")["data"].setup()
data.dataloader_kwargs |= {"batch_size": 2, "num_workers": 0, "persistent_workers": False}
images, targets = next(iter(data.train_dataloader()))
assert images.shape == (2, 3, 640, 640) and all(torch.any(t["masks"]) for t in targets)
data.train_dataset.transforms = None
judge({"train": look(data.train_dataset), "val": look(data.val_dataset)})
