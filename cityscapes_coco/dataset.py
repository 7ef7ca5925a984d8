"""A Cityscapes folder: which splits it has and which frames are in them.

Everything here is about names of files; no pixel is read.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cityscapes_coco.errors import DatasetError


@dataclass(frozen=True)
class Layout:
    """How a dataset in Cityscapes' format names its folders and files."""

    annotations: str = "gtFine"
    images: str = "leftImg8bit"
    splits: tuple[str, ...] = ("train", "val", "test")

    @property
    def map_suffix(self) -> str:
        return f"_{self.annotations}_instanceIds.png"

    @property
    def image_suffix(self) -> str:
        return f"_{self.images}.png"


LAYOUTS = {"cityscapes": Layout()}


@dataclass(frozen=True)
class Frame:
    """One annotated image: its map of instances, and the name of its photograph.

    `file_name` is relative to the data folder, with forward slashes; the file need not exist.
    """

    map_path: str
    file_name: str

    @property
    def seg_file_name(self) -> str:
        return os.path.basename(self.map_path)


def find_splits(datadir: Path, layout: Layout, wanted: Sequence[str] | None = None) -> list[str]:
    """Return the splits that `datadir` has, in the order of the layout; if given, only those
    `wanted`.

    Raises DatasetError if there are none or one that is wanted is missing, naming what was found.
    """
    if not datadir.is_dir():
        raise DatasetError(
            datadir, f"no such folder; --datadir is the folder that holds {layout.annotations}"
        )
    root = datadir / layout.annotations
    if not root.is_dir():
        raise DatasetError(
            datadir, f"no {layout.annotations} folder in it; {_found_instead(datadir, layout)}"
        )
    splits = [split for split in layout.splits if (root / split).is_dir()]
    missing = [split for split in wanted or () if split not in splits]
    if missing or not splits:
        expected = " or ".join(missing or layout.splits)
        raise DatasetError(root, f"no folder {expected} in it; found {_entries(root)}")
    return [split for split in splits if wanted is None or split in wanted]


def list_frames(datadir: Path, split: str, layout: Layout) -> list[Frame]:
    """Return the frames of a split that have a map, sorted by `file_name`.

    Raises DatasetError if the split is missing, cannot be listed or has no maps.
    """
    root = datadir / layout.annotations / split
    frames = [
        Frame(
            map_path=os.path.join(root, city, stem + layout.map_suffix),
            file_name=f"{layout.images}/{split}/{city}/{stem}{layout.image_suffix}",
        )
        for city, stem in _stems(root, layout.map_suffix)
    ]
    if not frames:
        raise DatasetError(
            root,
            f"no maps in it; expected <city>/<frame>{layout.map_suffix}, found {_entries(root)};"
            f" unpack the {layout.annotations} archive here",
        )
    return sorted(frames, key=lambda frame: frame.file_name)


def count_unpaired(
    datadir: Path, split: str, layout: Layout, frames: Iterable[Frame]
) -> tuple[int, int]:
    """Return how many of the split's images have no map, and how many of `frames` no image."""
    root = datadir / layout.images / split
    images = {
        f"{layout.images}/{split}/{city}/{stem}{layout.image_suffix}"
        for city, stem in (_stems(root, layout.image_suffix) if root.is_dir() else ())
    }
    annotated = {frame.file_name for frame in frames}
    return len(images - annotated), len(annotated - images)


def _stems(root: Path, suffix: str) -> Iterator[tuple[str, str]]:
    """Yield (city, stem) of each file `<root>/<city>/<stem><suffix>`, in no particular order."""
    try:
        for city in os.scandir(root):
            if city.is_dir():
                for name in os.listdir(city):
                    if name.endswith(suffix):
                        yield city.name, name.removesuffix(suffix)
            elif city.is_symlink() and not os.path.exists(city):  # noqa: PTH110
                # What it led to may be a share that is not there today, with a city's frames.
                raise DatasetError(city.path, "a link that leads nowhere")
    except OSError as error:
        raise DatasetError(error.filename or root, f"cannot be listed: {error.strerror}") from error


def _found_instead(datadir: Path, layout: Layout) -> str:
    """Say where the annotations folder was probably meant to be found."""
    if any((datadir / split).is_dir() for split in layout.splits):
        return f"this looks like {layout.annotations} itself: use --datadir {datadir.parent}"
    below = sorted(path.parent for path in datadir.glob(f"*/{layout.annotations}") if path.is_dir())
    if below:
        return "; or ".join(f"there is one in {path}: use --datadir {path}" for path in below)
    return f"found {_entries(datadir)}"


def _entries(folder: Path, most: int = 5) -> str:
    names = sorted(os.listdir(folder))
    if not names:
        return "nothing"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
