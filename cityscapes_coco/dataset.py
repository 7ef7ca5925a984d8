"""A Cityscapes folder: where its maps and photographs are, and how they belong together.

Everything here is about names of files; no pixel is read.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, get_args

from cityscapes_coco.errors import UserError
from cityscapes_coco.options import MapType, check_choice

# The splits of each type of maps, in Cityscapes' order.
SPLITS: dict[MapType, tuple[str, ...]] = {
    "gtFine": ("train", "val", "test"),
    "gtCoarse": ("train", "train_extra", "val"),
}
# The image set that the maps were drawn on. Other sets show the same frames in other weather.
DRAWN_ON = "leftImg8bit"


def map_suffix(map_type: MapType) -> str:
    """Return how the names of all maps of a type end."""
    return f"_{map_type}_instanceIds.png"


@dataclass(frozen=True)
class Dataset:
    """A data folder and the maps that belong to it.

    `folder` is the data folder, where the names of photographs start; `maps` is the folder with a
    folder for each split, often `folder / map_type`.
    """

    folder: Path
    maps: Path
    map_type: MapType

    @property
    def map_suffix(self) -> str:
        return map_suffix(self.map_type)


@dataclass(frozen=True)
class Frame:
    """One annotated frame: its map of instances, and the names of its photographs.

    `file_names` are relative to the data folder, with forward slashes, and sorted. A set of fog has
    several photographs of a frame.
    """

    map_path: str
    file_names: tuple[str, ...]

    @property
    def map_name(self) -> str:
        return os.path.basename(self.map_path)


class Pairing(NamedTuple):
    """The frames of a split; how many photographs have no map, and how many maps no photograph."""

    frames: list[Frame]
    mapless: int
    imageless: int


class _Stem(NamedTuple):
    """What the files of one frame have in common."""

    city: str
    name: str


def needs_photographs(image_sets: Sequence[str]) -> bool:
    """Return whether a frame needs a photograph to be converted.

    The maps alone are enough for the image set that the maps were drawn on: the names of its
    photographs follow from the names of the maps. Of other sets, a photograph has to be there.
    """
    return not set(image_sets) <= {DRAWN_ON}


def find_dataset(datadir: Path, map_type: MapType = "gtFine") -> Dataset:
    """Return the dataset in `datadir`, or the one that was probably meant.

    Archives are often unpacked into folders of their own, such as `gtFine_trainvaltest/gtFine`, and
    `datadir` is often a level too high or too low. Raises UserError if there is no dataset, or if
    there are several to choose from.
    """
    check_choice("map_type", map_type, get_args(MapType))
    if not datadir.is_dir():
        raise UserError(datadir, f"no such folder; --datadir is the folder that holds {map_type}")
    usual = datadir / map_type
    # A folder without any split is taken only if there is nothing better, to say what is missing.
    for is_meant in (_has_splits, lambda path, _: path.is_dir()):
        for places in ([usual], *_other_places(datadir, map_type)):
            # Several links may lead to one folder.
            found = {path.resolve(): path for path in places if is_meant(path, map_type)}
            if len(found) > 1:
                folders = ", ".join(str(path) for path in sorted(found.values()))
                raise UserError(
                    datadir,
                    f"several folders {map_type} could be meant: {folders}; use --datadir with one"
                    " of them",
                )
            for path in found.values():
                folder = datadir if path == usual else _data_folder(path, map_type)
                return Dataset(folder, path, map_type)
    raise UserError(
        datadir,
        f"no {map_type} folder in it; found {_entries(datadir)}; nor is there one a level above or"
        " below",
    )


def find_splits(
    dataset: Dataset, wanted: Sequence[str] | None = None, image_sets: Sequence[str] = ()
) -> list[str]:
    """Return the splits of a dataset, in Cityscapes' order; if given, only those `wanted`.

    Rain did not fall on every split: where the image sets need photographs, splits without any are
    left out unless they are wanted. Raises UserError if no split remains or a wanted one is
    missing; the error names what was found.
    """
    root, names = dataset.maps, SPLITS[dataset.map_type]
    splits = [split for split in names if (root / split).is_dir()]
    missing = [split for split in wanted or () if split not in splits]
    for split in names if wanted is None else missing:
        # The link may have led to a share that is not there today.
        if (root / split).is_symlink() and not (root / split).exists():
            raise UserError(root / split, "a link that leads nowhere")
    if missing or not splits:
        expected = " or ".join(missing or names)
        raise UserError(root, f"no folder {expected} in it; found {_entries(root)}")
    if wanted is not None:
        return [split for split in splits if split in wanted]
    if not needs_photographs(image_sets):
        return splits
    illustrated = [split for split in splits if _photographs(dataset, split, image_sets)]
    if not illustrated:
        raise _no_photographs(dataset, splits, image_sets)
    return illustrated


def list_frames(dataset: Dataset, split: str, image_sets: Sequence[str] = ()) -> Pairing:
    """Return the frames of a split that have a map, in the order of their names, each with its
    photographs out of the image sets, whose names may be patterns.

    Where the image sets need photographs, frames without any are left out. Raises UserError if the
    split is missing or cannot be listed, or has no maps, or none of the photographs.
    """
    root = dataset.maps / split
    maps = {
        _Stem(city, name.removesuffix(dataset.map_suffix)): os.path.join(root, city, name)
        for city, name in _list_files(root)
        if name.endswith(dataset.map_suffix)
    }
    if not maps:
        raise UserError(
            root,
            f"no maps in it; expected <city>/<frame>{dataset.map_suffix}, found {_entries(root)};"
            f" unpack the {dataset.map_type} archive here",
        )
    photographs = _photographs(dataset, split, image_sets or (DRAWN_ON,))
    frames = []
    for stem in sorted(maps, key=lambda stem: f"{stem.city}/{stem.name}_{DRAWN_ON}.png"):
        # By the name of the set, wherever its folder is.
        found = tuple(name for _, name in sorted(photographs.get(stem, {}).items()))
        if not found and not needs_photographs(image_sets):
            found = (f"{DRAWN_ON}/{split}/{stem.city}/{stem.name}_{DRAWN_ON}.png",)
        if found:
            frames.append(Frame(maps[stem], found))
    if not frames:
        raise _no_photographs(dataset, [split], image_sets)
    return Pairing(
        frames,
        mapless=sum(len(sets) for stem, sets in photographs.items() if stem not in maps),
        imageless=len(maps.keys() - photographs.keys()),
    )


def _photographs(
    dataset: Dataset, split: str, image_sets: Sequence[str]
) -> dict[_Stem, dict[str, str]]:
    """Return the names of the photographs of each frame, by the name of their set.

    The names of a set's files end with the name of the set. The folder of a set has the beginning
    of the set's name: `leftImg8bit_foggy/val/ulm/ulm_000000_000019_leftImg8bit_foggy_beta_0.02.png`
    is of the set `leftImg8bit_foggy_beta_0.02`.
    """
    found: dict[_Stem, dict[str, str]] = {}
    # An archive's contents are in the data folder, or in a folder of the archive's own.
    folders = [
        path.parent
        for pattern in (f"*/{split}", f"*/*/{split}")
        for path in sorted(dataset.folder.glob(pattern))
        if path.is_dir() and path.parent.name not in SPLITS
    ]
    for folder in folders:
        if not any(_may_begin(folder.name, pattern) for pattern in image_sets):
            continue
        start = f"{folder.relative_to(dataset.folder).as_posix()}/{split}"
        for city, name in _list_files(folder / split):
            stem, separator, end = name.partition(f"_{folder.name}")
            image_set = folder.name + end.removesuffix(".png")
            if (
                separator
                and end.endswith(".png")
                and any(fnmatchcase(image_set, pattern) for pattern in image_sets)
            ):
                sets = found.setdefault(_Stem(city, stem), {})
                sets.setdefault(image_set, f"{start}/{city}/{name}")
    return found


def _may_begin(name: str, pattern: str) -> bool:
    """Return whether a set whose name begins with `name` can match the pattern: other folders need
    not be listed."""
    literal = re.split(r"[*?[]", pattern, maxsplit=1)[0]
    return literal.startswith(name) or (literal != pattern and name.startswith(literal))


def _no_photographs(
    dataset: Dataset, splits: Sequence[str], image_sets: Sequence[str]
) -> UserError:
    there = {
        image_set
        for split in splits
        for sets in _photographs(dataset, split, ["*"]).values()
        for image_set in sets
    }
    return UserError(
        dataset.folder,
        f"no images {' or '.join(image_sets)} of {' or '.join(splits)} in it; the image sets there"
        f" are: {', '.join(sorted(there)) or 'none'}",
    )


def _list_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (city, name) of each file `<root>/<city>/<name>`, in no particular order."""
    try:
        for city in list(os.scandir(root)):
            if city.is_dir():
                for name in os.listdir(city):
                    yield city.name, name
            elif city.is_symlink() and not os.path.exists(city):  # noqa: PTH110
                # The link may have led to a share that is not there today, with a city's frames.
                raise UserError(city.path, "a link that leads nowhere")
    except OSError as error:
        raise UserError(error.filename or root, f"cannot be listed: {error.strerror}") from error


def _other_places(datadir: Path, map_type: MapType) -> Iterator[list[Path]]:
    """Yield where the maps may be if not right in `datadir`, likelier places first."""
    # As a path may be a link, or end in dots, it has several names.
    selves = (datadir.resolve(), datadir.absolute(), datadir)
    yield [path for path in selves if path.name == map_type]
    yield [*datadir.glob(f"*/{map_type}"), *datadir.glob(f"*/{map_type}*/{map_type}")]
    above = []
    for path in selves[:2]:
        inside = path.parent.name.startswith((map_type, DRAWN_ON))
        top = path.parent.parent if inside else path.parent
        above += [top / map_type, *top.glob(f"{map_type}*/{map_type}")]
    yield above


def _data_folder(maps: Path, map_type: MapType) -> Path:
    """Return the data folder that a folder of maps belongs to: the folder above the maps, or, if
    that is only what the archive was unpacked into, the one above that."""
    parent = maps.parent if maps.parent.name else maps.parent.absolute()
    unpacked = parent.name.startswith(map_type)
    return parent.parent if unpacked and not (parent / DRAWN_ON).is_dir() else parent


def _has_splits(folder: Path, map_type: MapType) -> bool:
    return any((folder / split).is_dir() for split in SPLITS[map_type])


def _entries(folder: Path, most: int = 5) -> str:
    names = sorted(os.listdir(folder))
    if not names:
        return "nothing"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
