"""The folders of a split: where they may be, and which files are in them.

The folder of a split has a folder for each city, or has the files themselves.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cityscapes_coco.options import ALL_SPLITS, SPLITS, AnnotationType
from cityscapes_coco.run.folders import (
    is_folder,
    list_folder,
    list_folder_if_allowed,
    refuse_dangling,
)

# A path that starts at a folder which is searched, such as ("leftImg8bit", "val").
Parts = tuple[str, ...]


def list_split_folders(start: Path, split: str) -> Iterator[Parts]:
    """Yield the folders that are named like a split, in `start` and one or two folders deeper."""
    outside = list_folder_if_allowed(start).folders
    if split in outside:
        yield (split,)
    for outer in _without_splits_and_maps(outside):
        inside = list_folder_if_allowed(start / outer).folders
        if split in inside:
            yield outer, split
        for inner in _without_splits_and_maps(inside):
            if is_folder(start / outer / inner / split):
                yield outer, inner, split


def choose_split_folder(maps: Path, split: str, annotation_type: AnnotationType) -> Path:
    """Return the folder with the maps of a split: `gtFine/val`, or for some people `val/gtFine`."""
    folder = maps / split / annotation_type
    return folder if folder.is_dir() else maps / split


def list_split_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (city, name) of each file in the folder of a split; city is "" outside the cities.
    Raises UserError if a folder cannot be listed or a link leads nowhere."""
    listing = list_folder(folder)
    for name in listing.files:
        if "." not in name:  # perhaps a city
            refuse_dangling(folder / name)
        yield "", name
    for city in listing.folders:
        contents = list_folder(folder / city)
        yield from ((city, name) for name in sorted(contents.files + contents.folders))


def _without_splits_and_maps(folders: Iterable[str]) -> Iterator[str]:
    return (name for name in folders if name not in SPLITS and name not in ALL_SPLITS)
