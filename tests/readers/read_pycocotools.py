"""pycocotools: boxes and masks."""

from recipe import judge_coco

judge_coco("pycocotools")
