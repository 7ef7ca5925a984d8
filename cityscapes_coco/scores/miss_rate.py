"""CityPersons' own score: the log-average miss rate of boxes, for four setups.

It follows the authors' `eval_MR_multisetup.py`. A setup asks for bodies of some heights
and visibilities. All other truth is ignored: bodies outside of these ranges, other categories, and
regions that no detector is asked about. A false positive per image, FPPI, is a result that is on
none of the truth.

Letters in shapes: D predictions, best first; G annotations.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET, Struct
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.reading import group_by_image, name_categories, read_options
from cityscapes_coco.coco.records import Annotation, CocoFile, Result

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_OVERLAP = 0.5
_MOST = 1000  # predictions of an image that count, the best ones
_WIDER = 1.25  # how far the height of a prediction may be outside of a setup's heights
_FPPI = (0.0100, 0.0178, 0.0316, 0.0562, 0.1000, 0.1778, 0.3162, 0.5623, 1.0000)


class Setup(NamedTuple):
    """The least and the greatest height, in pixels, and visibility, 0..1, that truth may have."""

    name: str
    heights: tuple[float, float]
    visibilities: tuple[float, float]


SETUPS = (
    Setup("Reasonable", (50, math.inf), (0.65, math.inf)),
    Setup("Reasonable_small", (50, 75), (0.65, math.inf)),
    Setup("Reasonable_occ=heavy", (50, math.inf), (0.2, 0.65)),
    Setup("All", (20, math.inf), (0.2, math.inf)),
)


class MissRates(Struct):
    """The log-average miss rate of a category, by the name of the setup; None where the setup asks
    for nothing that is there."""

    category: str
    setups: dict[str, float | None]


class _Matches(NamedTuple):
    """The predictions of an image that count: `scores` and `are_true`, (D,), and how much truth
    there is to find."""

    scores: Floats
    are_true: Bools
    truth: int


def find_miss_rates(coco: CocoFile, results: Sequence[Result]) -> tuple[MissRates | None, str]:
    """Return the miss rates of the first category of a file, and a note if they cannot be had; None
    without a note if the file is not of CityPersons' boxes."""
    if all(annotation.vis_ratio is UNSET for annotation in coco.annotations):
        return None, ""
    if reason := _find_obstacle(coco, results):
        return None, f"CityPersons' miss rate cannot be had: {reason}"
    category = coco.categories[0].id
    annotations = group_by_image(coco.annotations)
    predictions = group_by_image(result for result in results if result.category_id == category)
    images = sorted(int(image.id or 0) for image in coco.images)
    setups = {}
    for setup in SETUPS:
        matches = [
            _match(annotations.get(number, ()), predictions.get(number, ()), setup, category)
            for number in images
        ]
        setups[setup.name] = _rate(matches)
    return MissRates(name_categories(coco)[category], setups), ""


def _find_obstacle(coco: CocoFile, results: Sequence[Result]) -> str:
    """Return why there can be no miss rates; nothing if there can."""
    has_regions = any(annotation.ignore or annotation.iscrowd for annotation in coco.annotations)
    # There may be none in a few frames.
    if not has_regions and read_options(coco).crowd == "drop":
        return "the COCO file has no ignore regions; convert with --crowd keep"
    if any(result.bbox is UNSET for result in results):
        return "the results have no boxes"
    for annotation in coco.annotations:
        may_count = _may_count(annotation, coco.categories[0].id)
        if may_count and UNSET in (annotation.height, annotation.vis_ratio):
            return f"annotation {annotation.id} has no height or no vis_ratio"
    return ""


def _match(
    annotations: Iterable[Annotation], predictions: Iterable[Result], setup: Setup, category: object
) -> _Matches:
    """Match the predictions of one image. A prediction on ignored truth does not count.

    It takes the free truth of the greatest IoU, of equals the later; or else any ignored truth,
    which others may take, too, and which has to cover half of the prediction.
    """
    (low, high), (least, most) = setup.heights, setup.visibilities
    regular: list[Any] = []
    ignored: list[Any] = []
    for annotation in annotations:
        box = list(annotation.bbox or ())
        is_regular = (
            _may_count(annotation, category)
            and low <= (annotation.height or 0) <= high
            and least <= (annotation.vis_ratio or 0) <= most
        )
        (regular if is_regular else ignored).append(box)
    best = sorted(predictions, key=lambda result: -result.score)[:_MOST]
    best = [r for r in best if r.bbox and low / _WIDER <= r.bbox[3] < high * _WIDER]
    boxes = [list(result.bbox or ()) for result in best]
    to_regular = _measure(boxes, regular, are_ignored=False)
    covered = _measure(boxes, ignored, are_ignored=True).max(axis=1, initial=0)
    found: set[int] = set()
    scores, are_true = [], []
    for result, ious, share in zip(best, to_regular.tolist(), covered.tolist(), strict=True):
        free = [(iou, n) for n, iou in enumerate(ious) if iou >= _OVERLAP and n not in found]
        if free:
            found.add(max(free)[1])
        if free or share < _OVERLAP:
            scores.append(result.score)
            are_true.append(bool(free))
    return _Matches(np.array(scores, float), np.array(are_true, bool), len(regular))


def _may_count(annotation: Annotation, category: object) -> bool:
    """Return whether an annotation is to be found if a setup asks for its height and visibility."""
    is_ignored = annotation.ignore or annotation.iscrowd
    return annotation.category_id == category and not is_ignored


def _measure(boxes: list[Any], truth: list[Any], are_ignored: bool) -> Floats:
    """Return the IoU of each prediction with each annotation, (D, G); for ignored ones the share of
    the prediction that they cover."""
    if not boxes or not truth:
        return np.zeros((len(boxes), len(truth)))
    return np.array(coco_mask.iou(boxes, truth, [int(are_ignored)] * len(truth)))


def _rate(images: Sequence[_Matches]) -> float | None:
    """Return the log-average miss rate: exp of the mean of log(1 - recall) at nine FPPIs.

    The recall at an FPPI is the last one that is reached with it or less. If even the first
    prediction is a false one too many, the authors' code takes the last recall of all: its index is
    -1. That happens with fewer than 100 images only.
    """
    total = sum(image.truth for image in images)
    if not total:
        return None
    scores = np.concatenate([image.scores for image in images])
    order = np.argsort(-scores, kind="stable")
    are_true = np.concatenate([image.are_true for image in images])[order]
    if not are_true.size:
        return 1.0
    recalls = np.cumsum(are_true) / total
    fppi = np.cumsum(~are_true) / len(images)
    reached = recalls[np.searchsorted(fppi, _FPPI, side="right") - 1]
    with np.errstate(divide="ignore"):  # all are found: log(0) is -inf, and exp of that 0
        return float(np.exp(np.log(1 - reached).mean()))
