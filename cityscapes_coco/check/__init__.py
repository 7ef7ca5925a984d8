"""A COCO file compared with the maps, polygons or boxes that it was made from."""
