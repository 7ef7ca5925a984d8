"""The pipeline: the frames of a split become instances, annotations, and one COCO file.

Ids are handed out here and nowhere else.
"""

import json
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import UNSET
from tqdm import tqdm

from cityscapes_coco.cityscapes.dataset import Dataset, list_frames
from cityscapes_coco.cityscapes.frame import USUAL_SET, Frame, only_usual_set
from cityscapes_coco.coco.panoptic import write_panoptic
from cityscapes_coco.coco.reading import peek_options
from cityscapes_coco.coco.records import PREFIX, Category, Id, Image, Info
from cityscapes_coco.coco.writing import CocoWriter, write_coco
from cityscapes_coco.convert.annotate import FrameRecords, _try_to_convert
from cityscapes_coco.convert.categories import list_categories
from cityscapes_coco.convert.panoptic import (
    add_frame,
    check_image_ids,
    list_panoptic_categories,
    name_panoptic,
)
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.labels import LABELS
from cityscapes_coco.options import FileNames, Options
from cityscapes_coco.run.workers import Map
from cityscapes_coco.version import __version__

# Where foreign values come from, and what to do.
ENCODINGS = (
    "likely train ids times 1000 (_instanceTrainIds.png), the tags of a simulator, class * 256 + n"
    " as in KITTI, or maps resized with interpolation; take the _instanceIds.png maps, or write"
    " label id * 1000 + n"
)


@dataclass
class SplitSummary:
    """What the files of a split hold, and what was left out.

    `instances` and `groups` count the annotations by category, `left_out` the others by reason and
    class; `imageless` counts the frames without a photograph that was asked for, `empty` those left
    out as they have no annotation; `skipped` names the maps that could not be read. `foreign` has
    the maps with values that Cityscapes' own tools never write, and the values; `other_sizes` a
    line for each photograph of another size than its map. `panoptic_path` is the panoptic JSON file
    if there is one, which has so many `segments`.
    """

    path: Path
    categories: list[str]
    panoptic_path: Path | None = None
    images: int = 0
    instances: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    imageless: int = 0
    empty: int = 0
    skipped: list[str] = field(default_factory=list)
    foreign: dict[str, list[int]] = field(default_factory=dict)
    other_sizes: list[str] = field(default_factory=list)
    segments: int = 0

    @property
    def paths(self) -> list[Path]:
        return [self.path] if self.panoptic_path is None else [self.path, self.panoptic_path]


def convert_split(
    dataset: Dataset,
    split: str,
    outdir: Path,
    options: Options = Options(),  # noqa: B008  (frozen)
    *,
    warn: Callable[[str], object] = warnings.warn,
    run: Map = map,
) -> SplitSummary:
    """Write `instancesonly_filtered_<type of the maps>_<split>.json` into `outdir`, and, if the
    options ask for it, `cityscapes_panoptic_<split>.json` with its folder of PNG files.

    Of other image sets than the usual one, the names are added. `run` does the work, frame by
    frame, with the meaning of the builtin `map`; the files are the same for every `run`. `warn` is
    called with one line for each map that cannot be read and for each other warning.

    Raises UserError, and writes no file, if there is nothing to convert, if a file cannot be
    written, or, when every frame has been tried, if some maps cannot be read and `options.skip_bad`
    is not set.
    """
    frames, imageless = _list_frames(dataset, split, options, warn)
    ending = _name_ending(split, options.images)
    path = outdir / f"{PREFIX}{dataset.map_type}_{ending}.json"
    categories = list_categories(options.parsed_categories, options.category_ids)
    names: dict[Id, str] = {category.id: str(category.name) for category in categories}
    made_with = _record_options(dataset, options)
    _warn_of_earlier(path, made_with, warn)
    summary = SplitSummary(path, list(names.values()), imageless=imageless)
    convert = partial(
        _try_to_convert,
        options=options,
        category_ids=_by_label(options, categories),
        root=dataset.root,
    )
    results = tqdm(run(convert, frames), split, len(frames), unit="frame", disable=None)
    annotation_ids = count(1)
    has_instances = False
    panoptic = _also_panoptic(dataset, split, outdir, options, summary, warn)
    with write_coco(path) as file, panoptic as add_panoptic:
        for frame, records in zip(frames, results, strict=True):
            if isinstance(records, UserError):
                warn(str(records))
                summary.skipped.append(one_line(frame.map_name))
                continue
            has_instances |= records.has_instances
            _add_frame(file, frame, records, options, annotation_ids, names, summary)
            add_panoptic(frame, records)
        _check_skipped(dataset, split, len(frames), options, summary)
        _check_maps(dataset, split, has_instances, summary, warn)
        if not summary.images:
            warn(f"{path}: holds no image, as --empty-frames drop leaves out all frames of {split}")
        file.finish(_describe(dataset, split, "instances", made_with, summary), categories)
    return summary


@contextmanager
def _also_panoptic(
    dataset: Dataset,
    split: str,
    outdir: Path,
    options: Options,
    summary: SplitSummary,
    warn: Callable[[str], object],
) -> Iterator[Callable[[Frame, FrameRecords], None]]:
    """Give a function that adds a frame to the panoptic files of a split, if there are to be any;
    they are finished when the context is left."""
    if options.panoptic == "none":
        yield lambda frame, records: None
        return
    name = name_panoptic(dataset, _name_ending(split, options.images), options.panoptic)
    summary.panoptic_path = outdir / f"{name}.json"
    made_with = _record_panoptic_options(dataset, options)
    _warn_of_earlier(summary.panoptic_path, made_with, warn)
    with write_panoptic(summary.panoptic_path) as file:

        def add(frame: Frame, records: FrameRecords) -> None:
            if records.panoptic:
                names = [_shorten(name, split, options.file_names) for name in frame.file_names]
                add_frame(file, frame, names, records.panoptic)
                summary.segments += len(names) * len(records.panoptic.segments)

        yield add
        info = _describe(dataset, split, "panoptic", made_with, summary)
        file.finish(info, list_panoptic_categories(options.panoptic))


def _add_frame(
    file: CocoWriter,
    frame: Frame,
    records: FrameRecords,
    options: Options,
    annotation_ids: Iterator[int],
    names: Mapping[Id, str],
    summary: SplitSummary,
) -> None:
    """Write the images of one frame with their annotations, hand out the ids, and count them.

    `names` are those of the categories, by id.
    """
    summary.other_sizes += records.other_sizes
    if records.foreign:
        summary.foreign[one_line(frame.map_name)] = records.foreign
    if not records.annotations and options.empty_frames == "drop":
        summary.empty += 1
        summary.left_out.update(records.left_out)
        return
    for file_name in frame.file_names:
        summary.images += 1
        for annotation in records.annotations:
            annotation.id, annotation.image_id = next(annotation_ids), summary.images
            counts = summary.groups if annotation.iscrowd else summary.instances
            counts[names[annotation.category_id]] += 1
        summary.left_out.update(records.left_out)
        name = _shorten(file_name, frame.split, options.file_names)
        size = records.width, records.height
        file.add(Image(summary.images, name, frame.map_name, *size), records.annotations)


def find_lack(version: str, folders: Iterable[Path]) -> str:
    """Return what this process lacks to convert or check maps in some folders as the `version` of
    the package does, and the remedy; or ""."""
    if version != __version__:
        return (
            f"has version {__version__} of cityscapes_coco, not {version}: pip install ., and start"
            " the worker again"
        )
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            return (
                f"cannot read the folder {folder}; every worker needs the data under the same,"
                " absolute path"
            )
    return ""


def _list_frames(
    dataset: Dataset, split: str, options: Options, warn: Callable[[str], object]
) -> tuple[tuple[Frame, ...], int]:
    """Return the frames to convert, and how many are left out for want of a photograph.

    Raises UserError if two images would have one name.
    """
    frames, imageless, strange = list_frames(dataset, split, options.images)
    for line in strange:
        warn(line)
    kind = options.file_names
    names = Counter(_shorten(name, split, kind) for frame in frames for name in frame.file_names)
    [(name, times)] = names.most_common(1)
    if times > 1:
        remedy = "take --file-names datadir"
        if kind == "datadir":
            remedy = "the maps of this frame are in several folders; keep one"
        raise UserError(
            dataset.folder, f"--file-names {kind} gives {times} images the name {name}; {remedy}"
        )
    if options.panoptic != "none":
        check_image_ids(dataset, frames)
    maps = Counter(frame.map_name for frame in frames)
    [(name, times)] = maps.most_common(1)
    if times > 1:
        twice = sum(number > 1 for number in maps.values())
        warn(
            f"{dataset.folder}, {split}: frames in several folders, all of them converted: {twice},"
            f" such as {name}"
        )
    return frames, 0 if only_usual_set(options.images) else imageless


def _check_skipped(
    dataset: Dataset, split: str, frames: int, options: Options, summary: SplitSummary
) -> None:
    """Refuse a split of which maps cannot be read, unless the user wants the others."""
    if summary.skipped and not (options.skip_bad and len(summary.skipped) < frames):
        remedy = "mend them" if options.skip_bad else "mend them, or give --skip-bad"
        raise UserError(
            dataset.maps / split,
            f"{len(summary.skipped)} of {frames} maps cannot be read, so no file is written;"
            f" {remedy}",
        )


def _check_maps(
    dataset: Dataset,
    split: str,
    has_instances: bool,
    summary: SplitSummary,
    warn: Callable[[str], object],
) -> None:
    """Refuse maps of another encoding, and warn of what is strange about the maps of a split."""
    where = dataset.maps / split
    if summary.foreign:
        values = sorted({value for values in summary.foreign.values() for value in values})
        found = f"maps with values that Cityscapes never writes: {len(summary.foreign)} ("
        found += f"{', '.join(map(str, values[:4]))}{', ...' if len(values) > 4 else ''})"
        if not has_instances:
            raise UserError(where, f"no map has an instance; {found}; {ENCODINGS}")
        names = ", ".join(list(summary.foreign)[:3])
        warn(f"{where}: {found}, such as {names}; {ENCODINGS}")
    elif not has_instances and split != "test":
        warn(f"{where}: no map has an instance of any class; are these the instanceIds maps?")
    if summary.other_sizes:
        warn(
            f"{where}: photographs of another size than their map: {len(summary.other_sizes)}, such"
            f" as {', '.join(summary.other_sizes[:3])}"
        )


def _record_options(dataset: Dataset, options: Options) -> dict[str, Any]:
    """Return the options as a file of instances tells them."""
    recorded = {
        "annotations": dataset.map_type,
        "imagedir": dataset.imagedir_name,
        **asdict(options),
        "categories": [str(category) for category in options.parsed_categories],
    }
    del recorded["panoptic"]
    return recorded


def _record_panoptic_options(dataset: Dataset, options: Options) -> dict[str, Any]:
    """Return the options that bear on panoptic files: the others are about instances."""
    return {
        "annotations": dataset.map_type,
        "imagedir": dataset.imagedir_name,
        "images": options.images,
        "file_names": options.file_names,
        "panoptic": options.panoptic,
        "skip_bad": options.skip_bad,
    }


def _describe(
    dataset: Dataset, split: str, what: str, made_with: dict[str, Any], summary: SplitSummary
) -> Info:
    return Info(
        description=f"Cityscapes {dataset.map_type} {split}, {what}",
        url="https://www.cityscapes-dataset.com",
        contributor="cityscapes-coco",
        version=__version__,
        options=made_with,
        skipped=summary.skipped,
        foreign=list(summary.foreign) or UNSET,
    )


def _warn_of_earlier(
    path: Path, made_with: Mapping[str, Any], warn: Callable[[str], object]
) -> None:
    """Warn if the file that is at `path` already was made otherwise than with these options."""
    earlier = peek_options(path)
    if earlier is None:
        if path.is_file() and os.access(path, os.R_OK):
            warn(f"{path}: will be overwritten; it was made by another program")
        return
    # What JSON makes of the options.
    options = json.loads(json.dumps(made_with))
    # An option that the earlier program did not have is passed over; no map is skipped in vain.
    differing = [
        f"{name} {json.dumps(value)}"
        for name, value in earlier.items()
        if value != options.get(name, value) and name != "skip_bad"
    ]
    if differing:
        told = ", ".join(differing)
        warn(f"{path}: will be overwritten; it was made with other options: {told}")


def _by_label(options: Options, categories: Sequence[Category]) -> dict[int, int]:
    """Return the category id of each label id."""
    labels = {label.name: label.id for label in LABELS}
    return {
        labels[name]: int(category.id or 0)
        for chosen, category in zip(options.parsed_categories, categories, strict=True)
        for name in chosen.classes
    }


def _name_ending(split: str, image_sets: Sequence[str]) -> str:
    """Return how the names of a split's files end; of names of sets and patterns, what is plain
    text."""
    if only_usual_set(image_sets):
        return split
    ends = (image_set.removeprefix(f"{USUAL_SET}_") for image_set in image_sets)
    plain = (re.sub(r"\[[^]]*\]|[^\w.-]", "", end, flags=re.ASCII).strip("_") for end in ends)
    return f"{split}_{'+'.join(dict.fromkeys(end or 'all' for end in plain))}"


def _shorten(file_name: str, split: str, kind: FileNames) -> str:
    """Return a name as it is seen from where it starts or from further down: from the folder of the
    split, or, where no folder is called so, from the photograph's own folder."""
    if kind == "datadir":
        return file_name
    _, found, below = f"/{file_name}".rpartition(f"/{split}/")
    return below if kind == "split" and found else file_name.rpartition("/")[2]
