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
from cityscapes_coco.scores.box_forms import find_reading
from cityscapes_coco.scores.class_ids import explain_pairs
from cityscapes_coco.scores.coco_score import CocoScores
from cityscapes_coco.scores.image_order import explain_order
from cityscapes_coco.scores.sampling import (
    Boxes,
    Sample,
    count_found,
    count_possible,
    list_found,
    sample_images,
)

# Results are suspicious if there are so many, and the AP50 of a class is so low.
_FEWEST, _LOW_AP50 = 10, 0.05
# Masks are of other results than boxes if at most such a share lies in the box of its result.
_INSIDE = 0.2
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
    of_classes = [score.ap50 for found in scores.classes.values() for score in found.values()]
    if len(results) < _FEWEST or not any(n is not None and n < _LOW_AP50 for n in of_classes):
        return []
    samples = sample_images(path, results_path, coco, results)
    notes, best = find_readings(samples)
    order = [] if notes else explain_order(samples, best.boxes, coco)
    pairs = Counter(chain.from_iterable(map(list_found, samples, best.boxes)))
    notes += order or explain_pairs(pairs, {result.category_id for result in results}, coco)
    averages = [average.ap50 or 0 for average in scores.average.values()]
    if not notes and len(results) >= _FEWEST_AT_ALL and min(averages) < _NO_AP50:
        notes += compare_with_chance(samples, best)
    return say_where(notes, len(samples), len({result.image_id for result in results}))


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


def _compare_shapes(looks: Mapping[str, Look]) -> list[str]:
    """Return a note if hardly a mask lies in the box of its result."""
    if len(looks) < 2:
        return []
    boxes, masks = (np.concatenate(looks[shape].boxes) for shape in ("box", "mask"))
    both = np.isfinite(boxes).all(axis=1) & np.isfinite(masks).all(axis=1)
    boxes, masks = boxes[both], masks[both]
    starts = np.maximum(boxes[:, :2], masks[:, :2])
    ends = np.minimum(boxes[:, :2] + boxes[:, 2:], masks[:, :2] + masks[:, 2:])
    common = np.maximum(ends - starts, 0).prod(axis=1)
    inside = int((2 * common >= masks[:, 2:].prod(axis=1)).sum())
    if len(masks) < _FEWEST or inside > _INSIDE * len(masks):
        return []
    return [
        f"boxes lie on {looks['box'].found} instances and masks on {looks['mask'].found}, but only"
        f" {inside} of {len(masks)} masks lie in the box of their result: do they belong together?"
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
    return [
        f"hardly a result lies on anything: on {look.found} instances of"
        f" {count_possible(samples)}, whatever their class, no more than on instances of other"
        " images; are the results of another set of images, or of a network that was not trained?"
        f" Draw them: {command('inspect')} --results"
    ]
