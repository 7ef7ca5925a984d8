"""supervision: boxes and masks of a dataset."""

from recipe import Found, judge, run_recipe

data = run_recipe("supervision")["data"]
judge(
    Found(path, data.classes[label], (x0, y0, x1 - x0, y1 - y0), mask)
    for path, _, found in data
    for (x0, y0, x1, y1), mask, label in zip(found.xyxy, found.mask, found.class_id, strict=True)
)
