"""globox: boxes with the names of their classes."""

from recipe import Found, judge, run_recipe

data = run_recipe("globox")["data"]
judge(Found(image.image_id, box.label, box.ltwh) for image in data for box in image.boxes)
