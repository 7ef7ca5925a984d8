"""The pipeline: the frames of a split become instances, records, and one COCO file."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import cv2
from tqdm import tqdm

from cityscapes_coco import __version__
from cityscapes_coco.coco import (
    Image,
    encode_annotation,
    list_categories,
    number_annotation,
    write_coco,
)
from cityscapes_coco.dataset import Dataset, Frame, list_frames
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.instances import Instance, find_instances, read_id_map
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.segmentation import (
    contours_like_original,
    encode_polygons,
    encode_rle,
    to_polygons,
    to_rles,
)

# Frames that travel to an executor together: enough to make the journey cheap, few enough that all
# workers finish at about the same time.
_CHUNK = 4
_CHUNKS_PER_WORKER = 4

_NAMES = {label.id: label.name for label in LABELS}


@dataclass(frozen=True)
class Options:
    """What becomes of each frame, and what goes into a file.

    `images` are the names of sets of photographs, or patterns of them; `categories` are names in
    any order. The others have the values and the meaning that the command line gives them, and
    `segmentation` is "original" for contours as the original script has them.
    """

    images: tuple[str, ...] = ("leftImg8bit",)
    categories: tuple[str, ...] = category_instancesonly
    segmentation: str = "polygon"
    crowd: str = "drop"
    min_area: int = 0
    category_ids: str = "one"
    file_names: str = "datadir"
    skip_bad: bool = False


@dataclass(frozen=True)
class FrameRecords:
    """What one frame adds to a file; `width` and `height` are the map's, in pixels.

    The annotations are encoded, and in the order of their instance ids. `instances` counts them by
    class, `crowds` those that are groups, and `left_out` the others, by reason and class.
    """

    width: int
    height: int
    annotations: list[bytes]
    instances: Counter[str]
    crowds: Counter[str]
    left_out: Counter[tuple[str, str]]


@dataclass
class SplitSummary:
    """What a file holds, and what it leaves out.

    `instances` and `crowds` count by class, `left_out` by reason and class; `imageless` counts the
    frames without a photograph that was asked for; `skipped` names the maps that could not be read.
    """

    path: Path
    images: int = 0
    instances: Counter[str] = field(default_factory=Counter)
    crowds: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    imageless: int = 0
    skipped: list[str] = field(default_factory=list)


def convert_split(
    dataset: Dataset,
    split: str,
    outdir: Path,
    options: Options,
    report: Callable[[str], None],
    executor: Executor | None = None,
    workers: int = 1,
) -> SplitSummary:
    """Write `instancesonly_filtered_<annotations>_<split>.json` into `outdir`.

    If other images than the usual ones are asked for, the name ends with their sets. The frames are
    converted in this process, or by an `executor` that does `workers` things at once; the file is
    the same. `report` is called with one line for each map that cannot be read and for each
    warning. Raises DatasetError if there is nothing to convert, if the file cannot be written, or,
    when every frame has been tried, if some cannot be read and `options.skip_bad` is not set. Then
    no file is written.
    """
    layout = dataset.layout
    frames, mapless, imageless = list_frames(dataset, split, options.images)
    where = f"{dataset.folder}, {split}"
    if mapless:
        report(f"{where}: images that have no map, so left out: {mapless}")
    usual = layout.is_usual(options.images)
    if imageless:
        consequence = "(converted all the same)" if usual else "(left out)"
        report(f"{where}: maps whose image is not here: {imageless} {consequence}")

    name = f"instancesonly_filtered_{layout.annotations}_{split}"
    if not usual:
        name += f"_{_name_images(options.images, layout.images)}"
    categories = list_categories(options.categories, options.category_ids)
    summary = SplitSummary(outdir / f"{name}.json", imageless=0 if usual else imageless)
    info = {
        "description": f"Cityscapes {layout.annotations} {split}, instances",
        "url": "https://www.cityscapes-dataset.com",
        "contributor": "cityscapes-coco",
        "version": __version__,
        "options": {
            "annotations": layout.annotations,
            **asdict(options),
            "categories": [category["name"] for category in categories],
        },
        "skipped": summary.skipped,
    }
    results = tqdm(
        _convert_in_order(frames, options, executor, workers),
        total=len(frames),
        desc=split,
        unit="frame",
        disable=None,
    )
    root = dataset.annotations / split
    numbered = _number(results, root, options, summary, report)
    write_coco(summary.path, info, categories, numbered)
    return summary


def _name_images(images: Iterable[str], usual: str) -> str:
    """Return what sets or patterns of images add to a file's name: what is plain text in them."""
    names = (
        re.sub(r"\[[^]]*\]|[^\w.-]", "", name.removeprefix(f"{usual}_"), flags=re.ASCII).strip("_")
        for name in images
    )
    return "+".join(dict.fromkeys(name or "all" for name in names))


def _convert_in_order(
    frames: Sequence[Frame], options: Options, executor: Executor | None, workers: int
) -> Iterator[tuple[Frame, FrameRecords | DatasetError]]:
    """Yield each frame with its records, or with what is wrong with it, in the given order."""
    if executor is None:
        for frame in frames:
            yield frame, _try_to_convert([frame], options)[0]
        return
    chunks = (frames[start : start + _CHUNK] for start in range(0, len(frames), _CHUNK))
    pending: deque[tuple[Sequence[Frame], Future[list[FrameRecords | DatasetError]]]] = deque()
    while True:
        # Enough to keep every worker busy, but no more: results must not pile up.
        for chunk in islice(chunks, _CHUNKS_PER_WORKER * workers - len(pending)):
            pending.append((chunk, executor.submit(_try_to_convert, chunk, options)))
        if not pending:
            return
        chunk, future = pending.popleft()
        yield from zip(chunk, future.result(), strict=True)


def _try_to_convert(frames: Sequence[Frame], options: Options) -> list[FrameRecords | DatasetError]:
    results: list[FrameRecords | DatasetError] = []
    for frame in frames:
        try:
            results.append(convert_frame(frame, options))
        except DatasetError as error:
            results.append(error)
        except cv2.error as error:
            # A map that was read leaves OpenCV nothing to object to, but it may want for memory.
            raise MemoryError(frame.map_path) from error
    return results


def convert_frame(frame: Frame, options: Options) -> FrameRecords:
    """Return the records of one frame. Raises DatasetError if its map cannot be read."""
    try:
        "".join(frame.file_names).encode()
    except UnicodeEncodeError as error:
        # JSON could hold it, but few readers of JSON would take it.
        raise DatasetError(frame.map_path, "its name is not valid UTF-8; rename it") from error
    id_map = read_id_map(frame.map_path)
    try:
        instances = find_instances(id_map)
    except ValueError as error:
        raise DatasetError(frame.map_path, str(error)) from error
    height, width = id_map.shape
    records = FrameRecords(width, height, [], Counter(), Counter(), Counter())
    category_ids = {
        category["name"]: category["id"]
        for category in list_categories(options.categories, options.category_ids)
    }
    chosen = []
    for instance in instances:
        reason = _reason_to_leave_out(instance, options)
        if reason:
            records.left_out[reason, _NAMES[instance.label_id]] += 1
        else:
            chosen.append(instance)
    segmentations = _segment(chosen, height, width, options.segmentation)
    for instance in chosen:
        name = _NAMES[instance.label_id]
        if instance.id not in segmentations:
            records.left_out["a contour of two points or fewer", name] += 1
            continue
        segmentation = segmentations[instance.id]
        records.annotations.append(encode_annotation(category_ids[name], instance, segmentation))
        (records.crowds if instance.is_crowd else records.instances)[name] += 1
    return records


def _reason_to_leave_out(instance: Instance, options: Options) -> str:
    if _NAMES[instance.label_id] not in options.categories:
        return "classes not asked for"
    if instance.is_crowd and options.crowd == "drop":
        return "groups"
    if instance.area < options.min_area:
        return f"smaller than {options.min_area} pixels"
    return ""


def _segment(
    instances: Sequence[Instance], height: int, width: int, kind: str
) -> dict[int, bytes | None]:
    """Return the segmentation of each instance, as JSON, by its id; None for boxes only.

    The original script's kind drops some instances: these are missing.
    """
    if kind == "none":
        return {instance.id: None for instance in instances}
    as_rle = [instance for instance in instances if kind == "rle" or instance.is_crowd]
    as_polygons = [instance for instance in instances if kind != "rle" and not instance.is_crowd]
    segmentations: dict[int, bytes | None] = {}
    rles = to_rles(((instance.mask, *instance.bbox[:2]) for instance in as_rle), height, width)
    for instance, rle in zip(as_rle, rles, strict=True):
        segmentations[instance.id] = encode_rle(rle)
    outline = contours_like_original if kind == "original" else to_polygons
    outlines = outline((instance.mask, *instance.bbox[:2]) for instance in as_polygons)
    for instance, polygons in zip(as_polygons, outlines, strict=True):
        if polygons:
            segmentations[instance.id] = encode_polygons(polygons, height, width)
    return segmentations


def _number(
    results: Iterable[tuple[Frame, FrameRecords | DatasetError]],
    root: Path,
    options: Options,
    summary: SplitSummary,
    report: Callable[[str], None],
) -> Iterator[tuple[Image, list[bytes]]]:
    """Hand out ids in order and keep count in `summary`; at the end, refuse bad maps in `root`."""
    annotation_id = 0
    tried = 0
    for frame, records in results:
        tried += 1
        if isinstance(records, DatasetError):
            report(str(records))
            summary.skipped.append(one_line(frame.seg_file_name))
            continue
        for file_name in frame.file_names:
            summary.images += 1
            summary.instances.update(records.instances)
            summary.crowds.update(records.crowds)
            summary.left_out.update(records.left_out)
            image: Image = {
                "id": summary.images,
                "file_name": _file_name(file_name, options.file_names),
                "seg_file_name": frame.seg_file_name,
                "width": records.width,
                "height": records.height,
            }
            numbered = []
            for annotation in records.annotations:
                annotation_id += 1
                numbered.append(number_annotation(annotation_id, image["id"], annotation))
            yield image, numbered
    if summary.skipped and not (options.skip_bad and summary.images):
        raise DatasetError(
            root,
            f"{len(summary.skipped)} of {tried} maps cannot be read, so no file is written; mend"
            " them, or leave them out with --skip-bad",
        )


def _file_name(file_name: str, kind: str) -> str:
    """Return a name that starts at the data folder as it is seen from there or further down."""
    parts = file_name.split("/")
    kept = {"datadir": len(parts), "split": 2, "base": 1}[kind]
    return "/".join(parts[-kept:])
