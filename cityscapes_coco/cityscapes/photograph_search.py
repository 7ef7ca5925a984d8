"""Photographs: which frame and image set each belongs to, where they are, and how large they are.

A photograph belongs to a frame if the photograph's name begins with that of the frame. What follows
there, such as `leftImg8bit_foggy_beta_0.02`, is its ending. An image set is known by the ending of
its photographs, or by a folder that they are in.
"""

import os
import re
import stat
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from cityscapes_coco.errors import UserError
from cityscapes_coco.options import ALL_SPLITS, SPLITS
from cityscapes_coco.run.folders import Listing, is_folder, list_folder, parts_inside

if TYPE_CHECKING:
    from PIL import Image

# The image set that the maps were drawn on. Other sets show the same frames in other weather.
DRAWN_ON = "leftImg8bit"
# How photographs are stored, the preferred kind first.
_EXTENSIONS = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff")
# What the folders of archives have in their names beside the image set.
_ARCHIVE = re.compile(r"_(train_?(val|extra)?(test)?|val|test)(?=_|$)")
# Folders of other image sets than the one that the maps were drawn on, which may have been stored
# in another way: leftImg8bit_jpg, leftImg8bit_512x256.
_WEATHER = re.compile(r"fog|haz[ey]|snow|(?<!t)rain|night", re.IGNORECASE)
_OTHER_SET = re.compile(rf"{DRAWN_ON}_(?!jpe?g|png|webp|small|half|resized|\d)", re.IGNORECASE)
# Where a photograph may be named like the frame alone, as masks elsewhere are.
_PHOTOGRAPHS = re.compile(r"ima?ge?|photo|rgb", re.IGNORECASE)
_MASKS = re.compile(r"label|mask|annot", re.IGNORECASE)
# How deep, and through how many folders, a search goes when the usual folders hold nothing.
DEEPEST = 5
_MOST_FOLDERS = 1000

Parts = tuple[str, ...]


class Key(NamedTuple):
    """What the files of one frame have in common."""

    stem: str
    city: str


class Photograph(NamedTuple):
    """A file that shows a frame; `path` has forward slashes and starts where the search did.

    `folders` are those in the path, without the split and the city.
    """

    path: str
    folders: Parts
    ending: str

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The lower, the better: first what lies as in Cityscapes, in a folder that has the
        beginning of the ending as its name, then what has an ending, then what is less deep."""
        usual = bool(self.folders) and self.ending.startswith(self.folders[-1])
        return not usual, not self.ending, len(self.folders)

    @property
    def extension(self) -> str:
        return self.path.rpartition(".")[2].lower()


class Found(NamedTuple):
    """The photographs of each frame, sorted by image set.

    If there are none, `image_sets` are those of the photographs that were passed over. `unclear`
    has two folders for each photograph that another one is as good as.
    """

    paths: dict[Key, Parts]
    image_sets: set[str]
    unclear: list[tuple[str, str]]


def find_photographs(
    start: Path, split: str, frames: Set[Key], image_sets: Sequence[str], explicit: bool = False
) -> Found:
    """Return the photographs below `start` that are of the image sets, or patterns of their names.

    First come the usual folders: those of the split in `start`, and one or two folders deeper. Only
    if these hold none, all folders are searched, within bounds. Photographs of other frames are
    found as well, if they have an ending. `explicit` means that the user named `start` as the
    folder of photographs.
    """
    cities = {frame.city for frame in frames}
    cities_of: dict[str, list[str]] = {}
    for frame in frames:
        cities_of.setdefault(frame.stem, []).append(frame.city)
    plain = set(image_sets) <= {DRAWN_ON}
    for folders_and_files in (
        _usual_folders(start, split, cities, plain),
        _all_folders(start, ALL_SPLITS - {split}, cities | {split}, plain),
    ):
        photographs: dict[Key, list[Photograph]] = {}
        for parts, names in folders_and_files:
            city = parts[-1] if parts and parts[-1] in cities else ""
            folders = tuple(_ARCHIVE.sub("", part) for part in parts if part not in (split, city))
            shows = explicit or _may_show(folders)
            for name in names:
                stem, ending = _read_name(name, cities_of.keys())
                if stem and (ending or shows):
                    photograph = Photograph("/".join((*parts, name)), folders, ending)
                    for of_city in [city] if city else cities_of.get(stem, [""]):
                        photographs.setdefault(Key(stem, of_city), []).append(photograph)
        found = _choose(photographs, image_sets, start.absolute().name if explicit else "")
        if not frames.isdisjoint(found.paths):
            break
    return found


def list_split_folders(start: Path, split: str) -> Iterator[Parts]:
    """Yield the folders of a split in `start`, and one or two folders deeper, as parts of paths."""
    outside = _list_folder(start).folders
    if split in outside:
        yield (split,)
    for outer in _without_maps(outside):
        inside = _list_folder(start / outer).folders
        if split in inside:
            yield outer, split
        for inner in _without_maps(inside):
            if is_folder(start / outer / inner / split):
                yield outer, inner, split


def locate(start: Path, name: str) -> Path | None:
    """Return the photograph of a `name` that starts at `start`, at the folder of a split, or at the
    photograph's own folder; None if there is none, or if the name leads out of `start`."""
    inside = parts_inside(name)
    if not inside:
        return None
    city = inside[-1].partition("_")[0]
    for folder, _ in _all_folders(start, frozenset(), ALL_SPLITS | {DRAWN_ON, city}):
        path = start.joinpath(*folder, *inside)
        # Unlike Path.is_file, this takes any name, however long, for one that may not exist.
        if os.path.isfile(path):  # noqa: PTH113
            return path
    return None


def read_size(path: str) -> tuple[int, int] | None:
    """Return (width, height) of the photograph at `path`, in pixels; None if it cannot be read.

    Photographs need not be there, and nothing but the size is asked of them.
    """
    try:
        # Anything but a file might never end, a pipe for example.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return None
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib takes several times as long)
            head = file.read(24)
            if head[12:16] == b"IHDR":
                return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:], "big")
            if len(head) < 24:  # no photograph at all
                return None
            with open_photograph(file) as photograph:
                width, height = photograph.size
            return width, height
    except Exception:  # Pillow raises whatever a damaged file makes its parser stumble on
        return None


def open_photograph(file: "str | os.PathLike[str] | IO[bytes]") -> "Image.Image":
    """Return a photograph whose header has been read, and whose pixels have not.

    Raises whatever a damaged file makes Pillow's parser stumble on.
    """
    # Pillow takes a while to load, and the size of most photographs can be had without.
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow's warnings tell where in Pillow they come from, and never of which file.
        warnings.simplefilter("ignore")
        return Image.open(file)


def _usual_folders(
    start: Path, split: str, cities: Set[str], plain: bool
) -> Iterator[tuple[Parts, list[str]]]:
    """Yield the folders of a split, and of its cities, each with the names of its files.

    `plain` leaves out those of other image sets than the maps were drawn on.
    """
    for parts in list_split_folders(start, split):
        if plain and not _is_plain(parts[:-1]):
            continue
        listing = _list_folder(start.joinpath(*parts))
        yield parts, listing.files
        # Of any other dataset, the split may have a thousand folders.
        if not cities.isdisjoint(listing.folders):
            for city in listing.folders:
                yield (*parts, city), _list_folder(start.joinpath(*parts, city)).files


def _all_folders(
    start: Path, skipped: Set[str], likely: Set[str], plain: bool = False
) -> Iterator[tuple[Parts, list[str]]]:
    """Yield folders, each with the names of its files: level by level, likely folders first.

    `plain` leaves out those that speak of other weather.
    """
    waiting: deque[Parts] = deque([()])
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        parts = waiting.popleft()
        listing = _list_folder(start.joinpath(*parts))
        yield parts, listing.files
        for name in listing.folders if len(parts) < DEEPEST else ():
            if name in likely:
                waiting.appendleft((*parts, name))
            elif name not in skipped and not (plain and _WEATHER.search(name)):
                waiting.append((*parts, name))


def _without_maps(folders: Iterable[str]) -> Iterator[str]:
    """Yield the folders that may hold photographs; in those of splits, other folders do."""
    return (name for name in folders if name not in SPLITS and name not in ALL_SPLITS)


def _list_folder(folder: Path) -> Listing:
    """Return the names in a folder; none if it cannot be listed, which may be anybody's folder."""
    try:
        return list_folder(folder)
    except UserError:
        return Listing([], [])


def _is_plain(folders: Sequence[str]) -> bool:
    """Return whether files in such folders are of the image set that the maps were drawn on, as far
    as the folders tell."""
    innermost = _ARCHIVE.sub("", folders[-1]) if folders else ""
    return not _OTHER_SET.match(innermost) and not any(map(_WEATHER.search, folders))


def _may_show(folders: Iterable[str]) -> bool:
    """Return whether files that are named like a frame alone are photographs in such folders."""
    path = "/".join(folders)
    return bool(_PHOTOGRAPHS.search(path)) and not _MASKS.search(path)


def _read_name(name: str, stems: Set[str]) -> tuple[str, str]:
    """Return the stem of the frame that a file shows, and the ending; "" if it shows none."""
    base, _, extension = name.rpartition(".")
    # The inspector's pictures are no photographs, wherever they were saved.
    if extension.lower() not in _EXTENSIONS or base.endswith(("_instances", "_panoptic")):
        return "", ""
    # Some tools append the new extension: x_leftImg8bit.png.jpg.
    base = base.removesuffix(".png")
    at = base.lower().find(f"_{DRAWN_ON.lower()}")
    if at >= 0:
        return base[:at], DRAWN_ON + base[at + 1 + len(DRAWN_ON) :]
    at = len(base)
    while at > 0 and base[:at] not in stems:
        at = base.rfind("_", 0, at)
    ending = base[at + 1 :]
    return ("", "") if at <= 0 or ending.startswith(tuple(SPLITS)) else (base[:at], ending)


def _choose(
    photographs: dict[Key, list[Photograph]], image_sets: Sequence[str], inside: str
) -> Found:
    found = Found({}, set(), [])
    for key, candidates in photographs.items():
        taken: dict[tuple[str, str], Photograph] = {}
        candidates.sort(key=lambda p: (p.rank, _EXTENSIONS.index(p.extension), p.path))
        for photograph in candidates:
            chosen = _find_image_set(photograph, image_sets, inside)
            if chosen is None:
                continue
            first = taken.setdefault(chosen, photograph)
            places = first.path.rpartition("/")[0], photograph.path.rpartition("/")[0]
            if first.rank == photograph.rank and places[0] != places[1]:
                found.unclear.append(places)
        if taken:
            found.paths[key] = tuple(taken[chosen].path for chosen in sorted(taken))
    if not found.paths:
        for photograph in chain.from_iterable(photographs.values()):
            found.image_sets.add(photograph.ending or DRAWN_ON)
            found.image_sets.update(
                folder
                for folder in photograph.folders
                if not _is_plain((folder,)) and not photograph.ending.startswith(folder)
            )
    return found


def _find_image_set(
    photograph: Photograph, image_sets: Sequence[str], inside: str
) -> tuple[str, str] | None:
    """Return by which ending, and by which folder or "", a photograph is of one of the image sets;
    None if it is of none. `inside` is the name of the folder that the search started in, or ""."""
    ending = photograph.ending or DRAWN_ON
    for folder in (*reversed(photograph.folders), inside):
        if folder != DRAWN_ON and any(fnmatchcase(folder, pattern) for pattern in image_sets):
            return ending, folder
    if ending == DRAWN_ON and not _is_plain(photograph.folders):
        return None
    return (ending, "") if any(fnmatchcase(ending, p) for p in image_sets) else None
