"""A Cityscapes folder: where its maps and photographs are, and how they belong together.

Everything here is about names of files; no pixel is read.
"""

import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple, get_args

from cityscapes_coco.cityscapes.photograph_search import (
    DEEPEST,
    DRAWN_ON,
    Found,
    Key,
    find_photographs,
    list_split_folders,
)
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import ALL_SPLITS, SPLITS, MapType, check_choice
from cityscapes_coco.run.folders import (
    is_debris,
    is_folder,
    list_folder,
    name_entries,
    name_some,
    refuse_dangling,
)

# Files that may lie where the maps should, and what to do; the case of letters is passed over.
_MISTAKEN = {
    r"(?-i:_(gtFine|gtCoarse)_instanceIds\.png$)": "these are the maps of --annotations {0}",
    r"instanceIds\.png$": "the names must end with {suffix}, letter by letter; rename them",
    r"instanceIds\.tiff?$": "save them as PNG of 16 bits, named <frame>{suffix}",
    r"instanceIds\.jpe?g$": "JPEG changes the ids; unpack {archive}",
    r"instanceTrainIds\.": "these hold train ids; unpack {archive}, which has _instanceIds.png",
    r"polygons\.json$": "unpack {archive} with all its files, or draw the maps of the polygons with"
    " json2instanceImg of the package cityscapesscripts",
    r"(labelIds|labelTrainIds|color)\.": "these tell no instances apart; unpack {archive}",
}
_MISNAMED = re.compile(r"(_gt(Fine|Coarse))?_instanceIds\.(png|tiff?|jpe?g)$", re.IGNORECASE)


def map_suffix(map_type: MapType) -> str:
    """Return how the names of all maps of a type end."""
    return f"_{map_type}_instanceIds.png"


# Compared by identity: what was listed for one dataset is not taken for another one.
@dataclass(frozen=True, eq=False)
class Dataset:
    """A data folder and the maps that belong to it.

    `folder` is the data folder; `maps` is the folder with a folder for each split, often
    `folder / map_type`; `imagedir` is the folder of the photographs if the user named one. A folder
    is listed once for a dataset, so that later changes are not seen.
    """

    folder: Path
    maps: Path
    map_type: MapType
    imagedir: Path | None = None

    @property
    def map_suffix(self) -> str:
        return map_suffix(self.map_type)

    @property
    def root(self) -> Path:
        """The folder where the names of photographs start."""
        return find_root(self.folder, self.imagedir)

    @property
    def imagedir_name(self) -> str | None:
        """The folder of the photographs as seen from the data folder, if the user named one."""
        return _see_from(self.folder, self.imagedir) if self.imagedir else None


@dataclass(frozen=True)
class Frame:
    """One annotated frame: its map of instances, and the names of its photographs.

    `stem` is what the names of its files begin with. `file_names` start at the root of the dataset,
    have forward slashes and are sorted by image set. A set of fog has several photographs of a
    frame.
    """

    map_path: str
    split: str
    city: str
    stem: str
    file_names: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return Key(self.stem, self.city)

    @property
    def map_name(self) -> str:
        return os.path.basename(self.map_path)

    @property
    def usual_name(self) -> str:
        """The name of the photograph that the map was drawn on, where Cityscapes has it."""
        return f"{DRAWN_ON}/{self.split}/{self.city}/{self.stem}_{DRAWN_ON}.png"


class Pairing(NamedTuple):
    """The frames of a split with their photographs; how many frames have none that was asked for;
    and a line for everything that does not belong together."""

    frames: tuple[Frame, ...]
    imageless: int
    warnings: tuple[str, ...]


class NoPhotographs(UserError):
    """None of the photographs that are needed is there, but perhaps those of other image sets."""

    def __init__(
        self, dataset: Dataset, splits: Sequence[str], wanted: Sequence[str], there: Set[str]
    ) -> None:
        super().__init__(
            dataset.imagedir or dataset.folder,
            f"no images {' or '.join(wanted)} of {' or '.join(splits)} in it; the image sets there"
            f" are: {', '.join(sorted(there)) or 'none'}",
        )
        self.there = there


def find_root(folder: Path, imagedir: Path | None) -> Path:
    """Return where the names of photographs start: the data folder, or the folder of photographs
    that the user named, if it lies outside."""
    if imagedir is None:
        return folder
    name = PurePosixPath(_see_from(folder, imagedir))
    return imagedir if name.is_absolute() or name.parts[:1] == ("..",) else folder


def needs_photographs(image_sets: Sequence[str]) -> bool:
    """Return whether a frame needs a photograph to be converted.

    The maps alone are enough for the image set that the maps were drawn on: the names of its
    photographs follow from the names of the maps. Of other sets, a photograph has to be there.
    """
    return not set(image_sets) <= {DRAWN_ON}


def find_dataset(
    datadir: Path,
    map_type: MapType = "gtFine",
    image_sets: tuple[str, ...] = (DRAWN_ON,),
    imagedir: Path | None = None,
) -> Dataset:
    """Return the dataset in `datadir`, or the one that was probably meant.

    Archives are often unpacked into folders of their own, such as `gtFine_trainvaltest/gtFine`, and
    `datadir` is often a level too high or too low. If it is above the data folder, and no other
    folder in it has photographs of the image sets, `datadir` itself is the data folder. Raises
    UserError if there is no dataset, or if there are several to choose from.
    """
    check_choice("map_type", map_type, get_args(MapType))
    if not datadir.is_dir():
        raise UserError(datadir, f"no such folder; give the one that holds {map_type}")
    if imagedir and not imagedir.is_dir():
        raise UserError(imagedir, "no such folder; --imagedir is the folder of the photographs")
    maps = _find_maps(datadir, map_type)
    # The maps may also be right in `datadir`, in a folder of any name.
    is_data_folder = maps == datadir / map_type or (maps == datadir and maps.name != map_type)
    folder = datadir if is_data_folder else _data_folder(maps, map_type)
    dataset = Dataset(folder, maps, map_type, imagedir)
    if not imagedir and datadir.resolve() in folder.resolve().parents:
        for candidate in dataset, replace(dataset, folder=datadir):
            if _has_photographs(candidate, image_sets):
                return candidate
    return dataset


def find_splits(
    dataset: Dataset,
    wanted: Sequence[str] | None = None,
    image_sets: tuple[str, ...] = (),
    *,
    warn: Callable[[str], object] = warnings.warn,
) -> list[str]:
    """Return the splits of a dataset, in Cityscapes' order; if given, only those `wanted`.

    Rain did not fall on every split: where the image sets need photographs, splits without any are
    left out unless they are wanted. `warn` is called with a line for each folder that looks like a
    split under another name. Raises UserError if no split remains or a wanted one is missing; the
    error names what was found.
    """
    root, names = dataset.maps, SPLITS[dataset.map_type]
    splits = [split for split in names if is_folder(root / split)]
    missing = [split for split in wanted or () if split not in splits]
    for split in names if wanted is None else missing:
        refuse_dangling(root / split)
    alike = _name_lookalikes(root, missing or [split for split in names if split not in splits])
    if missing or not splits:
        expected = " or ".join(missing or names)
        found = f"no folder {expected} in it; found {name_entries(root)}"
        raise UserError(root, "; ".join([found, *alike]))
    if wanted is not None:
        return [split for split in splits if split in wanted]
    for line in alike:
        warn(f"{root}: not converted: {line}")
    if not needs_photographs(image_sets):
        return splits
    illustrated = []
    there: set[str] = set()
    for split in splits:
        try:
            list_frames(dataset, split, image_sets)
            illustrated.append(split)
        except NoPhotographs as error:
            there |= error.there
    if not illustrated:
        raise NoPhotographs(dataset, splits, image_sets, there)
    return illustrated


def list_maps(dataset: Dataset, split: str) -> list[Frame]:
    """Return the frames of a split that have a map, in the order of their names, without their
    photographs. Raises UserError if the split is missing or cannot be listed, or has no maps."""
    return _list_maps(dataset, split)[0]


@lru_cache(maxsize=8)
def list_frames(dataset: Dataset, split: str, image_sets: tuple[str, ...] = ()) -> Pairing:
    """Return the frames of a split that have a map, in the order of their names, each with its
    photographs out of the image sets, whose names may be patterns.

    Where the image sets need photographs, frames without any are left out. Raises UserError if the
    split is missing or cannot be listed, or has no maps, and NoPhotographs if all are left out.
    """
    frames, misnamed = _list_maps(dataset, split)
    keys = {frame.key for frame in frames}
    found = _find_photographs(dataset, split, keys, image_sets or (DRAWN_ON,))
    paired, imageless = [], []
    for frame in frames:
        names = found.paths.get(frame.key, ())
        if not names:
            imageless.append(frame)
            names = () if needs_photographs(image_sets) else (frame.usual_name,)
        if names:
            paired.append(replace(frame, file_names=names))
    if not paired:
        raise NoPhotographs(dataset, [split], image_sets, found.image_sets)
    told = []
    if misnamed:
        [name], remedy = _find_mistaken(dataset, misnamed[:1])
        some = f"{len(misnamed)}, such as {name}; {remedy}"
        told.append(f"files that look like maps under another name, left out: {some}")
    # In a folder of another split that the user named, all photographs are of other frames.
    of_other_split = dataset.imagedir and dataset.imagedir.absolute().name in ALL_SPLITS - {split}
    mapless = sum(len(names) for key, names in found.paths.items() if key not in keys)
    if mapless and not of_other_split:
        told.append(f"images that have no map, so left out: {mapless}")
    if imageless:
        consequence = "(left out)"
        if not needs_photographs(image_sets):
            there = found.image_sets if len(imageless) == len(frames) else None
            consequence = _explain_imageless(dataset, imageless, there)
        told.append(f"maps whose image is not here: {len(imageless)} {consequence}")
    if found.unclear:
        taken, other = found.unclear[0]
        some = f"{len(found.unclear)}, such as in {taken}, which is taken, and in {other}"
        told.append(f"images that lie in two places: {some}; choose with --imagedir")
    lines = tuple(f"{dataset.folder}, {split}: {line}" for line in told)
    return Pairing(tuple(paired), len(imageless), lines)


def _find_photographs(
    dataset: Dataset, split: str, keys: Set[Key], image_sets: Sequence[str]
) -> Found:
    """Return the photographs of frames, with names that start at the root of the dataset."""
    start = dataset.imagedir or dataset.folder
    found = find_photographs(start, split, keys, image_sets, explicit=start == dataset.imagedir)
    if start == dataset.root:
        return found
    within = PurePosixPath(dataset.imagedir_name or "")
    paths = {key: tuple(str(within / name) for name in names) for key, names in found.paths.items()}
    return found._replace(paths=paths)


def _see_from(folder: Path, path: Path) -> str:
    """Return the name of a path as seen from a folder."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        # On Windows, no name leads from one drive to another.
        return f"/{path.as_posix()}"


def _has_photographs(dataset: Dataset, image_sets: tuple[str, ...]) -> bool:
    for split in SPLITS[dataset.map_type]:
        with suppress(UserError):
            frames, imageless, _ = list_frames(dataset, split, image_sets)
            if needs_photographs(image_sets) or imageless < len(frames):
                return True
    return False


def _explain_imageless(dataset: Dataset, imageless: Sequence[Frame], there: Set[str] | None) -> str:
    """Return what is said of frames of the usual image set without a photograph; if none has one,
    `there` are the image sets that are there."""
    start = dataset.imagedir or dataset.folder
    split, name = imageless[0].split, imageless[0].usual_name
    found = f"(converted all the same), such as {name}; a trainer will not find it either"
    if there is None:
        return found
    folders = ["/".join(parts) for parts in list_split_folders(start, split)]
    sets = f"; image sets there: {name_some(sorted(there))}, choose with --images" if there else ""
    return (
        f"{found}; looked for files of the frame's name in {start}, {DEEPEST} folders deep; found"
        f" there: {name_some(folders) or name_entries(start)}{sets}; name the folder of the images"
        " with --imagedir"
    )


def _list_maps(dataset: Dataset, split: str) -> tuple[list[Frame], list[str]]:
    """Return the frames of a split, without photographs, and the files that look like maps of other
    frames but are not named so."""
    root, suffix = _split_folder(dataset.maps, split, dataset.map_type), dataset.map_suffix
    files = list(_list_files(root))
    frames = []
    misnamed = []
    for city, name in files:
        if name.endswith(suffix):
            stem = name.removesuffix(suffix)
            # Should the folder of the city be missing: frames are named after their city.
            city_name = city or stem.partition("_")[0]
            frames.append(Frame(os.path.join(root, city, name), split, city_name, stem))
        elif _MISNAMED.search(name):
            misnamed.append(name)
    if not frames:
        raise UserError(root, _explain_no_maps(dataset, root, [name for _, name in files]))
    stems = {frame.stem for frame in frames}
    misnamed = [name for name in misnamed if _MISNAMED.sub("", name) not in stems]
    frames.sort(key=lambda frame: (frame.usual_name, frame.map_path))
    return frames, sorted(misnamed)


def _split_folder(maps: Path, split: str, map_type: MapType) -> Path:
    """Return the folder of the maps of a split, `gtFine/val` or, for some, `val/gtFine`."""
    folder = maps / split / map_type
    return folder if folder.is_dir() else maps / split


def _list_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (city, name) of each file of a split; the city is "" for a file in no folder of one."""
    listing = list_folder(root)
    for name in listing.files:
        if "." not in name:  # perhaps a city
            refuse_dangling(root / name)
        yield "", name
    for city in listing.folders:
        contents = list_folder(root / city)
        yield from ((city, name) for name in sorted(contents.files + contents.folders))


def _explain_no_maps(dataset: Dataset, root: Path, names: Sequence[str]) -> str:
    alike, remedy = _find_mistaken(dataset, names)
    some = alike or names
    found = f"{len(some)} files such as {some[0]}" if some else name_entries(root)
    return f"no maps in it; expected <city>/<frame>{dataset.map_suffix}, found {found}; {remedy}"


def _find_mistaken(dataset: Dataset, names: Sequence[str]) -> tuple[list[str], str]:
    """Return those names that are of one kind of files in place of the maps, and the remedy."""
    archive = f"the {dataset.map_type} archive"
    for pattern, remedy in _MISTAKEN.items():
        if found := [m for name in names if (m := re.search(pattern, name, re.IGNORECASE))]:
            groups = found[0].groups()
            remedy = remedy.format(*groups, suffix=dataset.map_suffix, archive=archive)
            return [match.string for match in found], remedy
    return [], f"unpack {archive} here"


def _name_lookalikes(maps: Path, missing: Sequence[str]) -> list[str]:
    """Return a line for each folder that looks like a missing split under another name."""
    lines = []
    for name in list_folder(maps).folders:
        plain = name.lower().replace("_", "")
        alike = [split for split in missing if plain.startswith(split.replace("_", ""))]
        if alike and name not in ALL_SPLITS:
            split = max(alike, key=len)
            lines.append(f"{name} looks like the split {split}; if so, rename {name} to {split}")
    return lines


def _find_maps(datadir: Path, map_type: MapType) -> Path:
    """Return the folder of the maps in or around `datadir`."""
    for places in _possible_places(datadir, map_type):
        # Several splits, and several links, may lead to one folder.
        found = {path.resolve(): path for path in places}
        if len(found) > 1:
            folders = ", ".join(str(path) for path in sorted(found.values()))
            reason = f"several folders {map_type} could be meant: {folders}"
            raise UserError(datadir, f"{reason}; use --datadir with one of them")
        for path in found.values():
            return path
    raise UserError(
        datadir,
        f"no {map_type} folder in it; found {name_entries(datadir)}; nor is there one a level above"
        " or two below",
    )


def _possible_places(datadir: Path, map_type: MapType) -> Iterator[list[Path]]:
    """Yield where the maps may be, likelier places first."""
    for places in _named_places(datadir, map_type):
        yield [
            path for path in places if any(is_folder(path / split) for split in SPLITS[map_type])
        ]
    yield _places_by_files(datadir, map_type)
    # A folder without any split is taken only if there is nothing better, to say what is missing.
    for places in _named_places(datadir, map_type):
        yield [path for path in places if is_folder(path)]


def _named_places(datadir: Path, map_type: MapType) -> Iterator[list[Path]]:
    """Yield where a folder of the name of the maps may be, likelier places first."""
    yield [datadir / map_type]
    # As a path may be a link, or end in dots, it has several names.
    selves = (datadir.resolve(), datadir.absolute(), datadir)
    yield [path for path in selves if path.name == map_type]
    below = [*datadir.glob(f"*/{map_type}"), *datadir.glob(f"*/{map_type}*/{map_type}")]
    for places in below, datadir.glob(f"*/*/{map_type}"):
        yield [path for path in places if not any(map(is_debris, path.relative_to(datadir).parts))]
    above = []
    for path in selves[:2]:
        inside = path.parent.name.startswith((map_type, DRAWN_ON))
        top = path.parent.parent if inside else path.parent
        above += [top / map_type, *top.glob(f"{map_type}*/{map_type}")]
    yield above


def _places_by_files(datadir: Path, map_type: MapType) -> list[Path]:
    """Return the folders of any other name that have maps in the folder of a split."""
    places = []
    for split in SPLITS[map_type]:
        for parts in list_split_folders(datadir, split):
            with suppress(UserError):
                maps = datadir.joinpath(*parts[:-1])
                # One city is enough to know.
                files = islice(_list_files(_split_folder(maps, split, map_type)), 1000)
                if any(name.endswith(map_suffix(map_type)) for _, name in files):
                    places.append(maps)
    return places


def _data_folder(maps: Path, map_type: MapType) -> Path:
    """Return the data folder that a folder of maps belongs to: the folder above the maps, or, if
    that is only what the archive was unpacked into, the one above that."""
    parent = maps.parent if maps.parent.name else maps.parent.absolute()
    unpacked = parent.name.startswith(map_type)
    return parent.parent if unpacked and not (parent / DRAWN_ON).is_dir() else parent
