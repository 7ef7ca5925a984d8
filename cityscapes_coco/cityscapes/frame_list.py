"""A list of frames: a part of a split, as papers publish their labelled subsets."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from cityscapes_coco.cityscapes.dataset import Dataset, list_annotated_frames
from cityscapes_coco.cityscapes.frame import ChosenFrames, Frame
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.options import StrPath, list_names
from cityscapes_coco.run.files import read_file

# What stands between two names in a line.
_BETWEEN = re.compile(r"[\s,;]+")
# The names of five million frames.
_MOST_BYTES = 1 << 29


def choose_frames(dataset: Dataset, splits: Iterable[str], path: StrPath) -> Dataset:
    """Return the dataset with only those frames of `splits` that the file at `path` names.

    The file has a frame in each line: its name, or the name of a file of the frame, with or without
    folders. A line may name several files of one frame, such as the photograph and the map. Raises
    UserError if the file cannot be read, or for the first line that is no frame of the splits.
    """
    import hashlib  # where memory is short it prints a traceback, and few runs need it

    splits = list_names("splits", splits)
    content = read_file(path, _MOST_BYTES)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        reason = "is not a text file; write the name of a frame in each line"
        raise UserError(path, reason) from error
    frames = [frame for split in splits for frame in list_annotated_frames(dataset, split)]
    by_stem: dict[str, list[Frame]] = {}
    for frame in frames:
        by_stem.setdefault(frame.stem, []).append(frame)
    places = {*splits} | {frame.city for frame in frames}
    chosen: set[Frame] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = _find_frames(line.strip(), by_stem, places)
        if not found:
            wrong = f"line {number}: no frame of {' or '.join(splits)}: {one_line(line.strip())}"
            raise UserError(path, f"{wrong}; the names of frames are like {frames[0].stem}")
        chosen.update(found)
    if not chosen:
        raise UserError(path, "names no frame; write the name of one in each line")
    digest = hashlib.sha256(content).hexdigest()
    paths = frozenset(frame.annotation_path for frame in chosen)
    found_splits = frozenset(frame.split for frame in chosen)
    return replace(dataset, chosen=ChosenFrames(digest, paths, found_splits))


def _find_frames(
    line: str, by_stem: dict[str, list[Frame]], places: Collection[str]
) -> list[Frame]:
    """Return the frames that a line names: one, unless two of the splits have one of this name."""
    whole = _find_named(line, by_stem, places)
    # Blanks stand between two files of one frame, or belong to a folder.
    files = [part for part in _BETWEEN.split(line) if part]
    parts = [_find_named(part, by_stem, places) for part in files]
    for file, part in zip(files, parts, strict=True):
        is_folder = bool(whole) and "." not in file.replace("\\", "/").rpartition("/")[2]
        if not part and not is_folder:
            return whole if len(files) == 1 else []
    found = [part for part in [whole, *parts] if part]
    return found[0] if found and all(part == found[0] for part in found) else []


def _find_named(name: str, by_stem: dict[str, list[Frame]], places: Collection[str]) -> list[Frame]:
    *folders, name = name.replace("\\", "/").split("/")
    given = {*folders} & {*places}
    for stem in _cut_ends(name):
        if stem in by_stem and not _BETWEEN.search(name[len(stem) :]):
            return [f for f in by_stem[stem] if given <= {f.split, f.city}]
    return []


def _cut_ends(name: str) -> Iterator[str]:
    """Yield a name, and what remains without its last ends, such as _leftImg8bit.png."""
    while name:
        yield name
        name = name[: max(name.rfind("_"), name.rfind("."), 0)]
