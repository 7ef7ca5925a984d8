"""COCO's side: its records, and files of them. Nothing here knows Cityscapes."""
