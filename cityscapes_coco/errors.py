"""The error for everything that a user can mend, text that is safe to print, and the names of our
commands in it."""

import os
from collections.abc import Iterable
from contextvars import ContextVar

# The scripts of a clone, by verb.
_SCRIPTS = {"convert": "main.py", "inspect": "inspect_coco.py", "evaluate": "evaluate_coco.py"}
# How the program was started: a command that takes a verb, or "" for the scripts. None if the
# package is used from Python.
started_as: ContextVar[str | None] = ContextVar("started_as", default=None)


class UserError(Exception):
    """Something that the user can mend. `where` names the file, folder, address or option; `reason`
    says what is wrong and what to do."""

    def __init__(self, where: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(where), reason)
        self.where = os.fspath(where)
        self.reason = reason

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.reason}")


def command(verb: str) -> str:
    """Return the name of the command for a verb, as the program was started: `inspect_coco.py`, or
    `cityscapes-coco inspect`."""
    program = started_as.get()
    return _SCRIPTS[verb] if program == "" else f"{program or 'cityscapes-coco'} {verb}"


def typed_command(verb: str) -> str:
    """Return the same as it is typed: `python inspect_coco.py`."""
    return f"python {command(verb)}" if started_as.get() == "" else command(verb)


def guess(word: str, choices: Iterable[str]) -> str:
    """Return "; did you mean ...?" if one of the choices is much like a wrong word, or else ""."""
    from difflib import get_close_matches  # takes a while, and is needed for errors only

    lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower(), lower, 1)
    return f"; did you mean {lower[near[0]]}?" if near else ""


def one_line(text: object) -> str:
    """Return a text as one line, so that no name in it can break the line or control a terminal.

    Invisible characters are written as Python escapes: line breaks, control characters, marks that
    change the direction of writing, and bytes of a file name that are not UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
