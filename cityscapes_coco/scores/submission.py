"""The results of a trainer as the server of the Cityscapes benchmark takes them.

A frame has a text file with a line for each prediction: the name of the mask, the label id and the
score, parted by spaces. A mask is a PNG file beside it, in which pixels that are not 0 belong to
the prediction. Source: `getPrediction` and `readPredInfo` of cityscapesscripts'
evalInstanceLevelSemanticLabeling.py.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
from msgspec import UNSET
from tqdm import tqdm

from cityscapes_coco.cityscapes.frame import Frame, annotation_suffix
from cityscapes_coco.coco.reading import group_by_image, read_coco, read_info, read_options
from cityscapes_coco.coco.records import CocoFile, Result
from cityscapes_coco.coco.segmentations import find_size
from cityscapes_coco.convert.sources import find_labels, find_map_name, find_map_type, match_frames
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import Label
from cityscapes_coco.pixels.rle import to_mask
from cityscapes_coco.run.files import new_folder
from cityscapes_coco.run.workers import Map
from cityscapes_coco.scores.results import decode_mask, read_results


class Upload(NamedTuple):
    """What was written into `folder`; `left_out` counts the results of each category that is no
    class which Cityscapes evaluates."""

    folder: Path
    frames: int
    masks: int
    left_out: Counter[str]


class _Task(NamedTuple):
    """A frame, by what the names of its files begin with, and its results; `size` is (height,
    width)."""

    stem: str
    size: tuple[int, int]
    results: Sequence[Result]


def write_upload(
    path: Path,
    results_path: Path,
    datadir: Path,
    folder: Path,
    *,
    top: int | None = None,
    run: Map = map,
) -> Upload:
    """Write the results at `results_path`, for the COCO file at `path`, into a new folder.

    Of each frame only the `top` results with the highest scores are written, all if it is None.
    Frames of the split that have no image in the COCO file, found by their maps in `datadir`, get
    an empty text file. `run` does the work, frame by frame, with the meaning of the builtin `map`.

    Raises UserError, and leaves no folder behind, if a file cannot be read, if the results are none
    that the server takes, or if there is something at `folder` already.
    """
    coco = read_coco(path)
    results = read_results(results_path, coco)
    labels = find_labels(coco)
    if any(result.segmentation is UNSET for result in results):
        raise UserError(results_path, "has no masks, which the server of Cityscapes asks for")
    if not labels:
        raise UserError(path, "no category in it is a class that Cityscapes evaluates")
    tasks = _list_tasks(path, coco, [r for r in results if r.category_id in labels], top)
    tasks += [_Task(_clean(frame.stem), (0, 0), ()) for frame in _find_others(coco, datadir)]
    for stem, times in Counter(task.stem for task in tasks).items():
        if times > 1:
            raise UserError(path, f"has {times} images of the frame {stem}; the server takes one")
    work = partial(_encode_frame, labels=labels, results_path=results_path)
    try:
        with new_folder(folder) as draft:
            encoded = tqdm(run(work, tasks), "save", len(tasks), unit="frame", disable=None)
            for files in encoded:
                for name, content in files.items():
                    (draft / name).write_bytes(content)
    except OSError as error:
        raise UserError(folder, f"cannot be written: {error.strerror}; see --save") from error
    names = {category.id: str(category.name) for category in coco.categories}
    left_out = Counter(names[r.category_id] for r in results if r.category_id not in labels)
    return Upload(folder, len(tasks), sum(len(task.results) for task in tasks), left_out)


def _list_tasks(
    path: Path, coco: CocoFile, results: Sequence[Result], top: int | None
) -> list[_Task]:
    """Return the images of a COCO file, each with its best results, best first."""
    grouped = group_by_image(results)
    suffix = annotation_suffix(find_map_type(coco.images, read_info(coco)))
    tasks = []
    for image in coco.images:
        stem = _clean(find_map_name(image, suffix).removesuffix(suffix))
        best = sorted(grouped.get(image.id, ()), key=lambda result: -result.score)[:top]
        tasks.append(_Task(stem, find_size(path, image), best))
    return tasks


def _clean(stem: str) -> str:
    """Return a stem that neither leads out of a folder nor is parted by a space."""
    return re.sub(r"[^\w.-]", "_", stem)


def _find_others(coco: CocoFile, datadir: Path) -> list[Frame]:
    """Return the frames of the split that have no image in a COCO file."""
    info = read_info(coco)
    try:
        return match_frames(coco, datadir)[1]
    except UserError:
        # A file that leaves out no frame can do without the maps.
        if info and (info.skipped or read_options(info).empty_frames == "drop"):
            raise
        return []


def _encode_frame(task: _Task, labels: Mapping[int, Label], results_path: Path) -> dict[str, bytes]:
    """Return the files of a frame by their names."""
    files: dict[str, bytes] = {}
    lines = []
    for number, result in enumerate(task.results):
        name = f"{task.stem}_{number:03}.png"
        mask = to_mask(decode_mask(results_path, result, *task.size))
        # pycocotools' masks go down the columns; OpenCV turns them in half of numpy's time.
        rows = cv2.transpose(mask.T)
        files[name] = cv2.imencode(".png", rows, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
        lines.append(f"{name} {labels[result.category_id].id} {float(result.score)!r}\n")
    files[f"{task.stem}.txt"] = "".join(lines).encode()
    return files
