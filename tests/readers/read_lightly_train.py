"""lightly-train: boxes and masks as its dataset gives them to a transform."""

import torch
from lightly_train._data.file_helpers import ImageMode
from lightly_train._data.instance_segmentation_dataset import (
    COCOInstanceSegmentationDataArgs,
    InstanceSegmentationDataset,
)
from recipe import Found, from_centre, judge, run_recipe

SIZE = 2048, 1024, 2048, 1024  # boxes are shares of the image


def look(args, split):
    dataset = InstanceSegmentationDataset(split, list(split.list_image_info()))
    dataset.image_mode = ImageMode.RGB
    dataset._transform = lambda given: {
        **given,
        "image": torch.from_numpy(given["image"]),
        "binary_masks": torch.from_numpy(given["binary_masks"]),
    }
    names = list(args.included_classes.values())
    for item in dataset:
        for box, label, mask in zip(
            item["bboxes"].double().tolist(),
            item["classes"].tolist(),
            item["binary_masks"]["masks"].numpy(),
            strict=True,
        ):
            box = [share * side for share, side in zip(box, SIZE, strict=True)]
            pixels = item["image"].numpy()
            yield Found(item["image_path"], names[label], from_centre(box), mask, pixels=pixels)


args = COCOInstanceSegmentationDataArgs(**run_recipe("lightly-train")["data"])
judge({"train": look(args, args.get_train_args()), "val": look(args, args.get_val_args())})
