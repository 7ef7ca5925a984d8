"""The results of a trainer, written for the server of the Cityscapes benchmark.

Each frame has a text file with one line for each prediction: the name of the mask, the label id and
the score, separated by spaces. A mask is a PNG file in the same folder, whose nonzero pixels are
the prediction. Source: `getPrediction` and `readPredInfo` in cityscapesscripts'
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

from cityscapes_coco.cityscapes.frame import Frame, annotation_suffix
from cityscapes_coco.coco.json_file import JsonFile
from cityscapes_coco.coco.reading import group_by_image, read_coco, read_info, read_options
from cityscapes_coco.coco.records import CocoFile, Result
from cityscapes_coco.coco.segmentations import find_size
from cityscapes_coco.convert.categories import find_labels
from cityscapes_coco.convert.sources import infer_annotation_type, infer_map_name, trace_images
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import Label
from cityscapes_coco.pixels.rle import to_mask
from cityscapes_coco.run.files import new_folder
from cityscapes_coco.run.progress import show_progress
from cityscapes_coco.run.workers import Map
from cityscapes_coco.scores.results import decode_masks, find_repeats, read_results


class Submission(NamedTuple):
    """What was written into `folder`. `masks` counts the masks by category, in the order of the
    COCO file; `left_out` the results of categories that Cityscapes does not evaluate; `repeats` the
    masks that are there more than once."""

    folder: Path
    frames: int
    masks: Counter[str]
    left_out: Counter[str]
    repeats: int


class SubmittedFrame(NamedTuple):
    """The results of one frame. The names of its files begin with `stem`; `size` is (height,
    width) in pixels."""

    stem: str
    size: tuple[int, int]
    results: Sequence[Result]


def write_submission(
    path: Path,
    file: JsonFile,
    datadir: Path,
    folder: Path,
    *,
    top: int | None = None,
    run: Map = map,
) -> Submission:
    """Write the results in a file, for the COCO file at `path`, into a new folder.

    In each frame, only the `top` results with the highest scores are written; all if it is None.
    Frames of the split without an image in the COCO file get an empty text file; the maps in
    `datadir` tell which frames these are. `run` does the work, frame by frame; it works like the
    builtin `map`.

    Raises UserError, and leaves no folder behind, if a file cannot be read, if the server would not
    take the results, or if `folder` exists already.
    """
    coco = read_coco(path)
    results = read_results(file, coco)
    labels = find_labels(coco)
    if any(result.segmentation is UNSET for result in results):
        raise UserError(file.path, "has no masks, which the server of Cityscapes asks for")
    if not labels:
        raise UserError(path, "no category in it is a class that Cityscapes evaluates")
    frames = _list_frames(path, coco, [r for r in results if r.category_id in labels], top)
    others = _find_others(coco, datadir)
    frames += [SubmittedFrame(_clean(other.stem), (0, 0), ()) for other in others]
    for stem, times in Counter(frame.stem for frame in frames).items():
        if times > 1:
            raise UserError(path, f"has {times} images of the frame {stem}; the server takes one")
    work = partial(_encode_frame, labels=labels, results_path=file.path)
    try:
        with new_folder(folder) as draft:
            for files in show_progress(run(work, frames), "save", len(frames)):
                for name, content in files.items():
                    (draft / name).write_bytes(content)
    except OSError as error:
        raise UserError(folder, f"cannot be written: {error.strerror}; see --save") from error
    names = {category.id: str(category.name) for category in coco.categories}
    left_out = Counter(names[r.category_id] for r in results if r.category_id not in labels)
    saved = [result for frame in frames for result in frame.results]
    masks = Counter({names[number]: 0 for number in labels})
    masks.update(names[result.category_id] for result in saved)
    return Submission(folder, len(frames), masks, left_out, len(find_repeats(saved)))


def _list_frames(
    path: Path, coco: CocoFile, results: Sequence[Result], top: int | None
) -> list[SubmittedFrame]:
    """Return a frame for each image of a COCO file, with its best results, best first."""
    grouped = group_by_image(results)
    suffix = annotation_suffix(infer_annotation_type(coco))
    frames = []
    for image in coco.images:
        stem = _clean(infer_map_name(image, suffix).removesuffix(suffix))
        best = sorted(grouped.get(image.id, ()), key=lambda result: -result.score)[:top]
        frames.append(SubmittedFrame(stem, find_size(path, image), best))
    return frames


def _clean(stem: str) -> str:
    """Return a stem without spaces or anything that leads out of a folder."""
    return re.sub(r"[^\w.-]", "_", stem)


def _find_others(coco: CocoFile, datadir: Path) -> list[Frame]:
    """Return the frames of the split without an image in the COCO file."""
    info = read_info(coco)
    try:
        return trace_images(coco, datadir)[1]
    except UserError:
        # A file with all frames needs no maps.
        if info and (info.skipped or read_options(coco).empty_frames == "drop"):
            raise
        return []


def _encode_frame(
    frame: SubmittedFrame, labels: Mapping[int, Label], results_path: Path
) -> dict[str, bytes]:
    """Return the files of a frame by their names."""
    files: dict[str, bytes] = {}
    lines = []
    rles = decode_masks(results_path, frame.results, frame.size)
    for number, (result, rle) in enumerate(zip(frame.results, rles, strict=True)):
        name = f"{frame.stem}_{number:03}.png"
        mask = to_mask(rle)
        # pycocotools' masks are stored by columns; OpenCV transposes them in half of numpy's time.
        rows = cv2.transpose(mask.T)
        files[name] = cv2.imencode(".png", rows, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
        lines.append(f"{name} {labels[result.category_id].id} {float(result.score)!r}\n")
    files[f"{frame.stem}.txt"] = "".join(lines).encode()
    return files
