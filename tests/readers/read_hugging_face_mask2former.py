"""Hugging Face Mask2Former: labels and masks in the frame's own size; and a step of training."""

from panoptic_results import write_panoptic_results
from recipe import NAMES, Found, judge, predict, run_recipe
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation

made = run_recipe("Hugging Face Mask2Former")
data, processor, batch = made["data"], made["processor"], made["batch"]


def look():
    for image_id, (image, annotations) in zip(data.ids, data, strict=True):
        numbers, labels = made["number_instances"](image, annotations)
        how = {"do_resize": False, "size_divisor": 1, "return_tensors": "pt"}
        given = processor(image, numbers, instance_id_to_semantic_id=labels, **how)
        [photograph] = data.coco.loadImgs(image_id)
        for label, mask in zip(
            given["class_labels"][0].tolist(), given["mask_labels"][0].numpy(), strict=True
        ):
            yield Found(photograph["file_name"], NAMES[label], mask=mask == 1)


model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(num_labels=len(NAMES)))
model(**batch).loss.backward()
predict("Results files", "Hugging Face", model=model, processor=processor)
write_panoptic_results()
judge(look())
