"""pycocotools: boxes, masks and scores."""

from pycocotools.cocoeval import COCOeval
from recipe import judge_coco

judge_coco("pycocotools", COCOeval)
