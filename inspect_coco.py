"""Look at a COCO file, or check it."""

from cityscapes_coco.cli.program import load_verb, run_script

main = load_verb("inspect")

if __name__ == "__main__":
    run_script(main)
