"""supervision: boxes and masks of a dataset."""

from recipe import Found, from_corners, judge, run_recipe

data = run_recipe("supervision")["data"]
judge(
    Found(path, data.classes[label], from_corners(corners), mask)
    for path, _, found in data
    for corners, mask, label in zip(found.xyxy, found.mask, found.class_id, strict=True)
)
