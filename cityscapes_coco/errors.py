"""The one error that a user can cause and mend, and how foreign text is printed."""

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
    """Return a text as one line that no name in the text can break, reorder or steer a terminal
    with.

    Characters that cannot be seen are written as Python escapes them: line breaks, control
    characters, marks that turn the direction of writing, and bytes of a file name that are not
    UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
