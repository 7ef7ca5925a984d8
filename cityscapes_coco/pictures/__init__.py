"""Pictures of a COCO file and of results; nothing outside this folder loads matplotlib."""

# Before any other module here loads matplotlib.
from cityscapes_coco.pictures import settings as settings
