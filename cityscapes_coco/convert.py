"""The pipeline: the frames of a split become instances, records, and one COCO file."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
from tqdm import tqdm

from cityscapes_coco import __version__
from cityscapes_coco.coco import (
    Annotation,
    Image,
    encode_annotation,
    list_categories,
    number_annotation,
    write_coco,
)
from cityscapes_coco.dataset import Frame, Layout, count_unpaired, list_frames
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.instances import find_instances, read_id_map
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.segmentation import (
    contours_like_original,
    encode_polygons,
    to_polygons,
)

# Frames that travel to an executor together: enough to make the journey cheap, few enough that all
# workers finish at about the same time.
_CHUNK = 4
_CHUNKS_PER_WORKER = 4

_NAMES = {label.id: label.name for label in LABELS}


@dataclass(frozen=True)
class Options:
    """What a run does with each frame; `categories` are names in any order."""

    layout: Layout = field(default_factory=Layout)
    categories: Sequence[str] = category_instancesonly
    like_original: bool = False
    skip_bad: bool = False


@dataclass(frozen=True)
class FrameRecords:
    """What one frame adds to a file; `width` and `height` are the map's, in pixels.

    The annotations are encoded, and in the order of their instance ids. `instances` counts them by
    class, `left_out` counts the others, by reason and class.
    """

    width: int
    height: int
    annotations: list[bytes]
    instances: Counter[str]
    left_out: Counter[tuple[str, str]]


@dataclass
class SplitSummary:
    """What a file holds, and what it leaves out.

    `instances` counts by class, `left_out` by reason and class; `skipped` names the maps that could
    not be read.
    """

    path: Path
    images: int = 0
    instances: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def convert_split(
    datadir: Path,
    split: str,
    outdir: Path,
    options: Options,
    report: Callable[[str], None],
    executor: Executor | None = None,
    workers: int = 1,
) -> SplitSummary:
    """Write `instancesonly_filtered_<annotations>_<split>.json` into `outdir`.

    The frames are converted in this process, or by an `executor` that does `workers` things at
    once; the file is the same. `report` is called with one line for each map that cannot be read
    and for each warning. Raises DatasetError if there is nothing to convert, if the file cannot be
    written, or, when every frame has been tried, if some cannot be read and `options.skip_bad` is
    not set. Then no file is written.
    """
    layout = options.layout
    frames = list_frames(datadir, split, layout)
    mapless, imageless = count_unpaired(datadir, split, layout, frames)
    images = datadir / layout.images / split
    if mapless:
        report(f"{images}: images that have no map, so left out: {mapless}")
    if imageless:
        report(f"{images}: maps whose image is not here: {imageless} (converted all the same)")

    categories = list_categories(options.categories)
    summary = SplitSummary(outdir / f"instancesonly_filtered_{layout.annotations}_{split}.json")
    info = {
        "description": f"Cityscapes {layout.annotations} {split}, instances",
        "url": "https://www.cityscapes-dataset.com",
        "contributor": "cityscapes-coco",
        "version": __version__,
        "options": {
            "categories": [category["name"] for category in categories],
            "like_original": options.like_original,
            "skip_bad": options.skip_bad,
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
    root = datadir / layout.annotations / split
    numbered = _number(results, root, options.skip_bad, summary, report)
    write_coco(summary.path, info, categories, numbered)
    return summary


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
        frame.file_name.encode()
    except UnicodeEncodeError as error:
        # JSON could hold it, but few readers of JSON would take it.
        raise DatasetError(frame.map_path, "its name is not valid UTF-8; rename it") from error
    id_map = read_id_map(frame.map_path)
    try:
        instances = find_instances(id_map)
    except ValueError as error:
        raise DatasetError(frame.map_path, str(error)) from error
    height, width = id_map.shape
    records = FrameRecords(width, height, [], Counter(), Counter())
    category_ids = {
        category["name"]: category["id"] for category in list_categories(options.categories)
    }
    chosen = []
    for instance in instances:
        name = _NAMES[instance.label_id]
        if name not in category_ids:
            records.left_out["classes not asked for", name] += 1
        elif instance.is_crowd:
            records.left_out["groups", name] += 1
        else:
            chosen.append(instance)
    outline = contours_like_original if options.like_original else to_polygons
    outlines = outline((instance.mask, *instance.bbox[:2]) for instance in chosen)
    for instance, polygons in zip(chosen, outlines, strict=True):
        name = _NAMES[instance.label_id]
        if not polygons:
            records.left_out["a contour of two points or fewer", name] += 1
            continue
        annotation: Annotation = {
            "category_id": category_ids[name],
            "iscrowd": 0,
            "area": instance.area,
            "bbox": list(instance.bbox),
            "instance_id": instance.id,
        }
        records.annotations.append(encode_annotation(annotation, encode_polygons(polygons)))
        records.instances[name] += 1
    return records


def _number(
    results: Iterable[tuple[Frame, FrameRecords | DatasetError]],
    root: Path,
    skip_bad: bool,
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
        summary.images += 1
        summary.instances.update(records.instances)
        summary.left_out.update(records.left_out)
        image: Image = {
            "id": summary.images,
            "file_name": frame.file_name,
            "seg_file_name": frame.seg_file_name,
            "width": records.width,
            "height": records.height,
        }
        numbered = []
        for annotation in records.annotations:
            annotation_id += 1
            numbered.append(number_annotation(annotation_id, image["id"], annotation))
        yield image, numbered
    if summary.skipped and not (skip_bad and summary.images):
        raise DatasetError(
            root,
            f"{len(summary.skipped)} of {tried} maps cannot be read, so no file is written; mend"
            " them, or leave them out with --skip-bad",
        )
