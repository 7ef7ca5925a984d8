"""What `info` says in a file, and how an earlier file differs."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from cityscapes_coco.cityscapes.dataset import list_frames
from cityscapes_coco.coco.reading import peek_options
from cityscapes_coco.coco.records import Info, License
from cityscapes_coco.convert.job import Job
from cityscapes_coco.options import BOX_TYPES, OF_MASKS, Options
from cityscapes_coco.version import __version__

_URL = "https://www.cityscapes-dataset.com"
LICENSES = [License(1, "Cityscapes Dataset License Agreement", f"{_URL}/license/")]

# The options that count for panoptic files; the others are about instances.
_OF_PANOPTIC = {"images", "file_names", "panoptic", "skip_bad", "unknown_labels"}
# The options that every file states. Later ones are stated where they are not the default, so that
# the same conversion gives the same bytes as before there was a choice.
_ALWAYS_STATED = {"images", "categories", "segmentation", "crowd", "min_area", "empty_frames"}
_ALWAYS_STATED |= {"category_ids", "file_names", "panoptic", "skip_bad"}


def make_info(job: Job, what: Literal["instances", "panoptic"]) -> Info:
    """Return what is known of a file of instances, or of a panoptic one, before any map is read."""
    dataset, options = job.dataset, job.options
    values = asdict(options) | {"categories": list(map(str, options.parsed_categories))}
    count = _OF_PANOPTIC if what == "panoptic" else values.keys() - {"panoptic"}
    if options.annotations in BOX_TYPES:
        count = values.keys() - {*OF_MASKS}
    usual = asdict(Options())
    stated = {n: v for n, v in values.items() if n in _ALWAYS_STATED or v != usual[n]}
    return Info(
        description=f"Cityscapes {options.annotations} {job.split}, {what}",
        url=_URL,
        contributor="cityscapes-coco",
        version=__version__,
        split=job.split,
        options={
            "annotations": options.annotations,
            "imagedir": dataset.imagedir_name,
            **_describe_chosen(job),
            **{name: value for name, value in stated.items() if name in count},
        },
        skipped=[],
    )


def _describe_chosen(job: Job) -> dict[str, object]:
    """Return what a file says of the list of frames that were to be converted, if there is one: how
    many of them are in the split, and the SHA-256 of the list."""
    dataset = job.dataset
    if dataset.chosen is None:
        return {}
    frames = list_frames(dataset, job.split, job.options.images).frames
    return {"frames": {"number": len(frames), "sha256": dataset.chosen.sha256}}


def warn_of_earlier(job: Job, path: Path, info: Info) -> None:
    """Warn if the file at `path`, to be replaced, was made by another program or with other options
    than in `info`."""
    earlier = peek_options(path)
    if earlier is None:
        if path.is_file() and os.access(path, os.R_OK):
            job.warn(f"{path}: will be overwritten; it was made by another program")
        return
    usual = asdict(Options()) | {"frames": None}
    # As in a file: lists, where the options have tuples.
    options = json.loads(json.dumps(usual | info.options))
    earlier = {name: usual.get(name) for name in info.options} | earlier
    # An option that only one of two versions has is no difference, nor is skip_bad, which changes
    # nothing where every map can be read.
    differing = [
        f"{name} {json.dumps(value)}"
        for name, value in earlier.items()
        if value != options.get(name, value) and name != "skip_bad"
    ]
    if differing:
        told = ", ".join(differing)
        job.warn(f"{path}: will be overwritten; it was made with other options: {told}")
