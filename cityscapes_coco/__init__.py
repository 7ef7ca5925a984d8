"""Cityscapes instance maps to COCO annotations, pixel for pixel."""

__version__ = "0.1.0"
