"""The error for everything that a user can mend, and text that is safe to print."""

import os


class UserError(Exception):
    """Something that the user can mend.

    `where` names the file, folder, address or option; `reason` says what is wrong and what to do.
    """

    def __init__(self, where: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(where), reason)
        self.where = os.fspath(where)
        self.reason = reason

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.reason}")


def one_line(text: object) -> str:
    """Return a text as one line, so that no name in it can break the line or control a terminal.

    Invisible characters are written as Python escapes: line breaks, control characters, marks that
    change the direction of writing, and bytes of a file name that are not UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
