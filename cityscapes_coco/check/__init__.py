"""A COCO file compared with the maps that it was made from."""
