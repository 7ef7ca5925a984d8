"""faster-coco-eval: what `COCO` gives of each annotation."""

from recipe import Found, judge, run_recipe

coco = run_recipe("faster-coco-eval")["coco"]
judge(
    Found(
        coco.loadImgs(annotation["image_id"])[0]["file_name"],
        coco.loadCats(annotation["category_id"])[0]["name"],
        annotation["bbox"],
        coco.annToMask(annotation) == 1,
        annotation["map_value"],
    )
    for annotation in coco.loadAnns(coco.getAnnIds())
)
