"""The command `cityscapes-coco`, also as `python -m cityscapes_coco`."""

import sys

from cityscapes_coco.cli.program import run_script
from cityscapes_coco.cli.verbs import choose_verb


def main() -> None:
    # With -m, the first argument is the path of this file.
    as_module = sys.argv[0].endswith("__main__.py")
    program = "python -m cityscapes_coco" if as_module else "cityscapes-coco"
    run_script(lambda: choose_verb(program, sys.argv[1:]))


if __name__ == "__main__":
    main()
