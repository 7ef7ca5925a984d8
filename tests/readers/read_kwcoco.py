"""kwcoco: the detections of each image."""

from recipe import Found, judge, run_recipe

data = run_recipe("kwcoco")["data"]


def look():
    for image_id in data.images():
        image = data.coco_image(image_id)
        found = image.annots().detections
        values = image.annots().lookup("map_value")
        for number, value in enumerate(values):
            mask = found.data["segmentations"][number].to_mask(dims=(1024, 2048)).data
            yield Found(
                image["file_name"],
                found.classes[found.class_idxs[number]],
                found.boxes.to_xywh().data[number],
                mask == 1,
                value,
            )


judge(look())
