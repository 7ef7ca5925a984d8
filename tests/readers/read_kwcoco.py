"""kwcoco: the detections of each image."""

from recipe import SPLITS, Found, judge, run_recipe


def look(data):
    for image_id in data.images():
        image = data.coco_image(image_id)
        found = image.annots().detections
        values = image.annots().lookup("map_value")
        pixels = image.imdelay().finalize()
        for number, value in enumerate(values):
            yield Found(
                image["file_name"],
                found.classes[found.class_idxs[number]],
                found.boxes.to_xywh().data[number],
                found.data["segmentations"][number].to_mask(dims=(1024, 2048)).data == 1,
                value,
                pixels,
            )


judge({split: look(run_recipe("kwcoco", split)["data"]) for split in SPLITS})
