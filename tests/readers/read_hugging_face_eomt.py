"""Hugging Face EoMT: labels and masks in the frame's own size; and a step of training."""

import numpy as np
from recipe import CLASSES, SPLITS, STUFF, Found, judge, run_recipe
from transformers import EomtConfig, EomtForUniversalSegmentation

NAMES = [*STUFF.values(), *CLASSES.values()]  # the order of train ids


def look(made):
    for image, annotation in zip(made["coco"]["images"], made["coco"]["annotations"], strict=True):
        photograph, ids, labels = made["read"](image, annotation)
        how = {"do_resize": False, "do_pad": False, "return_tensors": "pt"}
        given = made["processor"](photograph, ids, instance_id_to_semantic_id=labels, **how)
        [labels], [masks] = given["class_labels"], given["mask_labels"]
        for label, mask in zip(labels.tolist(), masks.numpy(), strict=True):
            pixels = np.array(photograph)
            yield Found(image["file_name"], NAMES[label], mask=mask == 1, pixels=pixels)


made = {split: run_recipe("Hugging Face EoMT", split) for split in SPLITS}
small = {"hidden_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4, "num_blocks": 1}
model = EomtForUniversalSegmentation(EomtConfig(num_labels=len(NAMES), **small))
batch = made["train"]["batch"]
batch.pop("patch_offsets")
model(**batch).loss.backward()
judge({split: look(made[split]) for split in SPLITS}, "instances and stuff")
