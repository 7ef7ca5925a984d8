"""The frame that each image of a COCO file shows, found among the frames of a dataset."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from msgspec import UNSET

from cityscapes_coco.cityscapes.dataset import Dataset, find_dataset, list_annotated_frames
from cityscapes_coco.cityscapes.frame import USUAL_SET, Frame, annotation_suffix, name_map
from cityscapes_coco.coco.reading import read_options
from cityscapes_coco.coco.records import PANOPTIC_SUFFIX, CocoFile, Image
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import SPLITS, AnnotationType


def trace_images(coco: CocoFile, datadir: Path) -> tuple[list[Frame], list[Frame]]:
    """Return the frame of each image of a COCO file, in the order of the images, and the other
    frames of the same splits.

    Raises UserError if `datadir` has no maps, or if an image has no map there or several.
    """
    dataset = find_dataset(datadir, infer_annotation_type(coco), read_options(coco).images)
    frames = list_all_frames(dataset)
    found = find_candidates(coco.images, frames, dataset.map_suffix)
    unclear = [image for image, fits in zip(coco.images, found, strict=True) if len(fits) != 1]
    if unclear:
        raise UserError(
            dataset.maps,
            f"images that have no map in it, or several: {len(unclear)} of {len(found)}, such as"
            f" {unclear[0].file_name or 'one without a name'}; name the data folder of this file"
            " with --datadir",
        )
    claimed = [candidates[0] for candidates in found]
    splits = {frame.split for frame in claimed}
    taken = set(claimed)
    return claimed, [frame for frame in frames if frame.split in splits and frame not in taken]


def infer_annotation_type(coco: CocoFile) -> AnnotationType:
    """Return the type of the annotations that a file was made from: by the names of annotation
    files in its images, or else by its options; gtFine if neither says."""
    names = [infer_map_name(image, "") for image in coco.images if image.seg_file_name is not UNSET]
    for annotation_type in SPLITS:
        if any(name.endswith(annotation_suffix(annotation_type)) for name in names):
            return annotation_type
    return "gtFine" if names else read_options(coco).annotations


def list_all_frames(dataset: Dataset) -> list[Frame]:
    """Return the frames of all splits of a dataset, without photographs."""
    frames = []
    for split in SPLITS[dataset.annotation_type]:
        # If a split is missing or empty, its images turn out to have no map.
        with suppress(UserError):
            frames += list_annotated_frames(dataset, split)
    return frames


def find_candidates(
    images: Iterable[Image], frames: Iterable[Frame], suffix: str
) -> list[list[Frame]]:
    """Return the frames that each image may show: one, if all is well.

    Frames of two splits or cities may have one name. So folders of an image that are splits or
    cities (`places`) must be the frame's own.
    """
    places: set[str] = set()
    by_name: dict[str, list[Frame]] = {}
    for frame in frames:
        places |= {frame.split, frame.city}
        by_name.setdefault(frame.map_name, []).append(frame)

    def fit(image: Image, separator: str) -> list[Frame]:
        folders = {*(image.file_name or "").split(separator)[:-1]} & places
        candidates = by_name.get(infer_map_name(image, suffix, separator), ())
        return [frame for frame in candidates if folders <= {frame.split, frame.city}]

    # A name may have been written on Windows; elsewhere a name may hold a backslash of its own.
    return [fit(image, "/") or fit(image, "\\") for image in images]


def infer_map_name(image: Image, suffix: str, separator: str = "/") -> str:
    """Return the name that the map of an image has, or would have if there were not only polygons:
    as `seg_file_name` says, or else by the name of the photograph. `suffix` is how names of maps
    end, `separator` what stands between folders."""
    if image.seg_file_name is not UNSET:
        name = image.seg_file_name.rpartition(separator)[2]
        return name_map(name.replace(PANOPTIC_SUFFIX, "_instanceIds.png"))
    name = (image.file_name or "").rpartition(separator)[2]
    stem = PurePosixPath(name).stem.partition(f"_{USUAL_SET}")[0]
    # The official createPanopticImgs.py puts the type of the maps into names of photographs.
    return stem.removesuffix(suffix.removesuffix("_instanceIds.png")) + suffix
