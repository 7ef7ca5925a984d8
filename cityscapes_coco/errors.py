"""The one error that a user's data can cause, and how names from that data are printed."""

import os


class DatasetError(Exception):
    """The data is not as it must be: `path` says where, `reason` what is wrong and the remedy."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(path), reason)
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self) -> str:
        return one_line(f"{self.path}: {self.reason}")


def one_line(text: object) -> str:
    """Return a text as one line that no name in it can break, reorder or steer a terminal with.

    What cannot be seen is written as Python escapes it: line breaks, control characters, marks
    that turn the direction of writing, and bytes of a file name that are not UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
