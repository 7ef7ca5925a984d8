"""Pixels: PNG files, photographs, polygons, and run lengths. Nothing here knows Cityscapes."""
