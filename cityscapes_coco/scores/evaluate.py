"""The results of a trainer held against the truth: COCO's score, and Cityscapes' own.

To COCO, the truth is what a COCO file says; to Cityscapes, it is what the maps show.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import msgspec
import numpy as np
from msgspec import UNSET, Struct
from pycocotools import mask as coco_mask
from tqdm import tqdm

from cityscapes_coco.cityscapes.id_map import cut_mask, find_instances, read_id_map
from cityscapes_coco.coco.reading import group_by_image, read_coco
from cityscapes_coco.coco.records import Annotation, CocoFile, Image, Result
from cityscapes_coco.coco.segmentations import decode_annotation, find_size, has_segmentation
from cityscapes_coco.convert.sources import find_labels, match_frames
from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS, Label, category_instancesonly
from cityscapes_coco.pixels.rle import Rle, to_rles
from cityscapes_coco.run.files import replacing
from cityscapes_coco.run.workers import Map
from cityscapes_coco.scores.cityscapes_score import (
    Floats,
    Matches,
    Truth,
    find_curves,
    match_frame,
    rate_curves,
)
from cityscapes_coco.scores.coco_score import (
    CocoMatches,
    CocoTruth,
    match_coco_frame,
    rate_coco_matches,
)
from cityscapes_coco.scores.results import decode_mask, read_results

Shape = Literal["box", "mask"]

# For every value that a map can hold: do scores pass over it? As 0 and 1.
_IS_VOID = np.zeros(1 << 16, np.uint8)
_IS_VOID[[label.id for label in LABELS if label.ignored and label.id >= 0]] = 1


class CocoScore(Struct):
    """COCO's average precision: over all overlaps, at 0.50 and 0.75, and for three ranges of areas.

    Each is None if the truth has nothing to be found.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None


class CocoScores(Struct):
    """COCO's scores of the boxes and, if there are masks, of the masks."""

    average: dict[Shape, CocoScore]
    classes: dict[str, dict[Shape, CocoScore]]


class CityscapesScore(Struct):
    """Cityscapes' average precision, over all overlaps and at 0.50; None without instances."""

    ap: float | None
    ap50: float | None


AnyScore = CocoScore | CityscapesScore


class CityscapesScores(Struct):
    average: CityscapesScore
    classes: dict[str, CityscapesScore]


class Curve(NamedTuple):
    """Recall and precision of one class at the overlap of 0.50, each of shape (N,).

    To COCO, the precision at a recall is the best one at this recall or at a higher one, and the
    last point is the first without any; to Cityscapes, each distinct score has a point.
    """

    recall: Floats
    precision: Floats


class Scores(Struct):
    """The scores of so many `results`; `without_results` counts the images that have none.

    `cityscapes` is None where it cannot be had. `notes` has a line for each thing that a reader of
    the scores has to know. `curves`, by shape, or under `cityscapes`, and by class, are those of
    what the truth has; they are drawn, and not written.
    """

    images: int
    results: int
    without_results: int
    coco: CocoScores
    cityscapes: CityscapesScores | None
    notes: list[str]
    curves: dict[str, dict[str, Curve]]


class NoTruth(UserError):
    """A COCO file has no annotations, as that of the test split."""


class _Plan(NamedTuple):
    """What every frame needs to know: the files, for errors; the shapes that COCO's score is asked
    for; and the label of each category that Cityscapes' score is asked for."""

    path: Path
    results_path: Path
    category_ids: Sequence[int]
    shapes: Sequence[Shape]
    labels: Mapping[int, Label]


class _Task(NamedTuple):
    """An image with its annotations, its results, and its map if Cityscapes' score needs it."""

    image: Image
    annotations: Sequence[Annotation]
    results: Sequence[Result]
    map_path: str | None


class _Findings(NamedTuple):
    """What was found in one frame, by shape and category id, and by the names of classes."""

    coco: dict[tuple[Shape, int], CocoMatches]
    cityscapes: dict[str, Matches]


def evaluate_results(path: Path, results_path: Path, datadir: Path, *, run: Map = map) -> Scores:
    """Score the results at `results_path` for the images of the COCO file at `path`.

    `datadir` is the folder with the maps; without maps, or without masks, there is COCO's score
    alone, and a note. `run` does the work, frame by frame, with the meaning of the builtin `map`.

    Raises UserError if a file or a map cannot be read, or is not what it should be, and NoTruth if
    the COCO file has no annotations.
    """
    coco = read_coco(path)
    _check_truth(path, coco)
    results = read_results(results_path, coco)
    # No results at all lack no masks.
    with_masks = all(result.segmentation is not UNSET for result in results)
    shapes, notes = _choose_shapes(coco, with_masks)
    labels, map_paths, more_notes = _find_maps(coco, datadir, with_masks)
    names = {int(category.id or 0): str(category.name) for category in coco.categories}
    plan = _Plan(path, results_path, sorted(names), shapes, labels)
    annotations, grouped = group_by_image(coco.annotations), group_by_image(results)
    tasks = (
        _Task(image, annotations.get(key, ()), grouped.get(key, ()), map_paths.get(key))
        for key, image in sorted((int(image.id or 0), image) for image in coco.images)
    )
    evaluated = run(partial(_evaluate_frame, plan=plan), tasks)
    coco_found: dict[tuple[Shape, int], list[CocoMatches]] = {}
    cityscapes_found: dict[str, list[Matches]] = {label.name: [] for label in labels.values()}
    for findings in tqdm(evaluated, "evaluate", len(coco.images), unit="frame", disable=None):
        for key, matches in findings.coco.items():
            coco_found.setdefault(key, []).append(matches)
        for name, of_class in findings.cityscapes.items():
            cityscapes_found[name].append(of_class)
    coco_scores, curves = _sum_up_coco(coco_found, shapes, names)
    cityscapes_scores = None
    if labels:
        cityscapes_scores, curves["cityscapes"] = _sum_up_cityscapes(cityscapes_found)
    return Scores(
        len(coco.images),
        len(results),
        sum(image.id not in grouped for image in coco.images),
        coco_scores,
        cityscapes_scores,
        notes + more_notes,
        curves,
    )


def write_scores(path: Path, scores: Scores) -> None:
    """Write scores as JSON. Raises UserError if the file cannot be written."""
    numbers = msgspec.structs.asdict(scores)
    del numbers["curves"]
    try:
        with replacing(path) as file:
            file.write(msgspec.json.format(msgspec.json.encode(numbers)) + b"\n")
    except OSError as error:
        raise UserError(path, f"cannot be written: {error.strerror}; see --json") from error


def _check_truth(path: Path, coco: CocoFile) -> None:
    """Raise UserError if COCOeval would fail at a file, or pass over a part of it."""
    remedy = "inspect_coco.py --verify lists what is wrong"
    for part, name in ("images", "id"), ("categories", "id"), ("categories", "name"):
        for value, times in Counter(
            getattr(record, name) for record in getattr(coco, part)
        ).items():
            if value is UNSET or times > 1:
                wrong = "without" if value is UNSET else f"{times} times with"
                raise UserError(path, f"{part} {wrong} the {name} {value}; {remedy}")
    if not coco.annotations:
        raise NoTruth(
            path,
            "has no annotations, so there is nothing to score results against; --save alone writes"
            " them for the server",
        )
    for part in "images", "annotations":
        for index, record in enumerate(getattr(coco, part)):
            for name in record.needed:
                if getattr(record, name) is UNSET and name != "iscrowd":
                    raise UserError(path, f"{part}[{index}] has no {name}; {remedy}")
    image_ids = {image.id for image in coco.images}
    category_ids = {category.id for category in coco.categories}
    for index, annotation in enumerate(coco.annotations):
        if annotation.image_id not in image_ids or annotation.category_id not in category_ids:
            raise UserError(path, f"annotations[{index}] has no image or no category; {remedy}")


def _choose_shapes(coco: CocoFile, with_masks: bool) -> tuple[list[Shape], list[str]]:
    """Return what COCO's score is asked for, and notes."""
    if not with_masks:
        return ["box"], []
    if not any(map(has_segmentation, coco.annotations)):
        return ["box"], ["COCO's score of masks cannot be had: the COCO file has no masks"]
    return ["box", "mask"], []


def _find_maps(
    coco: CocoFile, datadir: Path, with_masks: bool
) -> tuple[dict[int, Label], dict[int, str], list[str]]:
    """Return the label of each category and the path of the map of each image, by their ids, for
    Cityscapes' score, and notes; no labels if the score cannot be had."""
    lack = "Cityscapes' score cannot be had: "
    labels = find_labels(coco)
    if not with_masks:
        return {}, {}, [f"{lack}the results have no masks"]
    if not labels:
        return {}, {}, [f"{lack}no category is a class that Cityscapes evaluates"]
    try:
        frames, others = match_frames(coco, datadir)
    except UserError as error:
        return {}, {}, [f"{lack}{error}"]
    notes = []
    if others:
        notes.append(
            f"frames without an image in the COCO file, so in no score: {len(others)}, such as"
            f" {others[0].stem}"
        )
    if passed_over := [str(c.name) for c in coco.categories if c.id not in labels]:
        notes.append(f"no class that Cityscapes evaluates: {', '.join(passed_over)}")
    if len(labels) < len(category_instancesonly):
        notes.append(
            f"Cityscapes' average here is over {len(labels)} of its"
            f" {len(category_instancesonly)} classes"
        )
    paths = [frame.map_path for frame in frames]
    ids = [int(image.id or 0) for image in coco.images]
    return labels, dict(zip(ids, paths, strict=True)), notes


def _evaluate_frame(task: _Task, plan: _Plan) -> _Findings:
    size = find_size(plan.path, task.image)
    rles = [decode_mask(plan.results_path, result, *size) for result in task.results]
    findings = _Findings({}, {})
    for shape in plan.shapes:
        for number in plan.category_ids:
            truth = [a for a in task.annotations if a.category_id == number]
            results = [
                (r, rle)
                for r, rle in zip(task.results, rles, strict=True)
                if r.category_id == number
            ]
            if truth or results:
                matches = _match_category(shape, size, truth, results, plan.path)
                findings.coco[shape, number] = matches
    if task.map_path is not None:
        findings.cityscapes.update(_match_map(task.map_path, size, task.results, rles, plan))
    return findings


def _match_category(
    shape: Shape,
    size: tuple[int, int],
    annotations: Sequence[Annotation],
    results: Sequence[tuple[Result, Rle]],
    path: Path,
) -> CocoMatches:
    """Return what COCO makes of the results of one category, each with its mask, in one frame."""
    if shape == "box":
        there = [list(annotation.bbox or ()) for annotation in annotations]
        regions = [_find_box(*pair) for pair in results]
    else:
        there = [_decode_annotation(annotation, size, path) for annotation in annotations]
        regions = [rle for _, rle in results]
    # As in pycocotools' `loadRes`, a box that is in the file has the area of the box.
    areas = [
        region[2] * region[3] if shape == "box" and result.bbox else coco_mask.area(rle)
        for (result, rle), region in zip(results, regions, strict=True)
    ]
    truth = CocoTruth(
        there,
        np.array([annotation.area for annotation in annotations], np.float64),
        np.array([bool(annotation.iscrowd) for annotation in annotations], np.bool_),
    )
    scores = np.array([result.score for result, _ in results], np.float64)
    return match_coco_frame(regions, np.array(areas, np.float64), scores, truth)


def _find_box(result: Result, rle: Rle) -> list[float]:
    box: list[float] = list(result.bbox) if result.bbox else coco_mask.toBbox(rle).tolist()
    return box


def _decode_annotation(annotation: Annotation, size: tuple[int, int], path: Path) -> Rle:
    rle = decode_annotation(path, annotation, *size)
    if rle is None:
        raise UserError(path, f"annotation {annotation.id} has no segmentation, which others have")
    return rle


def _match_map(
    map_path: str,
    size: tuple[int, int],
    results: Sequence[Result],
    rles: Sequence[Rle],
    plan: _Plan,
) -> Iterator[tuple[str, Matches]]:
    """Yield the name of each class that a map or the results of its image have anything of, with
    what Cityscapes makes of these results."""
    id_map = read_id_map(map_path)
    if id_map.shape != size:
        shown = [f"{width} x {height}" for height, width in (id_map.shape, size)]
        raise UserError(map_path, f"has {shown[0]} pixels, its image in {plan.path} {shown[1]}")
    try:
        instances, _ = find_instances(id_map)
    except ValueError as error:
        raise UserError(map_path, str(error)) from error
    # pycocotools goes down the columns. OpenCV brings them together in a fifth of numpy's time.
    void = coco_mask.encode(cv2.transpose(_IS_VOID.take(id_map)).T)
    for category_id, label in plan.labels.items():
        there = [instance for instance in instances if instance.label_id == label.id]
        places = [n for n, result in enumerate(results) if result.category_id == category_id]
        if there or places:
            truth = Truth(
                to_rles([(cut_mask(id_map, i), *i.bbox[:2]) for i in there], *size),
                np.array([instance.area for instance in there], np.int64),
                np.array([instance.is_group for instance in there], np.bool_),
            )
            scores = np.array([results[n].score for n in places], np.float64)
            yield label.name, match_frame([rles[n] for n in places], scores, truth, void)


def _sum_up_coco(
    found: Mapping[tuple[Shape, int], Sequence[CocoMatches]],
    shapes: Sequence[Shape],
    names: Mapping[int, str],
) -> tuple[CocoScores, dict[str, dict[str, Curve]]]:
    # COCOeval takes the categories, too, in the order of their ids.
    ordered = sorted(names)
    curves: dict[str, dict[str, Curve]] = {shape: {} for shape in shapes}
    scores = CocoScores({}, {names[number]: {} for number in ordered})
    for shape in shapes:
        frames = [found.get((shape, number), ()) for number in ordered]
        precision = rate_coco_matches(frames)
        scores.average[shape] = _average_precision(precision)
        for place, number in enumerate(ordered):
            of_class = precision[:, :, place : place + 1]
            scores.classes[names[number]][shape] = _average_precision(of_class)
            at_half = of_class[0, :, 0, 0]
            if at_half[0] > -1:
                recall = np.linspace(0, 1, at_half.size)
                end = np.count_nonzero(at_half) + 1
                curves[shape][names[number]] = Curve(recall[:end], at_half[:end])
    return scores, curves


def _average_precision(precision: Floats) -> CocoScore:
    """Return COCO's numbers, by the rule of COCOeval's `summarize`, of precisions for the overlaps
    0.50, 0.55 .. 0.95, the recalls, some categories and the ranges of areas."""
    everything, small, medium, large = np.moveaxis(precision, -1, 0)
    numbers = (everything, everything[0], everything[5], small, medium, large)
    return CocoScore(*(_mean(part[part > -1]) for part in numbers))


def _sum_up_cityscapes(
    found: Mapping[str, Sequence[Matches]],
) -> tuple[CityscapesScores, dict[str, Curve]]:
    """Return Cityscapes' numbers, by the rule of cityscapesscripts' `computeAverages`."""
    curves = {name: find_curves(frames) for name, frames in found.items()}
    rates = {name: rate_curves(of_class) for name, of_class in curves.items()}
    scores = CityscapesScores(
        _average_rates(np.array(list(rates.values()))),
        {name: _average_rates(of_class) for name, of_class in rates.items()},
    )
    return scores, {name: Curve(*of_class[0]) for name, of_class in curves.items() if of_class}


def _average_rates(rates: Floats) -> CityscapesScore:
    return CityscapesScore(*(_mean(part[~np.isnan(part)]) for part in (rates, rates[..., 0])))


def _mean(numbers: Floats) -> float | None:
    return float(numbers.mean()) if numbers.size else None
