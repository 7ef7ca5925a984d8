"""What is in a folder, without the files that operating systems and tools leave behind."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from cityscapes_coco.errors import UserError

_JUNK = {"__macosx", "thumbs.db", "desktop.ini"}


class Listing(NamedTuple):
    """The sorted names in a folder. A link to a folder is a folder."""

    files: list[str]
    folders: list[str]


def is_junk(name: str) -> bool:
    """Return whether a system or a tool left this behind: `._a.png`, `Thumbs.db`."""
    return name.startswith(".") or name.lower() in _JUNK


def list_folder(folder: str | os.PathLike[str]) -> Listing:
    """Return the names in a folder, without junk. Raises UserError if it cannot be listed."""
    listing = Listing([], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_junk(entry.name):
                    leads_to_folder = False
                    with suppress(OSError):  # a link to itself
                        leads_to_folder = entry.is_dir()
                    listing[leads_to_folder].append(entry.name)
    except OSError as error:
        raise UserError(error.filename or folder, f"cannot be listed: {error.strerror}") from error
    for names in listing:
        names.sort()
    return listing


def list_folder_if_allowed(folder: str | os.PathLike[str]) -> Listing:
    """Return the names in a folder; none if it cannot be listed. It may be anybody's folder."""
    with suppress(UserError):
        return list_folder(folder)
    return Listing([], [])


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a folder. Path.is_dir raises where the parent may not be entered."""
    return os.path.isdir(path)  # noqa: PTH112


def refuse_dangling(path: Path) -> None:
    """Raise UserError for a broken link, perhaps to a network share that is not mounted."""
    if path.is_symlink() and not path.exists():
        raise UserError(path, "a link that leads nowhere; is a share not mounted?")


def name_entries(folder: str | os.PathLike[str]) -> str:
    """Return the first few names in a folder as text."""
    listing = list_folder(folder)
    return name_some(sorted(listing.files + listing.folders)) or "nothing"


def name_some(names: Sequence[object]) -> str:
    """Return the first five names or numbers as text, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(map(str, names[:5])) + (f" and {rest} more" if rest > 0 else "")


def parts_inside(name: str) -> tuple[str, ...]:
    """Return the parts of a relative path. Return () if it leads out of the folder that it starts
    at, or cannot name a file."""
    # The rules of Windows cover all ways to lead out: roots, drives, and both kinds of slash.
    path = PureWindowsPath(name)
    return () if path.anchor or ".." in path.parts or "\0" in name else path.parts
