"""The names of files, of images and of PNG files."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cityscapes_coco.cityscapes.frame import USUAL_SET, Frame, only_usual_set
from cityscapes_coco.coco.records import PANOPTIC_SUFFIX
from cityscapes_coco.convert.job import Job
from cityscapes_coco.errors import UserError

# How the names of files of instances begin, from the original script.
PREFIX = "instancesonly_filtered_"
# How the names of panoptic files begin, from the official createPanopticImgs.py.
PANOPTIC_PREFIX = "cityscapes_panoptic_"


def instances_path(job: Job) -> Path:
    """Return the path of a split's file of instances."""
    return job.outdir / f"{PREFIX}{job.dataset.annotation_type}_{_name_ending(job)}.json"


def panoptic_path(job: Job) -> Path:
    """Return the path of a split's panoptic file; for fine maps, its name is the official one."""
    kind = job.dataset.annotation_type
    annotation_type = "" if kind == "gtFine" else f"{kind}_"
    ids = "_trainId" if job.options.panoptic == "train" else ""
    return job.outdir / f"{PANOPTIC_PREFIX}{annotation_type}{_name_ending(job)}{ids}.json"


def name_images(job: Job, frame: Frame) -> list[str]:
    """Return the names of a frame's photographs as `options.file_names` asks for: from the root of
    the dataset, from the folder of the split, or without any folder.

    Where no folder has the name of the split, "split" leaves out all folders.
    """
    if job.options.file_names == "datadir":
        return list(frame.file_names)
    names = []
    for name in frame.file_names:
        _, found, below = f"/{name}".rpartition(f"/{job.split}/")
        from_split = found and job.options.file_names == "split"
        names.append(below if from_split else name.rpartition("/")[2])
    return names


def name_png(frame: Frame) -> str:
    """Return the name of a frame's PNG file in the folder of a panoptic file."""
    return frame.map_name.removesuffix("_instanceIds.png") + PANOPTIC_SUFFIX


def list_panoptic_ids(frame: Frame) -> list[str]:
    """Return the ids of a frame's images in a panoptic file: the stem of the frame, as in the
    official tool's files; for several photographs, their own stems."""
    if len(frame.file_names) == 1:
        return [frame.stem]
    return [PurePosixPath(name).stem for name in frame.file_names]


def check_names(job: Job, frames: Sequence[Frame]) -> None:
    """Raise UserError if two images would have one name or id, or two frames one PNG file."""
    kind = job.options.file_names
    several = f"the {job.kind}s of this frame are in several folders; keep one"
    remedy = several if kind == "datadir" else "take --file-names datadir"
    names = [name for frame in frames for name in name_images(job, frame)]
    checks = [(names, f"--file-names {kind} gives several images one name", remedy)]
    if job.options.panoptic != "none":
        pngs = [name_png(frame) for frame in frames]
        ids = [image_id for frame in frames for image_id in list_panoptic_ids(frame)]
        checks.append((pngs, "--panoptic gives several frames one PNG file", several))
        one_set = "take one image set with --images"
        checks.append((ids, "--panoptic gives several images one id", one_set))
    for found, reason, remedy in checks:
        [(name, times)] = Counter(found).most_common(1)
        if times > 1:
            raise UserError(job.dataset.folder, f"{reason}: {name}, {times} times; {remedy}")


def _name_ending(job: Job) -> str:
    """Return how the names of a split's files end: with the split, and with the image sets if they
    are not the usual one. Characters of patterns, such as *, are left out."""
    image_sets = job.options.images
    if only_usual_set(image_sets):
        return job.split
    ends = (image_set.removeprefix(f"{USUAL_SET}_") for image_set in image_sets)
    plain = (re.sub(r"\[[^]]*\]|[^\w.-]", "", end, flags=re.ASCII).strip("_") for end in ends)
    return f"{job.split}_{'+'.join(dict.fromkeys(end or 'all' for end in plain))}"
