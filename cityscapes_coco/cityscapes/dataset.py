"""A Cityscapes folder: its splits, and the frames of a split with their photographs.

Everything here is about names of files; no pixel is read.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple, get_args

from cityscapes_coco.cityscapes.frame import (
    USUAL_SET,
    ChosenFrames,
    Frame,
    FrameKey,
    annotation_suffix,
    name_file,
    only_usual_set,
    polygons_suffix,
)
from cityscapes_coco.cityscapes.map_search import find_folders
from cityscapes_coco.cityscapes.not_found import (
    explain_misnamed,
    explain_missing_splits,
    explain_no_maps,
    explain_no_photographs,
)
from cityscapes_coco.cityscapes.photographs import (
    FoundPhotographs,
    find_photographs,
    is_of_other_camera,
)
from cityscapes_coco.cityscapes.split_folders import choose_split_folder, list_split_files
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import (
    ALL_SPLITS,
    SPLITS,
    AnnotationType,
    StrPath,
    check_choice,
    list_names,
)
from cityscapes_coco.run.folders import is_folder, name_entries, refuse_dangling

# The frames of the fine annotations, and of boxes.
_PUBLISHED = {"train": 2975, "val": 500, "test": 1525}


# Compared by identity: what was listed for one dataset is not used for another one.
@dataclass(frozen=True, eq=False)
class Dataset:
    """A data folder, and the annotation files of one type in it: maps, polygons, or boxes.

    `folder` is the data folder. `maps` is the folder with a folder for each split, often `folder /
    annotation_type`; for boxes too. `imagedir` is the folder of the photographs if the user named
    one. Only the frames of `chosen` count, if it is given. The frames of a split are listed once
    for a dataset, so later changes are not seen.
    """

    folder: Path
    maps: Path
    annotation_type: AnnotationType
    imagedir: Path | None = None
    chosen: ChosenFrames | None = None

    @property
    def map_suffix(self) -> str:
        return annotation_suffix(self.annotation_type)

    @property
    def photographs(self) -> Path:
        """The folder where photographs are sought."""
        return self.imagedir or self.folder

    @property
    def root(self) -> Path:
        """The folder where the names of photographs start."""
        return find_root(self.folder, self.imagedir)

    @property
    def imagedir_name(self) -> str | None:
        """The folder of the photographs as seen from the data folder, if the user named one."""
        return _see_from(self.folder, self.imagedir) if self.imagedir else None


class SplitFrames(NamedTuple):
    """The frames of a split with their photographs.

    `imageless` counts the frames that have no photograph of the image sets; `warnings` has a line
    for everything that does not belong together.
    """

    frames: tuple[Frame, ...]
    imageless: int
    warnings: tuple[str, ...]


class NoPhotographs(UserError):
    """None of the photographs that are needed is there; `there` are the image sets found."""

    def __init__(
        self, dataset: Dataset, splits: Sequence[str], wanted: Sequence[str], there: Set[str]
    ) -> None:
        super().__init__(
            dataset.photographs,
            f"no images {' or '.join(wanted)} of {' or '.join(splits)} in it; the image sets there"
            f" are: {', '.join(sorted(there)) or 'none'}; choose with --images, or name the folder"
            " of the images with --imagedir",
        )
        self.there = there


def find_root(folder: Path, imagedir: Path | None) -> Path:
    """Return where the names of photographs start: the data folder, or the folder of photographs
    that the user named, if it is outside the data folder."""
    if imagedir is None:
        return folder
    name = PurePosixPath(_see_from(folder, imagedir))
    return imagedir if name.is_absolute() or name.parts[:1] == ("..",) else folder


def find_dataset(
    datadir: StrPath,
    annotation_type: AnnotationType = "gtFine",
    image_sets: Iterable[str] = (USUAL_SET,),
    imagedir: StrPath | None = None,
) -> Dataset:
    """Return the dataset in `datadir`, or the one that was probably meant.

    Archives are often unpacked into folders of their own, such as `gtFine_trainvaltest/gtFine`, and
    `datadir` is often a level too high or too low. If it is above the data folder, and only outside
    the data folder are photographs of the image sets, `datadir` itself becomes the data folder.
    Raises UserError if there is no dataset, or if there are several to choose from.
    """
    check_choice("annotation_type", annotation_type, get_args(AnnotationType))
    datadir, imagedir = Path(datadir), None if imagedir is None else Path(imagedir)
    image_sets = list_names("image_sets", image_sets)
    for path, option in (datadir, "--datadir"), (imagedir, "--imagedir"):
        if path and path.is_file():
            raise UserError(path, f"is a file; {option} takes a folder")
    if not datadir.is_dir():
        what = "not a folder" if datadir.exists() else "no such folder"
        # The shell of Windows takes the quote after a backslash for a part of the name.
        quoted = "; a quote is part of the name: leave it out, and no \\ before it"
        reason = f"{what}; give the one that holds {annotation_type}"
        raise UserError(datadir, reason + (quoted if {*"\"'"} & {*str(datadir)} else ""))
    if imagedir and not imagedir.is_dir():
        raise UserError(imagedir, "no such folder; --imagedir is the folder of the photographs")
    folder, maps = find_folders(datadir, annotation_type)
    dataset = Dataset(folder, maps, annotation_type, imagedir)
    if datadir.resolve() in folder.resolve().parents:
        for candidate in dataset, replace(dataset, folder=datadir):
            if _has_photographs(candidate, image_sets):
                return candidate
    return dataset


def find_splits(
    dataset: Dataset,
    wanted: Iterable[str] | None = None,
    image_sets: Iterable[str] = (USUAL_SET,),
    *,
    warn: Callable[[str], object] = warnings.warn,
) -> list[str]:
    """Return the splits of a dataset, in Cityscapes' order; if given, only those `wanted`.

    Splits without a photograph are left out unless they are wanted, or the image sets are just the
    usual one: rain, for example, did not fall on every split. `warn` is called with a line for each
    folder that looks like a split under another name. Raises UserError if no split remains or a
    wanted one is missing; the error names what was found.
    """
    root, names = dataset.maps, SPLITS[dataset.annotation_type]
    image_sets = list_names("image_sets", image_sets)
    wanted = None if wanted is None else list_names("wanted", wanted)
    splits = [split for split in names if is_folder(root / split)]
    missing = [split for split in wanted or () if split not in splits]
    for split in names if wanted is None else missing:
        refuse_dangling(root / split)
    alike = explain_missing_splits(root, missing or [name for name in names if name not in splits])
    if missing or not splits:
        expected = " or ".join(missing or names)
        found = f"no folder {expected} in it; found {name_entries(root)}"
        raise UserError(root, "; ".join([found, *alike]))
    if wanted is not None:
        return [split for split in splits if split in wanted]
    for line in alike:
        warn(f"{root}: not converted: {line}")
    if only_usual_set(image_sets):
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


def list_annotated_frames(dataset: Dataset, split: str) -> list[Frame]:
    """Return the annotated frames of a split, sorted by name, without their photographs. Raises
    UserError if the split is missing, cannot be listed, or has no annotation files."""
    return _read_split(dataset, split)[0]


@lru_cache(maxsize=8)
def list_frames(
    dataset: Dataset, split: str, image_sets: tuple[str, ...] = (USUAL_SET,)
) -> SplitFrames:
    """Return the annotated frames of a split, sorted by name, each with its photographs.

    `image_sets` are names or patterns. A frame without a photograph of these sets has the usual
    name if the image sets are just the usual one, and is left out otherwise. Raises UserError if
    the split is missing, cannot be listed, or has no annotation files, and NoPhotographs if all
    frames are left out.
    """
    annotated, other_files = _read_split(dataset, split)
    start, named = dataset.photographs, dataset.imagedir is not None
    keys = {frame.key for frame in annotated}
    found = find_photographs(start, split, keys, image_sets, named)
    prefix = "" if start == dataset.root else f"{dataset.imagedir_name}/"
    usual = only_usual_set(image_sets)
    frames = []
    if dataset.chosen:
        annotated = [f for f in annotated if f.annotation_path in dataset.chosen.annotation_paths]
        if not annotated:
            raise UserError(dataset.maps / split, "has no frame of the list; take another split")
    for frame in annotated:
        names = tuple(prefix + path for path in found.paths.get(frame.key, ()))
        if names or usual:
            frames.append(replace(frame, file_names=names or (frame.usual_name,)))
    if not frames:
        raise NoPhotographs(dataset, [split], image_sets, found.image_sets)
    stems = {key.stem for key in keys}
    lines = explain_misnamed(other_files, stems, dataset.annotation_type)
    lines += _explain_part(dataset, split, len(keys))
    lines += _explain_mismatch(dataset, keys, annotated, found, usual)
    imageless = sum(frame.key not in found.paths for frame in annotated)
    warned = tuple(f"{dataset.folder}, {split}: {line}" for line in lines)
    return SplitFrames(tuple(frames), imageless, warned)


def _explain_part(dataset: Dataset, split: str, count: int) -> Iterator[str]:
    """Yield a line if most published frames of a split are there, but not all. Smaller parts are
    somebody's choice."""
    published = _PUBLISHED.get(split, 0) if dataset.annotation_type != "gtCoarse" else 0
    if 0.9 * published <= count < published:
        yield f"{count:,} of the {published:,} published frames; is the download complete?"


def _explain_mismatch(
    dataset: Dataset,
    keys: Set[FrameKey],
    annotated: Sequence[Frame],
    found: FoundPhotographs,
    usual: bool,
) -> Iterator[str]:
    """Yield lines about photographs without annotations, frames without a photograph, and
    photographs of one frame that are equally good. `keys` are of all annotated frames, `annotated`
    has the frames that count."""
    start, split = dataset.photographs, annotated[0].split
    if drawn := [frame for frame in annotated if frame.is_drawn]:
        yield (
            f"frames without a map, drawn from their polygons: {len(drawn)}, such as"
            f" {drawn[0].annotation_name}; published maps can differ at borders"
        )
    kind = name_file(dataset.annotation_type)
    # In a folder of another split that the user named, all photographs are of other frames.
    of_other_split = dataset.imagedir and start.absolute().name in ALL_SPLITS - {split}
    mapless = sum(len(paths) for key, paths in found.paths.items() if key not in keys)
    if mapless and not of_other_split:
        yield f"images that have no {kind}, so left out: {mapless}"
    imageless = [frame for frame in annotated if frame.key not in found.paths]
    if imageless and not usual:
        yield f"{kind}s whose image is not here: {len(imageless)} (left out)"
    elif imageless:
        sought = ""
        if len(imageless) == len(annotated):
            sought = f"; {explain_no_photographs(start, split, found.image_sets)}"
        yield (
            f"{kind}s whose image is not here: {len(imageless)} (converted all the same), such as"
            f" {imageless[0].usual_name}; a trainer will not find it either{sought}"
        )
    others = [p for key in keys for p in found.paths.get(key, ()) if is_of_other_camera(p)]
    if others:
        yield (
            f"images of another camera than the {kind}s were drawn on: {len(others)}, such as"
            f" {min(others)}; objects are elsewhere in them, so choose others with --images"
        )
    if found.unclear:
        taken, other = found.unclear[0]
        some = f"{len(found.unclear)}, such as in {taken}, which is taken, and in {other}"
        yield f"images that lie in two places: {some}; choose with --imagedir"


def _read_split(dataset: Dataset, split: str) -> tuple[list[Frame], list[str]]:
    """Return the frames of a split, without photographs, and the names of all other files. A frame
    has its map, or else its polygons."""
    folder = choose_split_folder(dataset.maps, split, dataset.annotation_type)
    drawn_suffix = polygons_suffix(dataset.annotation_type)
    frames, others = [], []
    drawn: dict[FrameKey, Frame] = {}
    for city, name in list_split_files(folder):
        stem = name.removesuffix(dataset.map_suffix).removesuffix(drawn_suffix)
        if stem == name:
            others.append(name)
            continue
        # Should the folder of the city be missing: stems start with the city.
        of_city = city or stem.partition("_")[0]
        frame = Frame(os.path.join(folder, city, name), split, of_city, stem)
        if frame.is_drawn:
            drawn[frame.key] = frame
        else:
            frames.append(frame)
    with_map = {frame.key for frame in frames}
    frames += [frame for key, frame in drawn.items() if key not in with_map]
    if not frames:
        raise UserError(folder, explain_no_maps(folder, dataset.annotation_type, others))
    frames.sort(key=lambda frame: frame.usual_name)
    return frames, others


def _has_photographs(dataset: Dataset, image_sets: tuple[str, ...]) -> bool:
    for split in SPLITS[dataset.annotation_type]:
        with suppress(UserError):
            frames, imageless, _ = list_frames(dataset, split, image_sets)
            if not only_usual_set(image_sets) or imageless < len(frames):
                return True
    return False


def _see_from(folder: Path, path: Path) -> str:
    """Return the name of a path as seen from a folder."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        # On Windows, no name leads from one drive to another.
        return f"/{path.as_posix()}"
