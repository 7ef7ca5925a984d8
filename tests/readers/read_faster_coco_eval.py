"""faster-coco-eval: boxes and masks."""

from recipe import judge_coco

judge_coco("faster-coco-eval")
