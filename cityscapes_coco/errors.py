"""The one error that a user's data can cause."""

import os


class DatasetError(Exception):
    """The data is not as it must be: `path` says where, `reason` what is wrong and the remedy."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(path), reason)
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
