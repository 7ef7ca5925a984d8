"""A Cityscapes folder: where its maps and photographs are, and how they belong together.

Everything here is about names of files; no pixel is read.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cityscapes_coco.errors import DatasetError


@dataclass(frozen=True)
class Layout:
    """How a dataset in Cityscapes' format names its folders and files.

    `images` is the set of photographs that the maps were drawn on. Other sets show the same frames
    in other weather.
    """

    annotations: str = "gtFine"
    images: str = "leftImg8bit"
    splits: tuple[str, ...] = ("train", "val", "test")

    @property
    def map_suffix(self) -> str:
        return f"_{self.annotations}_instanceIds.png"

    @property
    def image_suffix(self) -> str:
        return f"_{self.images}.png"

    def is_usual(self, images: Sequence[str]) -> bool:
        """Say whether no other set than the usual one is asked for: its photographs may be missing,
        as nothing needs them to be there."""
        return set(images) <= {self.images}


LAYOUTS = {
    "gtFine": Layout(),
    "gtCoarse": Layout("gtCoarse", splits=("train", "train_extra", "val")),
}


@dataclass(frozen=True)
class Dataset:
    """Where a dataset is: its maps are in `annotations`, and the names of its photographs start at
    `folder`."""

    folder: Path
    annotations: Path
    layout: Layout


@dataclass(frozen=True)
class Frame:
    """One annotated frame: its map of instances, and the names of its photographs.

    `file_names` are relative to the data folder, with forward slashes, and sorted. A set of fog has
    several of a frame.
    """

    map_path: str
    file_names: tuple[str, ...]

    @property
    def seg_file_name(self) -> str:
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


def find_dataset(datadir: Path, layout: Layout) -> Dataset:
    """Return the dataset in `datadir`, or the one that was probably meant by it.

    Archives are often unpacked into folders of their own, such as `gtFine_trainvaltest/gtFine`, and
    `datadir` is often a level too high or too low. Raises DatasetError if there is none, or if
    there are several to choose from.
    """
    if not datadir.is_dir():
        raise DatasetError(
            datadir, f"no such folder; --datadir is the folder that holds {layout.annotations}"
        )
    usual = datadir / layout.annotations
    # A folder without any split is taken only if there is nothing better, to say what is missing.
    for is_meant in (_has_splits, lambda path, _: path.is_dir()):
        for places in ([usual], *_other_places(datadir, layout)):
            # Several links may lead to one folder.
            found = {path.resolve(): path for path in places if is_meant(path, layout)}
            if len(found) > 1:
                folders = ", ".join(str(path) for path in sorted(found.values()))
                raise DatasetError(
                    datadir,
                    f"several folders {layout.annotations} could be meant: {folders}; use --datadir"
                    " with one of them",
                )
            for path in found.values():
                folder = datadir if path == usual else _data_folder(path, layout)
                return Dataset(folder, path, layout)
    raise DatasetError(
        datadir,
        f"no {layout.annotations} folder in it; found {_entries(datadir)}; nor is there one a level"
        " above or below",
    )


def find_splits(
    dataset: Dataset, wanted: Sequence[str] | None = None, images: Sequence[str] = ()
) -> list[str]:
    """Return the splits of a dataset, in the order of its layout; if given, only those `wanted`.

    Rain did not fall on every split: of sets of `images` other than the usual one, splits that have
    none are left out unless they are wanted. Raises DatasetError if no split remains or one that is
    wanted is missing, naming what was found.
    """
    root, layout = dataset.annotations, dataset.layout
    splits = [split for split in layout.splits if (root / split).is_dir()]
    missing = [split for split in wanted or () if split not in splits]
    for split in layout.splits if wanted is None else missing:
        # What it led to may be a share that is not there today.
        if (root / split).is_symlink() and not (root / split).exists():
            raise DatasetError(root / split, "a link that leads nowhere")
    if missing or not splits:
        expected = " or ".join(missing or layout.splits)
        raise DatasetError(root, f"no folder {expected} in it; found {_entries(root)}")
    if wanted is not None:
        return [split for split in splits if split in wanted]
    if layout.is_usual(images):
        return splits
    illustrated = [split for split in splits if _photographs(dataset, split, images)]
    if not illustrated:
        raise _no_photographs(dataset, splits, images)
    return illustrated


def list_frames(dataset: Dataset, split: str, images: Sequence[str] = ()) -> Pairing:
    """Return the frames of a split that have a map, in the order of their names, each with its
    photographs out of the sets called `images`, which may be patterns.

    Without `images`, or with the set that the maps were drawn on alone, photographs need not be
    there. Otherwise frames that have none are left out. Raises DatasetError if the split is missing
    or cannot be listed, or has no maps, or none of the photographs.
    """
    root, layout = dataset.annotations / split, dataset.layout
    maps = {
        _Stem(city, name.removesuffix(layout.map_suffix)): os.path.join(root, city, name)
        for city, name in _list_files(root)
        if name.endswith(layout.map_suffix)
    }
    if not maps:
        raise DatasetError(
            root,
            f"no maps in it; expected <city>/<frame>{layout.map_suffix}, found {_entries(root)};"
            f" unpack the {layout.annotations} archive here",
        )
    photographs = _photographs(dataset, split, images or (layout.images,))
    frames = []
    for stem in sorted(maps, key=lambda stem: f"{stem.city}/{stem.name}{layout.image_suffix}"):
        # By the name of the set, wherever its folder is.
        found = tuple(name for _, name in sorted(photographs.get(stem, {}).items()))
        if not found and layout.is_usual(images):
            found = (f"{layout.images}/{split}/{stem.city}/{stem.name}{layout.image_suffix}",)
        if found:
            frames.append(Frame(maps[stem], found))
    if not frames:
        raise _no_photographs(dataset, [split], images)
    return Pairing(
        frames,
        mapless=sum(len(sets) for stem, sets in photographs.items() if stem not in maps),
        imageless=len(maps.keys() - photographs.keys()),
    )


def _photographs(
    dataset: Dataset, split: str, images: Sequence[str]
) -> dict[_Stem, dict[str, str]]:
    """Return the photographs of each frame, by the name of their set.

    A set's name is the end of its files' names, and begins with that of its folder:
    `leftImg8bit_foggy/val/ulm/ulm_000000_000019_leftImg8bit_foggy_beta_0.02.png`.
    """
    found: dict[_Stem, dict[str, str]] = {}
    # An archive's contents are in the data folder, or in a folder of their own in it.
    folders = [
        path.parent
        for pattern in (f"*/{split}", f"*/*/{split}")
        for path in sorted(dataset.folder.glob(pattern))
        if path.is_dir() and path.parent.name not in LAYOUTS
    ]
    for folder in folders:
        if not any(_may_begin(folder.name, pattern) for pattern in images):
            continue
        start = f"{folder.relative_to(dataset.folder).as_posix()}/{split}"
        for city, name in _list_files(folder / split):
            stem, separator, end = name.partition(f"_{folder.name}")
            image_set = folder.name + end.removesuffix(".png")
            if (
                separator
                and end.endswith(".png")
                and any(fnmatchcase(image_set, pattern) for pattern in images)
            ):
                sets = found.setdefault(_Stem(city, stem), {})
                sets.setdefault(image_set, f"{start}/{city}/{name}")
    return found


def _may_begin(name: str, pattern: str) -> bool:
    """Say whether a set that begins with `name` can match: other folders need not be listed."""
    literal = re.split(r"[*?[]", pattern, maxsplit=1)[0]
    return literal.startswith(name) or (literal != pattern and name.startswith(literal))


def _no_photographs(dataset: Dataset, splits: Sequence[str], images: Sequence[str]) -> DatasetError:
    there = {
        image_set
        for split in splits
        for sets in _photographs(dataset, split, ["*"]).values()
        for image_set in sets
    }
    return DatasetError(
        dataset.folder,
        f"no images {' or '.join(images)} of {' or '.join(splits)} in it; the image sets there are:"
        f" {', '.join(sorted(there)) or 'none'}",
    )


def _list_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (city, name) of each file `<root>/<city>/<name>`, in no particular order."""
    try:
        for city in list(os.scandir(root)):
            if city.is_dir():
                for name in os.listdir(city):
                    yield city.name, name
            elif city.is_symlink() and not os.path.exists(city):  # noqa: PTH110
                # What it led to may be a share that is not there today, with a city's frames.
                raise DatasetError(city.path, "a link that leads nowhere")
    except OSError as error:
        raise DatasetError(error.filename or root, f"cannot be listed: {error.strerror}") from error


def _other_places(datadir: Path, layout: Layout) -> Iterator[list[Path]]:
    """Yield where the annotations may be if not right in `datadir`, likelier places first."""
    name = layout.annotations
    # As a path may be a link, or end in dots, it has several names.
    selves = (datadir.resolve(), datadir.absolute(), datadir)
    yield [path for path in selves if path.name == name]
    yield [*datadir.glob(f"*/{name}"), *datadir.glob(f"*/{name}*/{name}")]
    above = []
    for path in selves[:2]:
        inside = path.parent.name.startswith((name, layout.images))
        top = path.parent.parent if inside else path.parent
        above += [top / name, *top.glob(f"{name}*/{name}")]
    yield above


def _data_folder(annotations: Path, layout: Layout) -> Path:
    """Return the data folder that annotations belong to: where they are, or, if that is only what
    their archive was unpacked into, the one above."""
    parent = annotations.parent if annotations.parent.name else annotations.parent.absolute()
    unpacked = parent.name.startswith(layout.annotations)
    return parent.parent if unpacked and not (parent / layout.images).is_dir() else parent


def _has_splits(folder: Path, layout: Layout) -> bool:
    return any((folder / split).is_dir() for split in layout.splits)


def _entries(folder: Path, most: int = 5) -> str:
    names = sorted(os.listdir(folder))
    if not names:
        return "nothing"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
