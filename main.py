"""Convert Cityscapes to COCO."""

from cityscapes_coco.cli.program import load_verb, run_script

main = load_verb("convert")

if __name__ == "__main__":
    run_script(main)
