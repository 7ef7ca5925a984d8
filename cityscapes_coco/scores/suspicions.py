"""Results that are plausible and wrong: what is seen, and what would repair it.

Low scores alone say little: a network may be weak, or its results may be written in another form,
under other ids, or for other images. A search tells which: it undoes each common mistake, and
counts whether results then lie on many more instances, or on many more of their own class.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cityscapes_coco.coco.records import CocoFile, Result
from cityscapes_coco.errors import command
from cityscapes_coco.scores.box_forms import BOX_REMEDY, find_reading
from cityscapes_coco.scores.class_ids import explain_pairs
from cityscapes_coco.scores.coco_score import CocoScores
from cityscapes_coco.scores.image_order import explain_order
from cityscapes_coco.scores.sampling import (
    Boxes,
    Sample,
    count_found,
    count_possible,
    lie_on,
    list_found,
    sample_images,
)

# Results are suspicious if there are so many, and the AP50 of a class is so low.
_FEWEST, _LOW_AP50 = 10, 0.05
# All results are looked at if there are so many.
_FEWEST_FOR_SCORES = 100
# The ids of images are suspicious if only such a share of them has results, and each of these has
# so many times as many as an image has instances.
_SHARE_OF_IMAGES, _CROWDED = 0.25, 3
# Boxes are suspicious if such a share of them end outside of an image so many times as large.
_SHARE_FAR, _FAR = 0.05, 1.25
# Masks are of other results than boxes if at most such a share lies in the box of its result.
_INSIDE = 0.2
# Boxes are wrong if masks lie on so many times as many instances, and hardly a box is half filled;
# scores, if so many times as many of the lowest as of the highest lie on an instance.
_TIMES = 3
# Results have nothing to do with the truth if there are so many, their average AP50 is so low, and
# they lie on no more instances of their images than of others.
_FEWEST_AT_ALL, _NO_AP50 = 20, 0.01

_PLURALS = {"box": "boxes", "mask": "masks"}


class Look(NamedTuple):
    """Boxes, or the boxes around masks, in each image, as they have to be read; how many instances
    they lie on; and a note if that is not as they are."""

    boxes: list[Boxes]
    found: int
    note: str


def find_suspicions(
    path: Path, results_path: Path, coco: CocoFile, results: Sequence[Result], scores: CocoScores
) -> list[str]:
    """Return a line for each thing that seems to be wrong with results. `path` and `results_path`
    are the files, for errors; `scores` are the scores of the results."""
    notes = _look_at_scores(coco, results, scores)
    of_classes = [score.ap50 for found in scores.classes.values() for score in found.values()]
    if len(results) < _FEWEST or not any(n is not None and n < _LOW_AP50 for n in of_classes):
        return notes + _find_far_boxes(coco, results)
    samples = sample_images(path, results_path, coco, results)
    found, best = find_readings(samples)
    order = [] if found else explain_order(samples, best.boxes, coco)
    pairs = Counter(chain.from_iterable(map(list_found, samples, best.boxes)))
    by_chance = compare_with_chance(samples, best)
    called = {result.category_id for result in results}
    found += order or (explain_pairs(pairs, called, coco) if not by_chance else [])
    if not found:
        lowest = sample_images(path, results_path, coco, results, worst=True)
        found += _compare_ends(samples, lowest)
    images = len({result.image_id for result in results})
    if found:
        return notes + say_where(found, len(samples), images)
    if of_few := _count_images(images, len(results), coco):
        return notes + of_few
    averages = [average.ap50 or 0 for average in scores.average.values()]
    is_hopeless = len(results) >= _FEWEST_AT_ALL and min(averages) < _NO_AP50
    hopeless = say_where(by_chance if is_hopeless else [], len(samples), images)
    return notes + _find_far_boxes(coco, results) + hopeless


def find_readings(samples: Sequence[Sample]) -> tuple[list[str], Look]:
    """Return a note for each way in which boxes or masks seem to be wrong, and those of them that
    lie on more instances, read as they have to be."""
    looks = {shape: _look(samples, shape) for shape in _PLURALS if shape in samples[0].boxes}
    notes = [look.note for look in looks.values() if look.note] or _compare_shapes(looks)
    return notes, max(looks.values(), key=lambda look: look.found)


def say_where(notes: Sequence[str], samples: int, images: int) -> list[str]:
    """Return notes on so many sample images, which say so if there are others."""
    where = f"in {samples} of {images} images, " if samples < images else ""
    return [where + note for note in notes]


def _look(samples: Sequence[Sample], shape: str) -> Look:
    boxes = [sample.boxes[shape] for sample in samples]
    found, total = count_found(samples, boxes), sum(map(len, boxes))
    if reading := find_reading(samples, shape):
        read = [*map(reading.read, samples)]
        more = count_found(samples, read)
        instances = sum(len(sample.truth.boxes) for sample in samples)
        note = f"{_PLURALS[shape]} lie on {found} of {instances} instances, and on {more} if they"
        note += f" are read as {reading.name}"
        if shape == "box" and (outside := sum(map(_count_outside, samples))):
            note += f" ({outside} of {total} leave their image)"
        return Look(read, more, f"{note}: {reading.remedy}")
    empty = sum(int(np.isnan(of_image).any(axis=1).sum()) for of_image in boxes)
    if shape == "mask" and 2 * empty > total:
        return Look(boxes, found, f"{empty} of {total} masks have no pixel")
    return Look(boxes, found, "")


def _count_outside(sample: Sample) -> int:
    """Count the boxes that leave their image by more than a pixel."""
    ends = sample.boxes["box"][:, :2] + sample.boxes["box"][:, 2:]
    return int((ends > np.array(sample.size[::-1]) + 1).any(axis=1).sum())


def _look_at_scores(coco: CocoFile, results: Sequence[Result], scores: CocoScores) -> list[str]:
    """Return notes on what hardly a network has: scores below 0, one score for all results, and an
    AP of 1 with no more results than instances."""
    if len(results) < _FEWEST_FOR_SCORES:
        return []
    notes = []
    if (lowest := min(result.score for result in results)) < 0:
        notes.append(f"scores go down to {lowest:g}: is a higher score a better one?")
    if len({result.score for result in results}) == 1:
        notes.append(
            f"all {len(results)} results have the score {results[0].score:g}: their order in the"
            " file decides which of them count first"
        )
    is_right = all(average.ap == 1 for average in scores.average.values())
    if is_right and len(results) <= len(coco.annotations):
        notes.append("an AP of 1: are the results the truth itself?")
    return notes


def _find_far_boxes(coco: CocoFile, results: Sequence[Result]) -> list[str]:
    """Return a note if many boxes end far outside of their image, be it in some images only."""
    if len(results) < _FEWEST_FOR_SCORES:
        return []
    sizes = {int(image.id or 0): (image.width or 0, image.height or 0) for image in coco.images}
    boxes = [(result.bbox, sizes[int(result.image_id)]) for result in results if result.bbox]
    far = sum(
        x + width > _FAR * most_x or y + height > _FAR * most_y
        for (x, y, width, height), (most_x, most_y) in boxes
    )
    if not far or far < _SHARE_FAR * len(boxes):
        return []
    return [f"{far} of {len(boxes)} boxes end far outside of their image: {BOX_REMEDY}"]


def _compare_ends(samples: Sequence[Sample], lowest: Sequence[Sample]) -> list[str]:
    """Return a note if the results with the lowest scores lie on instances, and those with the
    highest scores do not."""
    shape = "box" if "box" in samples[0].boxes else "mask"
    halves = [len(sample.scores) // 2 for sample in samples]
    low, high = (
        sum(
            int(lie_on(sample.boxes[shape][:half], sample.truth.boxes).any(axis=1).sum())
            for sample, half in zip(some, halves, strict=True)
        )
        for some in (lowest, samples)
    )
    if low < max(_FEWEST, _TIMES * high):
        return []
    return [
        f"of the results with the lowest scores {low} of {sum(halves)} lie on an instance, and of"
        f" those with the highest {high}: do scores say how wrong a result is?"
    ]


def _count_images(images: int, results: int, coco: CocoFile) -> list[str]:
    """Return a note if results of many images seem to be under the ids of a few."""
    instances = len(coco.annotations) / len(coco.images)
    if images > _SHARE_OF_IMAGES * len(coco.images) or results / images < _CROWDED * instances:
        return []
    return [
        f"all {results} results are of {images} of {len(coco.images)} images: is image_id a place"
        " in a batch? or are results missing?"
    ]


def _compare_shapes(looks: Mapping[str, Look]) -> list[str]:
    """Return a note if hardly a mask lies in the box of its result, or if only masks lie on
    instances, and hardly a box is around its mask."""
    if len(looks) < 2:
        return []
    boxes, masks = (np.concatenate(looks[shape].boxes) for shape in ("box", "mask"))
    both = np.isfinite(boxes).all(axis=1) & np.isfinite(masks).all(axis=1)
    boxes, masks = boxes[both], masks[both]
    starts = np.maximum(boxes[:, :2], masks[:, :2])
    ends = np.minimum(boxes[:, :2] + boxes[:, 2:], masks[:, :2] + masks[:, 2:])
    common = np.maximum(ends - starts, 0).prod(axis=1)
    inside = int((2 * common >= masks[:, 2:].prod(axis=1)).sum())
    filled = int((2 * common >= boxes[:, 2:].prod(axis=1)).sum())
    counts = [(inside, "masks lie in the box")]
    if looks["mask"].found >= _FEWEST + _TIMES * looks["box"].found:
        counts.append((filled, "boxes are half filled by the mask"))
    count, what = min(counts)
    if len(masks) < _FEWEST or count > _INSIDE * len(masks):
        return []
    return [
        f"boxes lie on {looks['box'].found} instances and masks on {looks['mask'].found}, but only"
        f" {count} of {len(masks)} {what} of their result: do they belong together?"
    ]


def compare_with_chance(samples: Sequence[Sample], look: Look) -> list[str]:
    """Return a note if boxes lie on no more instances of their images than of others."""
    turns = range(1, min(len(samples), 6))
    turned = ([*samples[turn:], *samples[:turn]] for turn in turns)
    by_chance = [count_found(others, look.boxes) for others in turned] or [0]
    mean = sum(by_chance) / len(by_chance)
    # Two standard deviations of a number of rare events.
    if look.found > mean + 2 * mean**0.5:
        return []
    compared = ", no more than on instances of other images" if len(samples) > 1 else ""
    return [
        f"hardly a result lies on anything: on {look.found} instances of"
        f" {count_possible(samples)}, whatever their class{compared}; are the results of another"
        " set of images, or of a network that was not trained?"
        f" Draw them: {command('inspect')} --results"
    ]
