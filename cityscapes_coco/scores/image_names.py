"""Which image of a COCO file a result is for: trainers write ids, or names in many forms."""

import re
from collections.abc import Iterable
from pathlib import PureWindowsPath
from typing import NamedTuple

from msgspec import UNSET

from cityscapes_coco.coco.records import Image

# A file's ending, such as .png; "beta_0.02" has none.
_ENDING = re.compile(r"\.[A-Za-z]\w{1,4}$")
# Long digits are no id, and slow to read.
_NUMBER = re.compile(r"[0-9]{1,18}")
# A frame's own name, and what follows in the names of its files.
_FRAME = re.compile(r"(.+?_\d{6}_\d{6})(_[A-Za-z].*)?")
# What follows in the name of the photograph, in the official panoptic files, and in their PNG
# files: three names of one image.
_OFFICIAL = "_leftImg8bit", "_gtFine_leftImg8bit", "_gtFine_panoptic"

# The id of an image, and the folders in its name, outermost first.
_Named = tuple[int, tuple[str, ...]]


class ImageNames(NamedTuple):
    """The images of a COCO file: their ids; and by the name of their file, without its ending, and
    by the name of their frame, the images of that name."""

    ids: set[int]
    of_files: dict[str, list[_Named]]
    of_frames: dict[str, list[_Named]]

    def find(self, name: int | str) -> int:
        """Return the id of the image that a result calls `name`.

        `name` is an id, perhaps as a text; a path from any folder on, with any ending or none; or
        the name of the frame. Raises ValueError, which names the field, unless one image fits.
        """
        if name in self.ids:
            return int(name)
        found: set[int] = set()
        if isinstance(name, str):
            as_number = {int(name)} if _NUMBER.fullmatch(name) else set()
            found = self._find_by_name(name) | (as_number & self.ids)
        if len(found) == 1:
            return found.pop()
        wrong = "fits several images" if found else "is neither the id nor the name of an image"
        known = f"{min(self.ids)} to {max(self.ids)}" if self.ids else "none"
        raise ValueError(f".image_id: {name!r} {wrong} in the COCO file, which has the ids {known}")

    def _find_by_name(self, name: str) -> set[int]:
        *folders, last = _split(name) or [""]
        stem = _ENDING.sub("", last)
        named = self.of_files.get(last) or self.of_files.get(stem) or self.of_frames.get(stem, [])
        fitting = {number for number, outer in named if _agree(folders, outer)}
        if not fitting and len(named) == 1 and _FRAME.fullmatch(stem):
            # No two frames of Cityscapes have one name, wherever a copy lies.
            return {named[0][0]}
        return fitting


def index_images(images: Iterable[Image]) -> ImageNames:
    names = ImageNames(set(), {}, {})
    for image in images:
        if image.id is UNSET:
            continue
        names.ids.add(image.id)
        *folders, last = _split(image.file_name or "") or [""]
        named = image.id, tuple(folders)
        stem = _ENDING.sub("", last)
        frame = _FRAME.fullmatch(stem)
        stems = [stem] if stem else []
        if frame and frame[2]:
            names.of_frames.setdefault(frame[1], []).append(named)
            if frame[2] in _OFFICIAL:
                stems = [frame[1] + ending for ending in _OFFICIAL]
        for each in stems:
            names.of_files.setdefault(each, []).append(named)
    return names


def _split(name: str) -> list[str]:
    """Return the folders and the file of a path, which may have been written on Windows."""
    path = PureWindowsPath(name)
    parts = list(path.parts[1:] if path.anchor else path.parts)
    while ".." in parts:
        del parts[: parts.index("..") + 1]
    return parts


def _agree(folders: list[str], others: tuple[str, ...]) -> bool:
    """Return whether one path goes on where the other begins."""
    common = min(len(folders), len(others))
    return not common or tuple(folders[-common:]) == others[-common:]
