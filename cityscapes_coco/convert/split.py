"""The pipeline: the frames of a split become one COCO file of instances, and panoptic files."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path

from msgspec import UNSET, structs

from cityscapes_coco.cityscapes.dataset import Dataset, list_frames
from cityscapes_coco.cityscapes.frame import Frame, only_usual_set
from cityscapes_coco.coco.panoptic import PanopticWriter, write_panoptic
from cityscapes_coco.coco.records import Image
from cityscapes_coco.coco.writing import write_coco
from cityscapes_coco.convert.annotate import FrameRecords, try_to_convert
from cityscapes_coco.convert.categories import list_categories
from cityscapes_coco.convert.info import LICENSES, make_info, warn_of_earlier
from cityscapes_coco.convert.job import Job
from cityscapes_coco.convert.names import check_names, instances_path, name_images, panoptic_path
from cityscapes_coco.convert.panoptic import add_frame, list_panoptic_categories
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.options import BOX_TYPES, Options, StrPath
from cityscapes_coco.run.folders import name_some
from cityscapes_coco.run.progress import show_progress
from cityscapes_coco.run.workers import Map

# Where foreign values come from, and what to do.
_ENCODINGS = (
    "likely train ids times 1000 (_instanceTrainIds.png), the tags of a simulator, class * 256 + n"
    " as in KITTI, maps resized with interpolation, or KITTI-360, which tells buildings apart; take"
    " the _instanceIds.png maps, write label id * 1000 + n, or give --unknown-labels void if all"
    " else is as in Cityscapes"
)
# Where unknown values come from, and what to do.
_TABLES = (
    "the maps are of another label table, such as ApolloScape's (33 is its car, 36 its person) or"
    " KITTI-360's (34 to 44), or 255 is their void; only if all other labels are as in"
    " Cityscapes, give --unknown-labels void"
)


@dataclass
class SplitSummary:
    """What the files of a split hold, and what was left out.

    `instances`, `groups` and `stuff` count the annotations by category, `left_out` the others by
    reason and class. `drawn` counts the frames drawn from their polygons, `imageless` those without
    a photograph that was asked for, `empty` the frames without an annotation that are left out.
    `skipped` names the annotation files that could not be read. `foreign` has the maps with values
    that Cityscapes' own tools never write, and these values; `unknown` has the maps with values of
    labels that Cityscapes does not have. `other_sizes` has a line for each photograph of another
    size than its annotation file says. `panoptic_path` is the panoptic JSON file, which has so many
    `segments`; None if there is none. `kind` is how messages call the annotation files: "map" or
    "box file".
    """

    path: Path
    categories: list[str]
    kind: str = "map"
    panoptic_path: Path | None = None
    images: int = 0
    instances: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    stuff: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    drawn: int = 0
    imageless: int = 0
    empty: int = 0
    skipped: list[str] = field(default_factory=list)
    foreign: dict[str, list[int]] = field(default_factory=dict)
    unknown: dict[str, list[int]] = field(default_factory=dict)
    other_sizes: list[str] = field(default_factory=list)
    segments: int = 0

    @property
    def paths(self) -> list[Path]:
        return [self.path] if self.panoptic_path is None else [self.path, self.panoptic_path]


def convert_split(
    dataset: Dataset,
    split: str,
    outdir: StrPath,
    options: Options = Options(),  # noqa: B008  (frozen)
    *,
    warn: Callable[[str], object] = warnings.warn,
    run: Map = map,
) -> SplitSummary:
    """Write `instancesonly_filtered_<annotation type>_<split>.json` into `outdir`, and, if the
    options ask for it, `cityscapes_panoptic_<split>.json` with its folder of PNG files.

    If the image sets are not the usual one, their names are added. `run` does the work, frame by
    frame, and has the meaning of the builtin `map`; the files are the same for every `run`. `warn`
    is called with one line for each annotation file that cannot be read and for each other warning.
    If `options.skip_bad` is not set, the first of these lines says that the split will not be
    written.

    Raises ValueError if an option means nothing for the dataset's annotations, such as masks of
    boxes. Raises UserError, and writes no file, if there is nothing to convert, if a file cannot be
    written, or, after every frame has been tried, if some maps cannot be read and
    `options.skip_bad` is not set.
    """
    job = Job(dataset, split, Path(outdir), options.of(dataset.annotation_type), warn)
    frames, imageless = _list_frames(job)
    with ExitStack() as files:
        writer = _SplitWriter(job, files)
        convert = partial(try_to_convert, options=job.options, root=dataset.root)
        results = show_progress(run(convert, frames), split, len(frames))
        for frame, records in zip(frames, results, strict=True):
            if isinstance(records, UserError):
                writer.skip(frame, records)
            else:
                writer.add(frame, records)
        return writer.finish(imageless)


class _SplitWriter:
    """The files of a split that are being written: `add` or `skip` the frames in order, then
    `finish`.

    Ids are handed out here and nowhere else. The files are put in place when `files` is closed; an
    error leaves earlier files as they were.
    """

    def __init__(self, job: Job, files: ExitStack) -> None:
        self._job = job
        self._frames = 0
        self._has_instances = False
        self._annotation_ids = count(1)
        self._categories = list_categories(job.options)
        self._names = {category.id: str(category.name) for category in self._categories}
        path = instances_path(job)
        stuff = Counter({c.name: 0 for c in job.options.parsed_categories if c.is_stuff})
        self._summary = SplitSummary(path, list(self._names.values()), job.kind, stuff=stuff)
        self._info = make_info(job, "instances")
        warn_of_earlier(job, path, self._info)
        self._file = files.enter_context(write_coco(path))
        self._panoptic: PanopticWriter | None = None
        if job.options.panoptic != "none":
            path = panoptic_path(job)
            self._summary.panoptic_path = path
            self._panoptic_info = make_info(job, "panoptic")
            warn_of_earlier(job, path, self._panoptic_info)
            self._panoptic = files.enter_context(write_panoptic(path))

    def skip(self, frame: Frame, error: UserError) -> None:
        """Leave out a frame whose annotation file cannot be read."""
        self._frames += 1
        first = not self._summary.skipped
        self._summary.skipped.append(one_line(frame.annotation_name))
        lost = first and not self._job.options.skip_bad
        self._job.warn(f"{error}{f'; {self._job.split} will not be written' if lost else ''}")

    def add(self, frame: Frame, records: FrameRecords) -> None:
        """Write the images of a frame with all that is on them, and count it."""
        self._frames += 1
        self._has_instances |= records.has_instances
        self._summary.drawn += frame.is_drawn
        self._summary.other_sizes += records.other_sizes
        if records.foreign:
            self._summary.foreign[one_line(frame.annotation_name)] = records.foreign
        if records.unknown:
            self._summary.unknown[one_line(frame.annotation_name)] = records.unknown
        file_names = name_images(self._job, frame)
        self._add_instances(frame, file_names, records)
        if self._panoptic and records.panoptic:
            add_frame(self._panoptic, frame, file_names, records.panoptic)
            self._summary.segments += len(file_names) * len(records.panoptic.segments)

    def finish(self, imageless: int) -> SplitSummary:
        """Complete the files and return the summary; `imageless` frames were left out before.

        Raises UserError if maps cannot be read and are not to be skipped, or if the maps are in
        another encoding.
        """
        self._check_skipped()
        self._check_maps()
        job, summary = self._job, self._summary
        summary.imageless = imageless
        if not summary.images:
            job.warn(
                f"{summary.path}: holds no image, as --empty-frames drop leaves out all frames of"
                f" {job.split}"
            )
        found = {
            "skipped": summary.skipped,
            "drawn": summary.drawn or UNSET,
            "foreign": list(summary.foreign) or UNSET,
            "unknown": list(summary.unknown) or UNSET,
        }
        self._file.finish(structs.replace(self._info, **found), LICENSES, self._categories)
        if self._panoptic:
            categories = list_panoptic_categories(job.options.panoptic)
            info = structs.replace(self._panoptic_info, **found)
            self._panoptic.finish(info, LICENSES, categories)
        return summary

    def _add_instances(
        self, frame: Frame, file_names: Sequence[str], records: FrameRecords
    ) -> None:
        summary = self._summary
        if not records.annotations and self._job.options.empty_frames == "drop":
            summary.empty += 1
            summary.left_out.update(records.left_out)
            return
        for file_name in file_names:
            summary.images += 1
            summary.left_out.update(records.left_out)
            for annotation in records.annotations:
                annotation.id, annotation.image_id = next(self._annotation_ids), summary.images
                name = self._names[annotation.category_id]
                counts = summary.groups if annotation.iscrowd else summary.instances
                (summary.stuff if name in summary.stuff else counts)[name] += 1
            size, classes = (records.width, records.height), records.soft_label_classes
            image = Image(summary.images, file_name, frame.annotation_name, *size, classes)
            self._file.add(image, records.annotations)

    def _check_skipped(self) -> None:
        """Raise UserError if maps cannot be read, unless they may be skipped and others remain."""
        job = self._job
        skipped, may_skip = len(self._summary.skipped), job.options.skip_bad
        if skipped and not (may_skip and skipped < self._frames):
            remedy = "mend them" if may_skip else "mend them, or give --skip-bad"
            raise UserError(
                job.maps,
                f"{skipped} of {self._frames} {job.kind}s cannot be read, so no file is written;"
                f" {remedy}",
            )

    def _check_maps(self) -> None:
        """Raise UserError if no map has an instance but some have foreign values; warn of what else
        is strange."""
        job, summary = self._job, self._summary
        is_error = job.options.unknown_labels == "error"
        if summary.unknown and is_error:
            raise UserError(
                job.maps,
                f"labels that Cityscapes does not have, in {len(summary.unknown)} of"
                f" {self._frames} maps ({_name_values(summary.unknown)}), such as"
                f" {', '.join(list(summary.unknown)[:3])}, so no file is written; {_TABLES}",
            )
        if summary.foreign and is_error:
            found = (
                f"maps with values that Cityscapes never writes: {len(summary.foreign)}"
                f" ({_name_values(summary.foreign)})"
            )
            if not self._has_instances:
                raise UserError(job.maps, f"no map has an instance; {found}; {_ENCODINGS}")
            names = ", ".join(list(summary.foreign)[:3])
            job.warn(f"{job.maps}: {found}, such as {names}; {_ENCODINGS}")
        elif not self._has_instances and job.split != "test":
            line = "no map has an instance of any class; are these the instanceIds maps?"
            if job.options.annotations in BOX_TYPES:
                line = "no box file has an object of any class"
            job.warn(f"{job.maps}: {line}")
        if summary.other_sizes:
            job.warn(
                f"{job.maps}: photographs of another size than their {job.kind}:"
                f" {len(summary.other_sizes)}, such as {', '.join(summary.other_sizes[:3])}"
            )


def _name_values(found: Mapping[str, Iterable[int]]) -> str:
    return name_some(sorted({*chain.from_iterable(found.values())}))


def _list_frames(job: Job) -> tuple[tuple[Frame, ...], int]:
    """Return the frames to convert, and how many were left out for want of a photograph.

    Raises UserError if there is nothing to convert, or if names are there twice.
    """
    dataset, images = job.dataset, job.options.images
    frames, imageless, strange = list_frames(dataset, job.split, images)
    for line in strange:
        job.warn(line)
    check_names(job, frames)
    maps = Counter(frame.annotation_name for frame in frames)
    if twice := [name for name, times in maps.items() if times > 1]:
        job.warn(
            f"{dataset.folder}, {job.split}: frames in several folders, all of them converted:"
            f" {len(twice)}, such as {twice[0]}"
        )
    return frames, 0 if only_usual_set(images) else imageless
