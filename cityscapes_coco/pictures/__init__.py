"""Pictures of a COCO file and of results; nothing outside this folder loads matplotlib."""
