"""The results of some images beside the truth, as boxes, to find out what is wrong with them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.reading import group_by_image
from cityscapes_coco.coco.records import Annotation, CocoFile, Result
from cityscapes_coco.coco.segmentations import decode_segmentation, find_size
from cityscapes_coco.pixels.rle import Rle, to_counts
from cityscapes_coco.scores.results import decode_masks

T = TypeVar("T")
# Boxes [x, y, width, height] in pixels, shape (N, 4), float64; NaN for a box that is not there.
Boxes = NDArray[np.float64]
_NOTHING = (np.nan,) * 4
Ints = NDArray[np.int64]

# Enough images, and enough of the best results of each, to tell wrong results from weak ones in
# about a second.
_MOST_IMAGES, _MOST_RESULTS = 60, 50
# The ways to read a mask: as it is, as if run lengths went along the rows, and as if 0 meant 1.
MASKS = ("mask", "along rows", "inverted")
# The IoU from which a box lies on an instance; COCO's AP50 has the same.
OVERLAP = 0.5


class Truth(NamedTuple):
    """The instances of an image without crowds: boxes, (G, 4), and categories, (G,)."""

    boxes: Boxes
    categories: Ints


class Sample(NamedTuple):
    """The best results of an image: categories and scores, (D,), and boxes, (D, 4). `boxes` has the
    boxes of the results as "box", and those around their masks by the names of `MASKS`, as far as
    results have boxes and masks. `size` is (height, width) of the image."""

    image_id: int
    size: tuple[int, int]
    truth: Truth
    categories: Ints
    scores: NDArray[np.float64]
    boxes: Mapping[str, Boxes]


def list_truth(coco: CocoFile) -> dict[int, Truth]:
    grouped = group_by_image(coco.annotations)
    return {int(i.id or 0): _describe_truth(grouped.get(i.id, ())) for i in coco.images}


def sample_images(
    path: Path,
    results_path: Path,
    coco: CocoFile,
    results: Sequence[Result],
    *,
    worst: bool = False,
) -> list[Sample]:
    """Return images that have results, ordered by id: all, or as many as are enough, with the best
    results of each, or with the worst. `path` and `results_path` are the files, for errors."""
    grouped = group_by_image(results)
    with_boxes = any(result.bbox is not UNSET for result in results)
    truth = list_truth(coco)
    images = sorted((int(image.id or 0), image) for image in coco.images if image.id in grouped)
    samples = []
    for number, image in spread(images, _MOST_IMAGES):
        size = find_size(path, image)
        ordered = sorted(grouped[number], key=lambda result: result.score, reverse=not worst)
        best = ordered[:_MOST_RESULTS]
        boxes = _bound_masks(results_path, best, size)
        if with_boxes:
            boxes["box"] = _stack([result.bbox or _NOTHING for result in best])
        categories = np.array([result.category_id for result in best], np.int64)
        scores = np.array([result.score for result in best], np.float64)
        samples.append(Sample(number, size, truth[number], categories, scores, boxes))
    return samples


def measure_overlaps(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the IoU of each box with each of the others, shape (N, M); 0 where a box is NaN."""
    if not len(boxes) or not len(others):
        return np.zeros((len(boxes), len(others)))
    # In C: there may be 60,000 instances.
    one: Any = np.ascontiguousarray(np.nan_to_num(boxes))
    other: Any = np.ascontiguousarray(np.nan_to_num(others))
    return np.asarray(coco_mask.iou(one, other, [0] * len(others)))


def lie_on(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Return whether each box lies on each of the others, shape (N, M)."""
    return measure_overlaps(boxes, others) >= OVERLAP


def spread(things: Sequence[T], most: int) -> list[T]:
    """Return all of some things, or as many as `most`, spread over them evenly."""
    places = np.linspace(0, len(things) - 1, min(len(things), most)).astype(int)
    return [things[place] for place in places]


def count_found(samples: Sequence[Sample], boxes: Iterable[Boxes]) -> int:
    """Count the instances that any box of their image lies on, given the boxes in each image."""
    pairs = zip(samples, boxes, strict=True)
    return sum(int(lie_on(those, s.truth.boxes).any(axis=0).sum()) for s, those in pairs)


def count_possible(samples: Iterable[Sample]) -> int:
    """Count the instances that results could lie on, each on one."""
    return sum(min(len(sample.truth.boxes), len(sample.categories)) for sample in samples)


def list_found(sample: Sample, boxes: Boxes) -> list[tuple[int, int]]:
    """Return, for each instance that a result lies on, the category of the best such result, and
    its own category. A result lies on one instance at most."""
    ious = measure_overlaps(boxes, sample.truth.boxes)
    if not ious.size:
        return []
    ious[ious < ious.max(axis=1, keepdims=True)] = 0
    scores = np.where(ious >= OVERLAP, sample.scores[:, None], -np.inf)
    found = np.flatnonzero(np.isfinite(scores.max(axis=0)))
    best = scores[:, found].argmax(axis=0)
    pairs = zip(sample.categories[best], sample.truth.categories[found], strict=True)
    return [(int(called), int(there)) for called, there in pairs]


def _describe_truth(annotations: Sequence[Annotation]) -> Truth:
    counted = [annotation for annotation in annotations if not annotation.iscrowd]
    categories = np.array([annotation.category_id for annotation in counted], np.int64)
    return Truth(_stack([annotation.bbox or _NOTHING for annotation in counted]), categories)


def _stack(boxes: Sequence[Sequence[float] | Boxes]) -> Boxes:
    return np.array(boxes, np.float64).reshape(-1, 4)


def _bound_masks(path: Path, results: Sequence[Result], size: tuple[int, int]) -> dict[str, Boxes]:
    """Return the boxes around the masks of results, by the ways to read them; nothing if there are
    no masks."""
    if any(result.segmentation is UNSET for result in results):
        return {}
    rles = decode_masks(path, results, size)
    masks = [_bound_mask(result, rle, *size) for result, rle in zip(results, rles, strict=True)]
    return {name: _stack([mask.get(name, _NOTHING) for mask in masks]) for name in MASKS}


def _bound_mask(result: Result, rle: Rle, height: int, width: int) -> dict[str, Boxes]:
    """Return the box around the mask of a result, (4,), by each way to read the mask. A polygon is
    bounded as it is, also outside the image."""
    segmentation = decode_segmentation(result)
    if isinstance(segmentation, list):
        points = np.concatenate(segmentation).reshape(-1, 2)
        return {"mask": np.concatenate((points.min(axis=0), np.ptp(points, axis=0)))}
    edges = np.concatenate(([0], np.cumsum(to_counts(rle))))
    ones, zeros = np.stack((edges[1:-1:2], edges[2::2])), np.stack((edges[:-1:2], edges[1::2]))
    return {
        "mask": _bound_runs(ones, height),
        "along rows": _bound_runs(ones, width)[[1, 0, 3, 2]],
        "inverted": _bound_runs(zeros, height),
    }


def _bound_runs(runs: Ints, length: int) -> Boxes:
    """Return the box around runs in columns of equal length, (4,), given their starts and ends,
    (2, N); NaN without a pixel."""
    starts, ends = runs[:, runs[0] < runs[1]]
    if not starts.size:
        return np.array(_NOTHING)
    x, y = divmod(starts, length)
    last_x, last_y = divmod(ends - 1, length)
    # A run may go on from the foot of a column to the head of the next.
    top, bottom = (0, length) if (x != last_x).any() else (y.min(), last_y.max() + 1)
    return np.array([x.min(), top, last_x.max() + 1 - x.min(), bottom - top], np.float64)
