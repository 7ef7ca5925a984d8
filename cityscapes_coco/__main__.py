"""The command `cityscapes-coco`, also as `python -m cityscapes_coco`, with its three verbs: what it
says of itself, and which verb is asked for."""

import sys

from cityscapes_coco.cli.program import run_program, run_script, run_verb
from cityscapes_coco.errors import one_line
from cityscapes_coco.version import __version__

_HELP = """usage: {0} convert | inspect | evaluate [options]

convert   convert Cityscapes to COCO
          {0} convert --datadir data/cityscapes
inspect   draw examples or statistics of a COCO file, or check the file
          {0} inspect --coco_dir data/cityscapes
evaluate  score the results of a network
          {0} evaluate --coco_dir data/cityscapes --results predictions.json

{0} convert --help shows the options of convert, and so on."""
_VERBS = "convert", "inspect", "evaluate"
# What else people call a verb.
_MEANT = {
    "check": "inspect --verify",
    "verify": "inspect --verify",
    "view": "inspect",
    "draw": "inspect",
    "score": "evaluate",
}


def main() -> None:
    # With -m, the first argument is the path of this file.
    as_module = sys.argv[0].endswith("__main__.py")
    program = "python -m cityscapes_coco" if as_module else "cityscapes-coco"
    run_script(lambda: choose_verb(program, sys.argv[1:]))


def choose_verb(program: str, argv: list[str]) -> int:
    """Run the verb that the arguments begin with, and return the exit code. `program` is how the
    command was started. Without arguments, the verbs are printed."""
    if argv and argv[0] in _VERBS:
        return run_verb(program, argv[0], argv[1:])
    if not argv or argv[0] in ("-h", "--help", "help"):
        return run_program(lambda: _print(_HELP.format(program)))
    if argv[0] in ("-V", "--version"):
        return run_program(lambda: _print(f"cityscapes-coco {__version__}"))
    return run_program(lambda: _refuse(program, argv[0]))


def _print(text: str) -> int:
    print(text)
    return 0


def _refuse(program: str, word: str) -> int:
    from difflib import get_close_matches

    if word.startswith("-"):
        reason = f"{word}: a verb comes first, such as {program} convert {word}"
    else:
        near = [_MEANT[word]] if word in _MEANT else get_close_matches(word.lower(), _VERBS, 1, 0.5)
        meant = f"; did you mean {near[0]}?" if near else ""
        reason = f"no verb {word}: it is {' | '.join(_VERBS)}{meant}"
    print(one_line(f"{program}: error: {reason}"), file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
