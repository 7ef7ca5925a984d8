"""Hugging Face RT-DETR: labels and boxes in the frame's own size; and a step of training."""

from recipe import NAMES, Found, from_centre, judge, run_recipe
from transformers import RTDetrConfig, RTDetrForObjectDetection

made = run_recipe("Hugging Face RT-DETR")
data, processor, batch = made["data"], made["processor"], made["batch"]
assert "masks" not in batch["labels"][0]


def look():
    for image_id, (image, annotations) in zip(data.ids, data, strict=True):
        target = {"image_id": image_id, "annotations": annotations}
        [labels] = processor(image, target, do_resize=False, return_tensors="pt")["labels"]
        [photograph] = data.coco.loadImgs(image_id)
        boxes = labels["boxes"].double().numpy() * (2 * image.size)
        for box, label in zip(boxes, labels["class_labels"].tolist(), strict=True):
            yield Found(photograph["file_name"], NAMES[label], from_centre(box))


model = RTDetrForObjectDetection(RTDetrConfig(num_labels=len(NAMES)))
model(**batch).loss.backward()
judge(look())
