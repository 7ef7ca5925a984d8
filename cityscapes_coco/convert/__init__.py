"""Where the two sides meet: frames of Cityscapes become files of COCO."""
