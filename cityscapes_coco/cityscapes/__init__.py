"""Cityscapes' side: folders in, arrays and boxes out. Nothing here knows COCO."""
