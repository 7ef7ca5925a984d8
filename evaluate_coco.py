"""Score the results of a network."""

from cityscapes_coco.cli.program import start, verb

main = verb("evaluate")

if __name__ == "__main__":
    start(main)
