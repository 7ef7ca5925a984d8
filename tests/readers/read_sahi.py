"""sahi: the slices that frames are cut into, compared with the same slices of the frames.

The name of a slice ends with its edges: left, top, right, bottom.
"""

import re
from pathlib import Path

import numpy as np
from PIL import Image
from recipe import SPLITS, Floor, Found, Frame, fill, frame_of, judge, read_frames, run_recipe


def cut(sliced, frames):
    """Return the slices of frames by the ids of sahi's images."""
    slices = {}
    for image in sliced["images"]:
        left, top, right, bottom = map(int, re.findall(r"\d+", Path(image["file_name"]).stem)[-4:])
        whole = frames[frame_of(image["file_name"])]
        slices[image["id"]] = Frame(*(part[top:bottom, left:right] for part in whole))
    return slices


def look(sliced, slices):
    names = {category["id"]: category["name"] for category in sliced["categories"]}
    files = {image["id"]: Path("sliced", image["file_name"]) for image in sliced["images"]}
    for annotation in sliced["annotations"]:
        number = annotation["image_id"]
        mask = fill(annotation["segmentation"], *slices[number].id_map.shape)
        pixels = np.array(Image.open(files[number]).convert("RGB"))
        name = names[annotation["category_id"]]
        yield Found(str(number), name, annotation["bbox"], mask, pixels=pixels)


sliced = {split: run_recipe("sahi", split)["sliced"] for split in SPLITS}
slices = {split: cut(sliced[split], read_frames(split)) for split in SPLITS}
# Holes are filled: shapely's make_valid, which sahi calls, joins the parts that they open into.
judge(
    {split: look(sliced[split], slices[split]) for split in SPLITS},
    floor=Floor(exact_masks=515, mean_iou=0.995),
    frames={split: {str(n): piece for n, piece in slices[split].items()} for split in SPLITS},
)
