"""Convert Cityscapes to COCO."""

from cityscapes_coco.cli.program import start, verb

main = verb("convert")

if __name__ == "__main__":
    start(main)
