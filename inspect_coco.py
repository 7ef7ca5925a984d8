"""Look at a COCO file, or check it."""

from cityscapes_coco.cli.program import start, verb

main = verb("inspect")

if __name__ == "__main__":
    start(main)
