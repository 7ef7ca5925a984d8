"""The pipeline: the frames of a split become instances, records, and one COCO file."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from cityscapes_coco import __version__
from cityscapes_coco.coco import Annotation, AnnotationBody, Image, list_categories, write_coco
from cityscapes_coco.dataset import Frame, Layout, count_unpaired, list_frames
from cityscapes_coco.errors import DatasetError
from cityscapes_coco.instances import find_instances, read_id_map
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.segmentation import contours_like_original, to_polygons

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

    `left_out` counts the instances that are not among the annotations, by reason and class.
    """

    width: int
    height: int
    annotations: list[AnnotationBody]
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
) -> SplitSummary:
    """Write `instancesonly_filtered_<annotations>_<split>.json` into `outdir`.

    `report` is called with one line for each map that cannot be read and for each warning. Raises
    DatasetError if there is nothing to convert, if the file cannot be written, or, when every frame
    has been tried, if some cannot be read and `options.skip_bad` is not set. Then no file is
    written.
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
    write_coco(summary.path, info, categories, _numbered(frames, options, summary, split, report))
    return summary


def _numbered(
    frames: Sequence[Frame],
    options: Options,
    summary: SplitSummary,
    split: str,
    report: Callable[[str], None],
) -> Iterator[tuple[Image, list[Annotation]]]:
    """Convert `frames`, hand out ids in their order, and count what they hold in `summary`."""
    names = [category["name"] for category in list_categories(options.categories)]
    annotation_id = 0
    for frame in tqdm(frames, desc=split, unit="frame", disable=None):
        try:
            records = convert_frame(frame, options)
        except DatasetError as error:
            report(str(error))
            summary.skipped.append(frame.seg_file_name)
            continue
        summary.images += 1
        summary.left_out += records.left_out
        image: Image = {
            "id": summary.images,
            "file_name": frame.file_name,
            "seg_file_name": frame.seg_file_name,
            "width": records.width,
            "height": records.height,
        }
        annotations: list[Annotation] = []
        for body in records.annotations:
            annotation_id += 1
            annotations.append({"id": annotation_id, "image_id": image["id"], **body})
            summary.instances[names[body["category_id"] - 1]] += 1
        yield image, annotations
    if summary.skipped and not (options.skip_bad and summary.images):
        raise DatasetError(
            Path(frames[0].map_path).parents[1],
            f"{len(summary.skipped)} of {len(frames)} maps cannot be read, so no file is written;"
            " mend them, or leave them out with --skip-bad",
        )


def convert_frame(frame: Frame, options: Options) -> FrameRecords:
    """Return the records of one frame. Raises DatasetError if its map cannot be read."""
    id_map = read_id_map(frame.map_path)
    try:
        instances = find_instances(id_map)
    except ValueError as error:
        raise DatasetError(frame.map_path, str(error)) from error
    category_ids = {
        category["name"]: category["id"] for category in list_categories(options.categories)
    }
    annotations: list[AnnotationBody] = []
    left_out: Counter[tuple[str, str]] = Counter()
    for instance in instances:
        name = _NAMES[instance.label_id]
        if name not in category_ids:
            left_out["classes not asked for", name] += 1
            continue
        if instance.is_crowd:
            left_out["groups", name] += 1
            continue
        x, y, width, height = instance.bbox
        outline = contours_like_original if options.like_original else to_polygons
        polygons = outline(instance.mask, x, y)
        if not polygons:
            left_out["a contour of two points or fewer", name] += 1
            continue
        annotations.append(
            {
                "category_id": category_ids[name],
                "iscrowd": 0,
                "area": instance.area,
                "bbox": [x, y, width, height],
                "instance_id": instance.id,
                "segmentation": polygons,
            }
        )
    height, width = id_map.shape
    return FrameRecords(width, height, annotations, left_out)
