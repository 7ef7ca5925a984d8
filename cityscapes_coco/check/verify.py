"""A COCO file compared with the annotation files that it was made from; nothing is printed here."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from cityscapes_coco.check.boxes import compare_boxes
from cityscapes_coco.check.frame import FOREIGN, CheckedImage, Findings, compare_frame
from cityscapes_coco.check.records import About, Fault, Row, check_records, find_scope
from cityscapes_coco.cityscapes.dataset import Dataset, find_dataset, list_frames
from cityscapes_coco.cityscapes.frame import Frame, name_file
from cityscapes_coco.coco.panoptic import read_png
from cityscapes_coco.coco.reading import (
    group_by_image,
    read_coco,
    read_info,
    read_listed,
    read_options,
)
from cityscapes_coco.coco.records import CocoFile, Image, Info, PanopticFile
from cityscapes_coco.convert.sources import (
    find_candidates,
    infer_annotation_type,
    infer_map_name,
    list_all_frames,
)
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.options import ALL_SPLITS, BOX_TYPES, Options, StrPath
from cityscapes_coco.run.progress import show_progress
from cityscapes_coco.run.workers import Map

# The most culprits that are named for one kind of fault.
_NAMED = 3


@dataclass
class Tally:
    """What became of the instances of one row; `ious` is the sum over the inexact ones."""

    exact: int = 0
    inexact: int = 0
    ious: float = 0
    lost: int = 0
    unexpected: int = 0

    @property
    def in_maps(self) -> int:
        return self.exact + self.inexact + self.lost


@dataclass
class Report:
    """What the check found in so many `frames`, with so many `instances` in their maps.

    `boxes_only` says that the file has no masks, `with_opencv` that OpenCV fills its polygons.
    `faults` counts the faults of each kind, `culprits` has a line for each of the first few, and
    `about` says what each kind is about. `left_out` counts what the maps have and the file need not
    hold: classes it does not name, groups if it has none, and whatever is smaller than its
    `min_area`. `skipped` counts the frames that the file names as unreadable, `imageless` the
    frames without a photograph in the image sets of the file. Boxes have no maps: `kind` is what
    the annotation files of the frames are called.
    """

    path: Path
    boxes_only: bool
    with_opencv: bool
    rows: dict[Row, Tally]
    kind: str = "map"
    skipped: int = 0
    imageless: int = 0
    frames: int = 0
    instances: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    culprits: dict[str, list[str]] = field(default_factory=dict)
    about: dict[str, About] = field(default_factory=dict)

    @property
    def exit_code(self) -> Literal[0, 1, 3]:
        """1 if masks, boxes, areas or classes differ from the maps; else 3 if fields are missing
        or wrong; else 0."""
        return 1 if "masks" in self.about.values() else 3 if "fields" in self.about.values() else 0

    def add(self, findings: Findings) -> None:
        self.frames += findings.frames
        self.instances += findings.instances
        self.left_out.update(findings.left_out)
        for row, fate, iou in findings.outcomes:
            tally = self.rows.setdefault(row, Tally())
            setattr(tally, fate, getattr(tally, fate) + 1)
            tally.ious += iou if fate == "inexact" else 0
        for kind, culprit, about in findings.faults:
            self.faults[kind] += 1
            self.about[kind] = about
            if self.faults[kind] <= _NAMED:
                self.culprits.setdefault(kind, []).append(culprit)


def verify_file(
    path: StrPath, datadir: StrPath, *, imagedir: StrPath | None = None, run: Map = map
) -> Report:
    """Compare every annotation of the COCO file at `path` with the maps or boxes in `datadir`; in a
    panoptic file, every segment.

    `imagedir` is the folder of the photographs if `find_dataset` was given one. `run` does the
    work, frame by frame; it works like the builtin `map`. Raises UserError if the file cannot be
    read or none of its images has an annotation file.
    """
    path = Path(path)
    check = _Check(path, Path(datadir), imagedir)
    scope = find_scope(check.coco, check.options)
    missing = check.find_missing()
    rows = {row: Tally() for row in scope.rows}
    absent = len(missing.skipped), len(missing.imageless)
    report = Report(path, scope.boxes_only, scope.with_opencv, rows, check.kind, *absent)
    faults = [*check_records(check.coco, scope), *check.check_images(), *missing.faults]
    report.add(Findings(faults))
    images = check.list_images()
    # Checked as images without annotations: whatever is in their maps is lost.
    images += [CheckedImage(f.annotation_path, f.stem, Image(), (), "") for f in missing.empty]
    compare = compare_boxes if scope.annotation_type in BOX_TYPES else compare_frame
    compared = run(partial(compare, scope=scope), check.add_pngs(images))
    for findings in show_progress(compared, "verify", len(images)):
        report.add(findings)
    foreign = report.faults[FOREIGN]
    if not report.instances and report.frames and (foreign or check.splits != {"test"}):
        about: About = "masks" if foreign else "data"
        fault = Fault(f"{check.kind}s without any instance", "all", about)
        report.add(Findings([fault]))
    return report


class _Check:
    """A COCO file, and the frames in a data folder that it should have images of.

    `found` has, for each image of the file, the frames that it can show: one, if all is well.
    `frames` are all frames of the splits that the file is about; `claimed` counts the images of
    each frame, and `photographs` has the paths of its photographs, by its annotation file.
    """

    def __init__(self, path: Path, datadir: Path, imagedir: StrPath | None) -> None:
        self.path = path
        self.coco = read_coco(path)
        self.info = read_info(self.coco)
        self.options = read_options(self.coco)
        annotation_type = infer_annotation_type(self.coco)
        self.kind = name_file(annotation_type)
        types = {annotation_type, self.options.annotations}
        # Of a file of another tool, the options are not known, and the defaults are for maps.
        if len(types) > 1 and types & BOX_TYPES:
            self.options = Options(annotation_type, self.options.images)
        dataset = find_dataset(datadir, annotation_type, self.options.images, imagedir)
        frames = list_all_frames(dataset)
        self.suffix = dataset.map_suffix
        self.found = find_candidates(self.coco.images, frames, self.suffix)
        self.claimed = Counter(shown[0] for shown in self.found if len(shown) == 1)
        splits = {frame.split for frame in self.claimed}
        self.splits = splits or _find_empty_splits(self.coco, self.info, self.options)
        if not self.splits:
            expected = f"{annotation_type}/<split>/<city>/<frame>{self.suffix}"
            found = f"{len(self.found)} images in {path}"
            reason = f"has no {self.kind} of the {found}; expected {expected}"
            raise UserError(dataset.folder, reason)
        self.frames = [frame for frame in frames if frame.split in self.splits]
        self.photographs = _list_photographs(dataset, self.splits, self.options.images)

    def check_images(self) -> Iterator[Fault]:
        """Yield the images without exactly one map, and those that show another frame than the map
        they name."""
        for image, frames in zip(self.coco.images, self.found, strict=True):
            name = image.file_name or "an image"
            if not frames:
                culprit = f"{name}: no {infer_map_name(image, self.suffix)}"
                yield Fault(f"image without a {self.kind}", culprit)
            elif len(frames) > 1:
                paths = " or ".join(frame.annotation_path for frame in frames)
                yield Fault(f"image of several {self.kind}s", f"{name}: {paths}")
        by_photograph = [Image(file_name=image.file_name) for image in self.coco.images]
        shown = find_candidates(by_photograph, self.frames, self.suffix)
        for image, frames, others in zip(self.coco.images, self.found, shown, strict=True):
            if len(frames) == 1 and others and frames[0] not in others:
                culprit = f"{image.file_name}, the {self.kind} is {frames[0].annotation_name}"
                yield Fault("photograph of another frame", culprit)

    def find_missing(self) -> "_Missing":
        """Return the frames with too few images in the file.

        A frame should have an image for each of its photographs, so none without a photograph. If
        the file was made from a list of frames, it shows which frames were listed: their number has
        to be right.
        """
        listed = read_listed(self.coco)
        names = self.info.skipped if self.info else ()
        missing = _Missing([], [], [], [])
        for frame in self.frames:
            skipped = one_line(frame.annotation_name) in names
            if listed is not None and frame not in self.claimed and not skipped:
                continue
            photographs = self.photographs.get(frame.annotation_path, ())
            count, expected = self.claimed[frame], len(photographs)
            if not count and frame.annotation_path not in self.photographs:
                missing.imageless.append(frame)
            if not count and skipped:
                missing.skipped.append(frame)
            elif count and count < expected:
                culprit = f"{frame.annotation_path}: {count} of {expected}"
                missing.faults.append(Fault(f"{self.kind} without all its images", culprit))
            elif count < expected and self.options.empty_frames == "drop":
                missing.empty.append(frame)
            elif count < expected:
                kind = f"{self.kind} without an image"
                missing.faults.append(Fault(kind, frame.annotation_path))
        there = len(self.claimed) + len(missing.skipped)
        may_lack = self.options.empty_frames == "drop"
        if listed is not None and (there > listed or (there < listed and not may_lack)):
            culprit = f"{listed} in info, {there} in the file"
            missing.faults.append(Fault("frames of the list", culprit))
        return missing

    def list_images(self) -> list[CheckedImage]:
        """Return the images that show exactly one frame."""
        annotations = group_by_image(self.coco.annotations)
        images = []
        for image, frames in zip(self.coco.images, self.found, strict=True):
            if len(frames) == 1:
                [frame] = frames
                # The name may start at the data folder or further down.
                name = f"/{image.file_name or ''}".replace("\\", "/")
                paths = self.photographs.get(frame.annotation_path, ())
                photograph = next((path for path in paths if path.endswith(name)), "")
                records = image, annotations.get(image.id, [])
                images.append(CheckedImage(frame.annotation_path, frame.stem, *records, photograph))
        return images

    def add_pngs(self, images: Iterable[CheckedImage]) -> Iterator[CheckedImage]:
        """Yield the images, with their PNG files if the file is panoptic. These are read here: the
        machines of a cluster need not have the folder."""
        for checked in images:
            if isinstance(self.coco, PanopticFile):
                try:
                    checked = checked._replace(png=read_png(self.path, checked.image))
                except UserError as error:
                    checked = checked._replace(png=str(error))
            yield checked


class _Missing(NamedTuple):
    """Frames that have too few images in a file.

    `faults` has a fault for each frame that should have more. The others may have none: `skipped`
    are those that the file names as unreadable, `imageless` those without a photograph, and
    `empty` those that the file leaves out if they are empty, which is still to be checked.
    """

    faults: list[Fault]
    skipped: list[Frame]
    imageless: list[Frame]
    empty: list[Frame]


def _find_empty_splits(coco: CocoFile, info: Info | None, options: Options) -> set[str]:
    """Return the split of a file that has no images because it leaves out empty frames."""
    if coco.images or info is None or options.empty_frames == "keep":
        return set()
    return set(ALL_SPLITS) & {info.split}


def _list_photographs(
    dataset: Dataset, splits: Iterable[str], image_sets: tuple[str, ...]
) -> dict[str, list[str]]:
    """Return the paths of the photographs of each frame, by the path of its annotation file."""
    photographs = {}
    for split in splits:
        # Without any photograph there, no photograph can be missing.
        with suppress(UserError):
            for frame in list_frames(dataset, split, image_sets).frames:
                paths = [f"{dataset.root.as_posix()}/{name}" for name in frame.file_names]
                photographs[frame.annotation_path] = paths
    return photographs
