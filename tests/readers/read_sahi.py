"""sahi: the slices that frames are cut into, held against the same slices of the maps.

The name of a slice ends with its edges: left, top, right, bottom.
"""

import re
from pathlib import Path

from recipe import Floor, Found, fill, frame_of, judge, read_maps, run_recipe

sliced = run_recipe("sahi")["sliced"]
names = {category["id"]: category["name"] for category in sliced["categories"]}
slices, maps = {}, read_maps()
pieces = {}
for image in sliced["images"]:
    left, top, right, bottom = map(int, re.findall(r"\d+", Path(image["file_name"]).stem)[-4:])
    slices[image["id"]] = name = f"{frame_of(image['file_name'])} from {left}, {top}"
    pieces[name] = maps[frame_of(image["file_name"])][top:bottom, left:right]
found = []
for annotation in sliced["annotations"]:
    name = slices[annotation["image_id"]]
    mask = fill(annotation["segmentation"], *pieces[name].shape)
    found.append(Found(name, names[annotation["category_id"]], annotation["bbox"], mask))
# Holes are filled: shapely's make_valid, which sahi calls, joins the parts that they open into.
judge(found, Floor(exact_masks=394, mean_iou=0.995), pieces)
