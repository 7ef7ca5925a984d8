"""Panoptic results, scored with a panoptic file, image by image."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from cityscapes_coco.check.records import check_fields, check_panoptic_ids, check_unique
from cityscapes_coco.coco.json_file import JsonFile
from cityscapes_coco.coco.panoptic import find_png, png_folder, read_colors, search_png
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.coco.records import (
    CocoFile,
    Image,
    PanopticAnnotation,
    PanopticFile,
    Segment,
)
from cityscapes_coco.coco.segmentations import find_size
from cityscapes_coco.errors import UserError, command
from cityscapes_coco.run.progress import show_progress
from cityscapes_coco.run.workers import Map
from cityscapes_coco.scores.panoptic_quality import (
    PanopticMatches,
    PanopticQuality,
    Segments,
    add_matches,
    count_pairs,
    match_segments,
    rate_segments,
)
from cityscapes_coco.scores.panoptic_results import (
    PanopticResult,
    PredictedSegment,
    check_pixels,
    read_panoptic_results,
)
from cityscapes_coco.scores.panoptic_suspicions import find_panoptic_suspicions


class PanopticScores(Struct):
    """The scores of so many predicted `segments`. `things` are the names of the classes that are
    things. `notes` has a line for each thing that a reader of the scores has to know."""

    images: int
    segments: int
    panoptic: PanopticQuality
    things: list[str]
    notes: list[str]


class PanopticImagePair(NamedTuple):
    """An image with its segments in the truth, and in the results."""

    image: Image
    truth: PanopticAnnotation
    result: PanopticResult


class PanopticScorer(NamedTuple):
    """What the score needs to know about every image: the panoptic file of the truth, the folder
    of the results' PNG files, and the ids of the categories, in their order."""

    path: Path
    pngs: Path
    category_ids: Sequence[int]

    def match_image(self, pair: PanopticImagePair) -> PanopticMatches:
        """Match the segments of one image. Raises UserError if a PNG file cannot be read, or does
        not show the segments that its JSON file has."""
        size = find_size(self.path, pair.image)
        truth_path = search_png(self.path, str(pair.truth.file_name))
        path = find_png(self.pngs, pair.result.file_name)
        truth = self._list_segments(pair.truth.segments_info or ())
        predicted = self._list_segments(pair.result.segments_info)
        pairs = count_pairs(read_colors(truth_path, *size), read_colors(path, *size))
        check_pixels(truth_path, np.unique(pairs.truth), truth.ids)
        check_pixels(path, np.unique(pairs.predicted), predicted.ids)
        for segment in pair.truth.segments_info or ():
            area = int(pairs.pixels[pairs.truth == segment.id].sum())
            if segment.area != area:
                differing = f"{area} pixels, but in {self.path} {segment.area}"
                reason = f"segment {segment.id} has {differing}; write both files again"
                raise UserError(truth_path, reason)
        return match_segments(pairs, truth, predicted, len(self.category_ids))

    def _list_segments(self, segments: Sequence[Segment | PredictedSegment]) -> Segments:
        places = {number: place for place, number in enumerate(self.category_ids)}
        return Segments(
            np.array([segment.id for segment in segments], np.int64),
            np.array([places[int(segment.category_id or 0)] for segment in segments], np.int64),
            np.array([bool(getattr(segment, "iscrowd", 0)) for segment in segments], np.bool_),
        )


def evaluate_panoptic(
    path: Path, file: JsonFile, pngs: Path | None = None, *, run: Map = map
) -> PanopticScores:
    """Score the panoptic results in a file with the panoptic file at `path`.

    `pngs` is the folder of the results' PNG files, by default the one with the name of their JSON
    file. `run` does the work, image by image; it works like the builtin `map`.

    Raises UserError if a file cannot be read, or is not what it should be.
    """
    truth = _read_truth(path)
    results = read_panoptic_results(file, truth)
    folder = find_pngs(file, pngs)
    categories = truth.records.categories
    scorer = PanopticScorer(path, folder, [int(category.id or 0) for category in categories])
    annotations = {annotation.image_id: annotation for annotation in truth.records.annotations}
    images = zip(truth.images, truth.records.images, results, strict=True)
    pairs = [
        PanopticImagePair(image, annotations[record.id], result) for image, record, result in images
    ]
    matching = show_progress(run(scorer.match_image, pairs), "evaluate", len(pairs))
    matches = add_matches(matching, len(categories))
    names = [str(category.name) for category in categories]
    are_things = [bool(category.isthing) for category in categories]
    quality = rate_segments(matches, names, are_things)
    return PanopticScores(
        len(pairs),
        sum(len(result.segments_info) for result in results),
        quality,
        [name for name, is_thing in zip(names, are_things, strict=True) if is_thing],
        find_panoptic_suspicions(path, folder, truth, results, matches, quality),
    )


def find_pngs(file: JsonFile, pngs: Path | None) -> Path:
    """Return the folder of the PNG files of results: `pngs`, or the folder with the file's name.
    Raises UserError if there is no such folder."""
    folder = pngs or png_folder(file.path)
    if not folder.is_dir():
        raise UserError(folder, "no such folder of the results' PNG files; name it with --pngs")
    return folder


def check_panoptic(path: Path, coco: CocoFile) -> PanopticFile:
    """Raise UserError unless the COCO file at `path` is panoptic, as results are."""
    if isinstance(coco, PanopticFile):
        return coco
    reason = "has no segments, but the results are panoptic"
    raise UserError(path, f"{reason}; {command('convert')} --panoptic writes the file")


def _read_truth(path: Path) -> PanopticFile:
    """Return the panoptic file at `path`; raise UserError for the first fault that would make the
    scores wrong."""
    truth = check_panoptic(path, read_coco(path))
    faults = chain(
        check_fields(truth, besides=("bbox",)),
        check_panoptic_ids(truth.records),
        check_unique(truth, "categories", "name"),
    )
    for fault in faults:
        raise UserError(path, f"{fault.culprit}; {command('inspect')} --verify lists what is wrong")
    if not truth.annotations:
        raise UserError(path, "has no segment, so there is nothing to score results against")
    return truth
