"""faster-coco-eval: boxes, masks and scores."""

from faster_coco_eval import COCOeval_faster
from recipe import judge_coco

judge_coco("faster-coco-eval", COCOeval_faster)
