"""Results under the ids of other images."""

import numpy as np
import pytest

from cityscapes_coco.coco.records import Annotation, CocoFile, Image
from cityscapes_coco.scores.image_order import explain_order
from cityscapes_coco.scores.sampling import Sample, list_truth

IDS = [3, 4, 5, 6, 7, 8]


def make_file(step: int, instances: int = 5) -> CocoFile:
    """A file whose images have so many instances, so many pixels from those of the next image."""
    images = [Image(number, f"{9 - number % 3}_{number}.png") for number in IDS]
    places = [(n, (step * n, 50 * k, 40, 30)) for n in IDS for k in range(instances)]
    annotations = [Annotation(image_id=n, category_id=1, iscrowd=0, bbox=box) for n, box in places]
    return CocoFile([], images, annotations)


def explain(images: dict[int, int], step: int = 100, instances: int = 5) -> list[str]:
    """What is said of five results that have one id and are of another image."""
    coco = make_file(step, instances)
    truth = list_truth(coco)
    boxes = [truth[image].boxes[:5] for image in images.values()]
    samples = [Sample(n, (1000, 1000), truth[n], np.zeros(0, int), np.zeros(0), {}) for n in images]
    return explain_order(samples, boxes, coco)


SHIFTED = {3: 4, 4: 5, 5: 6, 6: 7, 7: 8}
MOVED: dict[str, dict[int, int]] = {
    "they would be right with image ids + 1": SHIFTED,
    "they would be right with image ids - 2": {5: 3, 6: 4, 7: 5, 8: 6},
    "are the images in another order? Those of image 3 fit image 6": {3: 6, 4: 3, 5: 8, 6: 4},
}


@pytest.mark.parametrize("says", MOVED)
def test_images_that_results_fit_are_named(says: str) -> None:
    [note] = explain(MOVED[says])
    number = sum(image != other for image, other in MOVED[says].items())
    assert note.startswith(f"the results of {number} of {len(MOVED[says])} images lie on 0 inst")
    assert note.endswith(f"and on {5 * number} of another one: {says}")


def test_results_of_their_images_or_of_several_or_of_none_fit_no_others() -> None:
    assert explain({number: number for number in IDS}) == []
    assert explain({3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 8: 7}) == []
    # Instances are in the same places in all images, or nearly so; or there are too many.
    assert explain(SHIFTED, step=0) == explain(SHIFTED, step=5) == []
    assert explain(SHIFTED, instances=16) and explain(SHIFTED, instances=17) == []
