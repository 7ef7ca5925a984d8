"""Folders and the names in them; what operating systems and tools leave behind is passed over."""

import os
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from cityscapes_coco.errors import UserError

_DEBRIS = {"__macosx", "thumbs.db", "desktop.ini"}


class Listing(NamedTuple):
    """The sorted names in a folder. A link to a folder is a folder."""

    files: list[str]
    folders: list[str]


def is_debris(name: str) -> bool:
    """Return whether nobody put the file or folder there on purpose: `._a.png`, `Thumbs.db`."""
    return name.startswith(".") or name.lower() in _DEBRIS


def list_folder(folder: str | os.PathLike[str]) -> Listing:
    """Return the names in a folder, without debris. Raises UserError if it cannot be listed."""
    listing = Listing([], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_debris(entry.name):
                    listing[_is_folder(entry)].append(entry.name)
    except OSError as error:
        raise UserError(error.filename or folder, f"cannot be listed: {error.strerror}") from error
    for names in listing:
        names.sort()
    return listing


def list_folder_if_allowed(folder: str | os.PathLike[str]) -> Listing:
    """Return the names in a folder; none if it cannot be listed. It may be anybody's folder."""
    try:
        return list_folder(folder)
    except UserError:
        return Listing([], [])


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a folder; unlike Path.is_dir, where it may not be looked into too."""
    return os.path.isdir(path)  # noqa: PTH112


def refuse_dangling(path: Path) -> None:
    """Raise UserError for a link that leads nowhere, perhaps to a share that is not there today."""
    if path.is_symlink() and not path.exists():
        raise UserError(path, "a link that leads nowhere")


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads in a circle.
        return False


def name_entries(folder: str | os.PathLike[str]) -> str:
    """Return what is in a folder, as text: the first few names."""
    listing = list_folder(folder)
    return name_some(sorted(listing.files + listing.folders)) or "nothing"


def name_some(names: list[str]) -> str:
    """Return the first five names as text, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")


def parts_inside(name: str) -> tuple[str, ...]:
    """Return the parts of a name that starts at a folder; none if it leads out of the folder, or
    can be the name of no file."""
    # A Windows path, which has all the ways to lead out: roots, drives, and both kinds of slash.
    path = PureWindowsPath(name)
    return () if path.anchor or ".." in path.parts or "\0" in name else path.parts
