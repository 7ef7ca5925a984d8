"""Results under the ids of other images: which images they are of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.coco.records import CocoFile, PanopticFile
from cityscapes_coco.scores.sampling import Boxes, Sample, lie_on, list_truth, spread

# So many images, with so many of their best results each, are looked for among all images.
_IMAGES, _RESULTS = 20, 30
# Results are of another image if they lie on so many of its instances, beside so many times as many
# as in the next best image, and on so large a share of those that they could lie on.
_FEWEST, _TIMES, _SHARE = 3, 2, 0.3
# An order explains where they are if it is right for such a share of the images.
_AGREEING = 0.8


def explain_order(samples: Sequence[Sample], boxes: Sequence[Boxes], coco: CocoFile) -> list[str]:
    """Return a note if the results of the samples are of other images: which these are, and what
    would repair that. `boxes` has the boxes of the results of each sample."""
    truth = {number: there.boxes for number, there in sorted(list_truth(coco).items())}
    ids = [*truth]
    pairs = spread([*zip(samples, boxes, strict=True)], _IMAGES)
    found = {s.image_id: _count_in_all(of_image, [*truth.values()]) for s, of_image in pairs}
    others: dict[int, int] = {}
    for number, counts in found.items():
        [*_, second, first] = sorted([0, *counts.tolist()])
        best = ids[int(counts.argmax())]
        least = max(_FEWEST + _TIMES * second, _SHARE * min(_RESULTS, len(truth[best])))
        if best != number and first >= least:
            others[number] = best
    # Images with few instances fit many others.
    if not others or 2 * len(others) < sum(counts.max() >= _FEWEST for counts in found.values()):
        return []
    own = sum(int(found[number][ids.index(number)]) for number in others)
    total = sum(int(found[number][ids.index(other)]) for number, other in others.items())
    return [
        f"the results of {len(others)} of {len(found)} images lie on {own} instances of their"
        f" image, and on {total} of another one: {_name_order(others, coco)}"
    ]


def _count_in_all(boxes: Boxes, truth: Sequence[Boxes]) -> NDArray[np.int64]:
    """Count the instances of each image that any of the boxes lies on."""
    boxes = boxes[np.isfinite(boxes).all(axis=1)][:_RESULTS]
    owners = np.repeat(np.arange(len(truth)), [len(of_image) for of_image in truth])
    found = lie_on(boxes, np.concatenate(truth)).any(axis=0)
    return np.bincount(owners[found], minlength=len(truth))


def _name_order(others: Mapping[int, int], coco: CocoFile) -> str:
    """Return how images have to be moved: by one number, into the order of their names, or else."""
    shifts = Counter(other - number for number, other in others.items())
    [(shift, times)] = shifts.most_common(1)
    if times >= _AGREEING * len(others):
        if isinstance(coco, PanopticFile):
            return f"each fits the image {abs(shift)} {'after' if shift > 0 else 'before'} its own"
        return f"they would be right with image ids {'+' if shift > 0 else '-'} {abs(shift)}"
    ids = sorted(int(image.id or 0) for image in coco.images)
    by_name = sorted(coco.images, key=lambda image: image.file_name or "")
    renamed = {number: int(image.id or 0) for number, image in zip(ids, by_name, strict=True)}
    times = sum(renamed[number] == other for number, other in others.items())
    if times >= _AGREEING * len(others):
        return "they would be right with images in the order of their names"
    pair: list[Any] = [*min(others.items())]
    if isinstance(coco, PanopticFile):
        pair = [coco.records.images[number - 1].id for number in pair]
    return f"are the images in another order? Those of image {pair[0]} fit image {pair[1]}"
