"""Where photographs are sought."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path

from cityscapes_coco.cityscapes.frame import USUAL_SET, FrameKey, only_usual_set
from cityscapes_coco.cityscapes.image_sets import (
    FoundPhotographs,
    Photograph,
    choose_photographs,
    may_be_usual,
    may_hold_bare_names,
    names_weather,
    read_photograph_name,
    strip_archive,
)
from cityscapes_coco.cityscapes.split_folders import Parts, list_split_folders
from cityscapes_coco.options import ALL_SPLITS
from cityscapes_coco.run.folders import list_folder_if_allowed, parts_inside

# How deep, and through how many folders, a search goes when the usual folders hold nothing.
DEEPEST = 5
_MOST_FOLDERS = 1000

# A folder, by its path from the start of a search, and the names of the files in it.
FolderFiles = tuple[Parts, list[str]]


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
    for folders in (
        _list_usual_folders(start, split, cities, only_usual),
        _list_all_folders(start, ALL_SPLITS - {split}, cities | {split}, only_usual),
    ):
        photographs = _group_by_frame(folders, split, frames, named)
        found = choose_photographs(photographs, image_sets, start.absolute().name if named else "")
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


def _group_by_frame(
    folders: Iterable[FolderFiles], split: str, frames: Set[FrameKey], named: bool
) -> dict[FrameKey, list[Photograph]]:
    """Return the photographs in some folders by their frame, whatever their image set is."""
    cities_of: dict[str, list[str]] = {}
    for frame in frames:
        cities_of.setdefault(frame.stem, []).append(frame.city)
    cities = {frame.city for frame in frames}
    photographs: dict[FrameKey, list[Photograph]] = {}
    for parts, names in folders:
        city = parts[-1] if parts and parts[-1] in cities else ""
        kept = tuple(strip_archive(part) for part in parts if part not in (split, city))
        bare_names = named or may_hold_bare_names(kept)
        for name in names:
            stem, ending = read_photograph_name(name, cities_of.keys())
            if stem and (ending or bare_names):
                photograph = Photograph("/".join((*parts, name)), kept, ending)
                for of_city in [city] if city else cities_of.get(stem, [""]):
                    photographs.setdefault(FrameKey(stem, of_city), []).append(photograph)
    return photographs


def _list_usual_folders(
    start: Path, split: str, cities: Set[str], only_usual: bool
) -> Iterator[FolderFiles]:
    """Yield the folders of a split and of its cities; with `only_usual`, without those of other
    image sets."""
    for parts in list_split_folders(start, split):
        if only_usual and not may_be_usual(parts[:-1]):
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
            elif name not in skipped and not (only_usual and names_weather(name)):
                waiting.append((*parts, name))
