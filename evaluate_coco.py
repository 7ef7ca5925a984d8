"""Score the results of a network."""

from cityscapes_coco.cli.program import load_verb, run_script

main = load_verb("evaluate")

if __name__ == "__main__":
    run_script(main)
