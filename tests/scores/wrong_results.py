"""Results that are plausible and wrong, made from right ones, and results that are only weak.

Each function takes a COCO file and its results, and returns results for the same file. What is said
about them is in test_suspicions.py.
"""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from tests.oracle import Coco, count_runs, decode, encode

HEIGHT, WIDTH = 1024, 2048
Results = list[Coco]
Make = Callable[[Coco, Results], Results]

NAMES = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
OF_COCO = {"person": 1, "bicycle": 2, "car": 3, "motorcycle": 4, "bus": 6, "train": 7, "truck": 8}


def right(coco: Coco, results: Results) -> Results:
    return results


def called(number_of: Callable[[str], int | None]) -> Make:
    """Results with the category ids that `number_of` has for names; none for a name that it lacks,
    and none that the file does not have."""

    def make(coco: Coco, results: Results) -> Results:
        names = {category["id"]: category["name"] for category in coco["categories"]}
        numbers = [(number_of(names[result["category_id"]]), result) for result in results]
        return [result | {"category_id": n} for n, result in numbers if n in names]

    return make


def in_order(names: Sequence[str], first: int = 1) -> Make:
    return called({name: number for number, name in enumerate(names, first)}.get)


def in_order_of(permutation: str) -> Make:
    """Ids as if classes 1 to 8 came in the given order, such as "87654321"."""
    return in_order([NAMES[int(digit) - 1] for digit in permutation])


def boxed(change: Callable[[float, float, float, float], Sequence[float]]) -> Make:
    """Results whose boxes are changed; masks stay as they are."""
    return lambda coco, results: [r | {"bbox": [*change(*r["bbox"])]} for r in results]


def without_masks(make: Make = right) -> Make:
    return lambda coco, results: [
        {name: value for name, value in result.items() if name != "segmentation"}
        for result in make(coco, results)
    ]


def share(change: Callable[..., Sequence[float]]) -> Callable[..., list[float]]:
    """The same as shares of the image, x and y in turn."""
    return lambda x, y, w, h: [*change(x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT)]


def same(x: float, y: float, w: float, h: float) -> list[float]:
    return [x, y, w, h]


def scaled(by: float, by_height: float = 0, down: float = 0) -> Callable[..., list[float]]:
    """Boxes of an image that was resized, and then padded on top."""
    dy = by_height or by
    return lambda x, y, w, h: [x * by, y * dy + down, w * by, h * dy]


def corners(x: float, y: float, w: float, h: float) -> list[float]:
    return [x, y, x + w, y + h]


def center(x: float, y: float, w: float, h: float) -> list[float]:
    return [x + w / 2, y + h / 2, w, h]


def masked(change: Callable[[Coco], object]) -> Make:
    """Results whose masks are changed; boxes stay as they are."""
    return lambda _, results: [r | {"segmentation": change(r["segmentation"])} for r in results]


def outlined(change: Callable[[float, float], tuple[float, float]]) -> Make:
    """Results with the boxes as polygons, whose points are changed."""

    def outline(x: float, y: float, w: float, h: float) -> list[list[float]]:
        points = (x, y), (x + w, y), (x + w, y + h), (x, y + h)
        return [[value for point in points for value in change(*point)]]

    return lambda _, results: [r | {"segmentation": outline(*r["bbox"])} for r in results]


def along_rows(mask: Coco) -> Coco:
    """Run lengths along the rows, as in numpy's order, under the size of the image."""
    counts = count_runs(decode(mask, HEIGHT, WIDTH).T)
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def emptied(mask: Coco) -> Coco:
    return {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}


def inverted(mask: Coco) -> Coco:
    return encode(~decode(mask, HEIGHT, WIDTH))


def shrunk(mask: Coco) -> Coco:
    """The mask in half the size, in the upper left quarter of the image."""
    small = np.zeros((HEIGHT, WIDTH), bool)
    small[: HEIGHT // 2, : WIDTH // 2] = decode(mask, HEIGHT, WIDTH)[::2, ::2]
    return encode(small)


def mirrored(mask: Coco) -> Coco:
    return encode(decode(mask, HEIGHT, WIDTH)[:, ::-1])


def shown_by(image_of: Callable[[int], int]) -> Make:
    """Results of each image under the id of another; those for no image are left out."""

    def make(coco: Coco, results: Results) -> Results:
        ids = {image["id"] for image in coco["images"]}
        moved = [result | {"image_id": image_of(result["image_id"])} for result in results]
        return [result for result in moved if result["image_id"] in ids]

    return make


def weak(coco: Coco, results: Results, share_right: float = 0.1) -> Results:
    """One in ten is right; the others lie anywhere, as a network does that has learned little."""
    draw = Random(1).random
    found = []
    for number, result in enumerate(results):
        if number % round(1 / share_right) == 0:
            found.append(result)
            continue
        x, y, w, h = result["bbox"]
        x, y = draw() * (WIDTH - w), draw() * (HEIGHT - h)
        found.append(result | {"bbox": [x, y, w, h]})
        if "segmentation" not in result:
            continue
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[int(y) : int(y + h) + 1, int(x) : int(x + w) + 1] = True
        found[-1]["segmentation"] = encode(mask)
    return found


def loose(coco: Coco, results: Results) -> Results:
    """Each box moved by up to half of its size; no masks."""
    draw = Random(2).random
    moved = boxed(lambda x, y, w, h: [x + w * (draw() - 0.5), y + h * (draw() - 0.5), w, h])
    return without_masks(moved)(coco, results)


def unsure(coco: Coco, results: Results) -> Results:
    """Every second class is another one of its kind: a truck for a car, a rider for a person."""
    draw = Random(3).random
    kinds = [[1, 2], [3, 4, 5, 6], [7, 8]]
    alike = {number: kind for kind in kinds for number in kind}
    found = []
    for result in results:
        kind = alike[result["category_id"]]
        is_sure = draw() < 0.5
        found.append(result if is_sure else result | {"category_id": kind[int(draw() * len(kind))]})
    return found


def guessed(coco: Coco, results: Results) -> Results:
    """Classes at random."""
    draw = Random(4).random
    return [result | {"category_id": 1 + int(draw() * 8)} for result in results]


def never_right(coco: Coco, results: Results) -> Results:
    """Any class but the right one, at random."""
    draw = Random(7).random
    return [r | {"category_id": (r["category_id"] + int(draw() * 7)) % 8 + 1} for r in results]


def crowded(coco: Coco, results: Results) -> Results:
    """A hundred weak guesses in each image beside the results, as detectors give with a low
    threshold."""
    draw = Random(5).random
    guesses = []
    for image in coco["images"]:
        for _ in range(100):
            w, h = 10 + 200 * draw(), 10 + 200 * draw()
            box = [draw() * (WIDTH - w), 200 + draw() * (HEIGHT - 200 - h), w, h]
            ids = {"image_id": image["id"], "category_id": 1 + int(draw() * 8)}
            guesses.append(ids | {"bbox": box, "score": draw() / 4})
    return without_masks()(coco, results) + guesses


def under_each_class(coco: Coco, results: Results) -> Results:
    """Every mask under each class, as models of the DETR family have it."""
    draw = Random(6).random
    return [
        result | {"category_id": n, "score": result["score"] * (1 if is_it else draw() / 2)}
        for result in results
        for n in range(1, 9)
        for is_it in [n == result["category_id"]]
    ]


def only(*names: str) -> Make:
    def make(coco: Coco, results: Results) -> Results:
        ids = {c["id"] for c in coco["categories"] if c["name"] in names}
        return [result for result in results if result["category_id"] in ids]

    return make
