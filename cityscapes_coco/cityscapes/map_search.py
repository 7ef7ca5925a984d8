"""Where the folder of the maps is, and the data folder around it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from cityscapes_coco.cityscapes.frame import USUAL_SET, annotation_suffix, polygons_suffix
from cityscapes_coco.cityscapes.not_found import explain_no_folder
from cityscapes_coco.cityscapes.split_folders import (
    choose_split_folder,
    list_split_files,
    list_split_folders,
)
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import SPLITS, AnnotationType
from cityscapes_coco.run.folders import is_folder, is_junk, name_entries


def find_folders(datadir: Path, annotation_type: AnnotationType) -> tuple[Path, Path]:
    """Return the data folder and the folder of the maps, in or around `datadir`. Raises UserError
    if there is no folder of maps, or if there are several to choose from."""
    maps = _find_maps(datadir, annotation_type)
    # The folders of the splits may also be in `datadir` itself, whatever its name is.
    if maps == datadir / annotation_type or (maps == datadir and maps.name != annotation_type):
        return datadir, maps
    parent = maps.parent if maps.parent.name else maps.parent.absolute()
    # The parent may be nothing but the folder that the archive was unpacked into.
    is_archive = parent.name.startswith(annotation_type) and not (parent / USUAL_SET).is_dir()
    return parent.parent if is_archive else parent, maps


def _find_maps(datadir: Path, annotation_type: AnnotationType) -> Path:
    """Return the folder of the maps, which has a folder for each split; see `find_folders`."""
    for candidates in _list_candidates(datadir, annotation_type):
        # Several splits, and several links, may lead to one folder.
        found = {path.resolve(): path for path in candidates}
        if len(found) > 1:
            folders = ", ".join(str(path) for path in sorted(found.values()))
            reason = f"several folders {annotation_type} could be meant: {folders}"
            raise UserError(datadir, f"{reason}; use --datadir with one of them")
        for path in found.values():
            return path
    raise UserError(
        datadir,
        f"no {annotation_type} folder in it; found {name_entries(datadir)}; nor is there one a"
        f" level above or two below{explain_no_folder(datadir, annotation_type)}",
    )


def _list_candidates(datadir: Path, annotation_type: AnnotationType) -> Iterator[Iterable[Path]]:
    """Yield the folders that may be the folder of the maps, the likeliest first. The folders that
    are yielded together are equally likely."""
    splits = SPLITS[annotation_type]
    for named in _list_by_name(datadir, annotation_type):
        yield [path for path in named if any(is_folder(path / split) for split in splits)]
    yield _list_by_files(datadir, annotation_type)
    # A folder without any split is the last choice: the error then says which splits are missing.
    for named in _list_by_name(datadir, annotation_type):
        yield filter(is_folder, named)


def _list_by_name(datadir: Path, annotation_type: AnnotationType) -> Iterator[list[Path]]:
    """Yield where a folder named like the maps may be: inside, itself, below, and above."""
    yield [datadir / annotation_type]
    # As a path may be a link, or end in dots, it has several names.
    selves = (datadir.resolve(), datadir.absolute(), datadir)
    yield [path for path in selves if path.name == annotation_type]
    patterns = f"*/{annotation_type}", f"*/{annotation_type}*/{annotation_type}"
    below = [path for pattern in patterns for path in datadir.glob(pattern)]
    for paths in below, datadir.glob(f"*/*/{annotation_type}"):
        yield [path for path in paths if not any(map(is_junk, path.relative_to(datadir).parts))]
    above = []
    for path in selves[:2]:
        inside = path.parent.name.startswith((annotation_type, USUAL_SET))
        top = path.parent.parent if inside else path.parent
        above += [top / annotation_type, *top.glob(f"{annotation_type}*/{annotation_type}")]
    yield above


def _list_by_files(datadir: Path, annotation_type: AnnotationType) -> list[Path]:
    """Return the folders of any name that have maps in the folder of a split."""
    suffixes = annotation_suffix(annotation_type), polygons_suffix(annotation_type)
    found = []
    for split in SPLITS[annotation_type]:
        for parts in list_split_folders(datadir, split):
            maps = datadir.joinpath(*parts[:-1])
            with suppress(UserError):
                files = list_split_files(choose_split_folder(maps, split, annotation_type))
                # A folder of something else may be huge, and one city is enough to know.
                if any(name.endswith(suffixes) for _, name in islice(files, 1000)):
                    found.append(maps)
    return found
