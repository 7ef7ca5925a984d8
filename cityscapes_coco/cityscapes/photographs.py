"""The photographs of frames: where they are sought, which frame and which image set each is of, and
which of several is taken.

A photograph belongs to a frame if its name begins with the stem of the frame. What follows, such as
`leftImg8bit_foggy_beta_0.02`, is its ending. An image set is known by the ending of its
photographs, or by a folder that they are in.
"""

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cityscapes_coco.cityscapes.frame import USUAL_SET, FrameKey, only_usual_set
from cityscapes_coco.cityscapes.split_folders import Parts, list_split_folders
from cityscapes_coco.options import ALL_SPLITS, BOX_TYPES, SPLITS
from cityscapes_coco.run.folders import list_folder_if_allowed, parts_inside

# How deep, and through how many folders, a search goes when the usual folders hold nothing.
DEEPEST = 5
_MOST_FOLDERS = 1000
# How the names of the inspector's pictures end.
_PICTURES = "_instances", "_panoptic", *(f"_{kind}" for kind in BOX_TYPES)
# How photographs are stored, the preferred kind first.
_EXTENSIONS = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff")
# What the folders of archives have in their names beside the image set.
_ARCHIVE = re.compile(r"_(train_?(val|extra)?(test)?|val|test)(?=_|$)")
# Whether the name of a folder speaks of fog, rain, and the like.
_names_weather = re.compile(r"fog|haz[ey]|snow|(?<!t)rain|night", re.IGNORECASE).search
# Folders of other image sets than the usual one. The usual one may have been stored in another way:
# leftImg8bit_jpg, leftImg8bit_512x256.
_OTHER_SET = re.compile(rf"{USUAL_SET}_(?!jpe?g|png|webp|small|half|resized|\d)", re.IGNORECASE)
# Whether the path of a photograph speaks of the right camera, or of disparity. The frames have the
# same names, but the maps do not fit: they were drawn on the images of the left camera.
is_of_other_camera = re.compile(r"(?<![a-z])right|disparity", re.IGNORECASE).search
# Folders where a photograph may have the name of the frame alone, and where a mask may.
_PHOTOGRAPHS = re.compile(r"ima?ge?|photo|rgb", re.IGNORECASE)
_MASKS = re.compile(r"label|mask|annot", re.IGNORECASE)

# A folder, by its path from the start of a search, and the names of the files in it.
FolderFiles = tuple[Parts, list[str]]


class _Photograph(NamedTuple):
    """A photograph of a frame. `path` has forward slashes and starts where the search did.
    `folders` are the folders in it, without the split and the city, and without what only archives
    add to the names."""

    path: str
    folders: Parts
    ending: str

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The lower, the better. First come photographs as in Cityscapes, in a folder with the
        beginning of the ending as its name; then those with an ending; then the less deep ones."""
        usual = bool(self.folders) and self.ending.startswith(self.folders[-1])
        return not usual, not self.ending, len(self.folders)

    @property
    def extension(self) -> str:
        return self.path.rpartition(".")[2].lower()


class FoundPhotographs(NamedTuple):
    """The paths of the photographs of each frame, sorted by image set.

    If there are none, `image_sets` has the image sets of all photographs that were not asked for.
    `unclear` has pairs of folders with equally good photographs of one frame: the folder of the one
    that is taken, and the other folder.
    """

    paths: dict[FrameKey, Parts]
    image_sets: set[str]
    unclear: list[tuple[str, str]]


def find_photographs(
    start: Path, split: str, frames: Set[FrameKey], image_sets: Sequence[str], named: bool = False
) -> FoundPhotographs:
    """Return the photographs below `start` of a split's frames, of the given image sets.

    `image_sets` are names or patterns; `named` says that the user named `start` as the folder of
    the photographs. The usual folders come first: the folders of the split in `start`, and one or
    two folders deeper. Only if they have no photograph of the frames, all folders are searched,
    within bounds. Photographs of other frames are found as well if they have an ending.
    """
    cities = {frame.city for frame in frames}
    only_usual = only_usual_set(image_sets)
    usual = _list_usual_folders(start, split, cities, only_usual)
    everywhere = _list_all_folders(start, ALL_SPLITS - {split}, cities | {split}, only_usual)
    for folders in usual, everywhere:
        photographs = _group_by_frame(folders, split, frames, named)
        found = _choose_photographs(photographs, image_sets, start.absolute().name if named else "")
        if not frames.isdisjoint(found.paths):
            break
    return found


def locate(start: Path, name: str) -> Path | None:
    """Return the photograph of a `name` that starts at `start`, at the folder of a split, or at the
    photograph's own folder; None if there is none, or if the name leads out of `start`."""
    inside = parts_inside(name)
    if not inside:
        return None
    city = inside[-1].partition("_")[0]
    for parts, _ in _list_all_folders(start, frozenset(), ALL_SPLITS | {USUAL_SET, city}):
        path = start.joinpath(*parts, *inside)
        # Unlike Path.is_file, this accepts any name, however long, and returns False.
        if os.path.isfile(path):  # noqa: PTH113
            return path
    return None


def _list_usual_folders(
    start: Path, split: str, cities: Set[str], only_usual: bool
) -> Iterator[FolderFiles]:
    """Yield the folders of a split and of its cities; with `only_usual`, without folders
    of other image sets."""
    for parts in list_split_folders(start, split):
        if only_usual and not _may_be_usual(parts[:-1]):
            continue
        listing = list_folder_if_allowed(start.joinpath(*parts))
        yield parts, listing.files
        # In another dataset, the folder of a split may have a thousand folders.
        if not cities.isdisjoint(listing.folders):
            for city in listing.folders:
                yield (*parts, city), list_folder_if_allowed(start.joinpath(*parts, city)).files


def _list_all_folders(
    start: Path, skipped: Set[str], likely: Set[str], only_usual: bool = False
) -> Iterator[FolderFiles]:
    """Yield folders level by level, likely ones first; with `only_usual`, without those whose names
    speak of weather."""
    waiting: deque[Parts] = deque([()])
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        parts = waiting.popleft()
        listing = list_folder_if_allowed(start.joinpath(*parts))
        yield parts, listing.files
        for name in listing.folders if len(parts) < DEEPEST else ():
            if name in likely:
                waiting.appendleft((*parts, name))
            elif name not in skipped and not (only_usual and _names_weather(name)):
                waiting.append((*parts, name))


def _group_by_frame(
    folders: Iterable[FolderFiles], split: str, frames: Set[FrameKey], named: bool
) -> dict[FrameKey, list[_Photograph]]:
    """Return the photographs in some folders by their frame, whatever their image set is."""
    cities_of: dict[str, list[str]] = {}
    for frame in frames:
        cities_of.setdefault(frame.stem, []).append(frame.city)
    cities = {frame.city for frame in frames}
    photographs: dict[FrameKey, list[_Photograph]] = {}
    for parts, names in folders:
        city = parts[-1] if parts and parts[-1] in cities else ""
        kept = tuple(_strip_archive(part) for part in parts if part not in (split, city))
        bare_names = named or _may_hold_bare_names(kept)
        for name in names:
            stem, ending = _read_photograph_name(name, cities_of.keys())
            if stem and (ending or bare_names):
                photograph = _Photograph("/".join((*parts, name)), kept, ending)
                for of_city in [city] if city else cities_of.get(stem, [""]):
                    photographs.setdefault(FrameKey(stem, of_city), []).append(photograph)
    return photographs


def _strip_archive(folder: str) -> str:
    """Return the name of a folder without what archives add: leftImg8bit_trainvaltest_foggy."""
    return _ARCHIVE.sub("", folder)


def _may_be_usual(folders: Sequence[str]) -> bool:
    """Return whether files in such folders may be of the usual image set."""
    innermost = _strip_archive(folders[-1]) if folders else ""
    return not _OTHER_SET.match(innermost) and not any(map(_names_weather, folders))


def _may_hold_bare_names(folders: Iterable[str]) -> bool:
    """Return whether files with the name of a frame alone are photographs in such folders."""
    path = "/".join(folders)
    return bool(_PHOTOGRAPHS.search(path)) and not _MASKS.search(path)


def _read_photograph_name(name: str, stems: Set[str]) -> tuple[str, str]:
    """Return the stem of the frame that a file shows, and the ending; ("", "") if it shows none."""
    base, _, extension = name.rpartition(".")
    # The inspector's pictures are no photographs, wherever they were saved.
    if extension.lower() not in _EXTENSIONS or base.endswith(_PICTURES):
        return "", ""
    # Some tools append the new extension: x_leftImg8bit.png.jpg.
    base = base.removesuffix(".png")
    at = base.lower().find(f"_{USUAL_SET.lower()}")
    if at >= 0:
        return base[:at], USUAL_SET + base[at + 1 + len(USUAL_SET) :]
    at = len(base)
    while at > 0 and base[:at] not in stems:
        at = base.rfind("_", 0, at)
    ending = base[at + 1 :]
    return ("", "") if at <= 0 or ending.startswith(tuple(SPLITS)) else (base[:at], ending)


def _choose_photographs(
    photographs: Mapping[FrameKey, list[_Photograph]], image_sets: Sequence[str], start: str
) -> FoundPhotographs:
    """Return the photographs of each frame that are of the image sets, the best one of each set.

    `image_sets` are names or patterns. `start` is the name of the folder where the search started
    if the user named that folder, else "".
    """
    found = FoundPhotographs({}, set(), [])
    for key, candidates in photographs.items():
        taken: dict[tuple[str, str], _Photograph] = {}
        candidates.sort(key=lambda p: (p.rank, _EXTENSIONS.index(p.extension), p.path))
        for photograph in candidates:
            image_set = _match_image_set(photograph, image_sets, start)
            if image_set is None:
                continue
            best = taken.setdefault(image_set, photograph)
            folders = best.path.rpartition("/")[0], photograph.path.rpartition("/")[0]
            if best.rank == photograph.rank and folders[0] != folders[1]:
                found.unclear.append(folders)
        if taken:
            found.paths[key] = tuple(taken[image_set].path for image_set in sorted(taken))
    if not found.paths:
        for photograph in chain.from_iterable(photographs.values()):
            # No set is proposed that the maps do not fit.
            if not is_of_other_camera(photograph.path):
                found.image_sets.update(_list_image_sets(photograph))
    return found


def _match_image_set(
    photograph: _Photograph, image_sets: Sequence[str], start: str
) -> tuple[str, str] | None:
    """Return the ending, and the folder or "", by which a photograph is of one of the image sets;
    None if it is of none of them."""
    ending = photograph.ending or USUAL_SET
    for folder in (*reversed(photograph.folders), start):
        if folder != USUAL_SET and any(fnmatchcase(folder, pattern) for pattern in image_sets):
            return ending, folder
    if ending == USUAL_SET and not _may_be_usual(photograph.folders):
        return None
    return (ending, "") if any(fnmatchcase(ending, pattern) for pattern in image_sets) else None


def _list_image_sets(photograph: _Photograph) -> list[str]:
    """Return the names by which the image set of a photograph can be asked for."""
    others = [folder for folder in photograph.folders if not _may_be_usual((folder,))]
    folders = [folder for folder in others if not photograph.ending.startswith(folder)]
    return [photograph.ending or USUAL_SET, *folders]
