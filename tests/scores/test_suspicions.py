"""Results that are plausible and wrong get a note that says what would repair them; others none."""

import copy
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cityscapes_coco.scores import suspicions
from cityscapes_coco.scores.evaluate import evaluate_results
from tests.conftest import Capture, Coco
from tests.files import GOLDEN_VAL, PREDICTIONS, load, write_json
from tests.scores import wrong_results as wrong
from tests.scores.conftest import annotated, score
from tests.scores.wrong_results import Make, Results

GOLDEN_TRAIN = GOLDEN_VAL.with_name(GOLDEN_VAL.name.replace("val", "train"))


@cache
def base(name: str) -> tuple[Coco, Results]:
    """A COCO file, and results for it: those of the sample, or boxes that are just the truth."""
    if name == "sample":
        return load(GOLDEN_VAL), json.loads(PREDICTIONS.read_bytes())
    return load(GOLDEN_TRAIN), wrong.without_masks()({}, annotated(GOLDEN_TRAIN))


def notes(folder: Path, name: str, make: Make) -> list[str]:
    """Return the notes about results that are made of others, without those of Cityscapes' score,
    which there are no maps for."""
    coco, results = base(name)
    path = write_json(folder / "coco.json", coco)
    made = write_json(folder / "results.json", make(coco, results))
    found = evaluate_results(path, made, folder).notes
    return [text for text in found if not text.startswith("Cityscapes' score cannot be had")]


def shift(number: int) -> Make:
    return wrong.called(lambda name: wrong.NAMES.index(name) + 1 + number)


def both(first: Make, second: Make) -> Make:
    return lambda coco, results: second(coco, first(coco, results))


# What would repair the ids of classes, or what is said; what is done to them; and how many results
# are right then, of the sample and of the truth of train.
ALPHABET = sorted(wrong.NAMES)
COCO_FROM_0 = wrong.called(lambda name: wrong.OF_COCO.get(name, 0) - 1)
CLASSES: list[tuple[str, Make, int, int]] = [
    ("classes in alphabetical order, counted from 1", wrong.in_order(ALPHABET), 20, 81),
    ("classes in alphabetical order, counted from 0", wrong.in_order(ALPHABET, 0), 18, 74),
    ("COCO's own ids", wrong.called(wrong.OF_COCO.get), 20, 77),
    ("COCO's own classes, counted from 0", COCO_FROM_0, 14, 55),
    ("ids - 1", shift(1), 18, 74),
    ("ids + 1", shift(-1), 14, 59),
    ("ids - 1", both(wrong.only(*wrong.NAMES[1:]), shift(1)), 12, 52),
    ("ids - 1", both(wrong.only(*wrong.NAMES[:-1]), shift(1)), 18, 74),
    ("ids + 1", both(wrong.only(*wrong.NAMES[1:]), shift(-1)), 14, 59),
    ("ids - 1", both(wrong.under_each_class, shift(1)), 18, 74),
    ("car instead of person, person instead of car", wrong.in_order_of("32145678"), 20, 81),
    ("; car is the only class of the results", wrong.called(lambda name: 3), 0, 0),
    ("; person is the only class of the results", wrong.called(lambda name: 1), 0, 0),
    ("car instead of train, ", wrong.in_order_of("87654321"), 0, 0),
    ("car instead of person, ", wrong.in_order_of("31475286"), 0, 0),
]


@pytest.mark.parametrize(("says", "make", "first", "second"), CLASSES)
def test_class_ids_are_told(says: str, make: Make, first: int, second: int, tmp_path: Path) -> None:
    for name, right in ("sample", first), ("train", second):
        [text] = notes(tmp_path, name, make)
        assert (f"with {says}, {right} would be right" if right else says) in text
        assert " results that lie on an instance have the id of another class, such as " in text


# As what boxes are to be read, and what is done to them.
XYWH, OF_SOME = "[x, y, width, height]", "[x, y, width, height] of an image of some"
BOXES: dict[str, Callable[..., Sequence[float]]] = {
    "[x1, y1, x2, y2]": wrong.corners,
    "[center x, center y, width, height]": wrong.center,
    "[y, x, height, width]": lambda x, y, w, h: [y, x, h, w],
    "[y1, x1, y2, x2]": lambda x, y, w, h: [y, x, y + h, x + w],
    "[x, y, height, width]": lambda x, y, w, h: [x, y, h, w],
    "[x1, x2, y1, y2]": lambda x, y, w, h: [x, x + w, y, y + h],
    f"{XYWH} in shares of the image": wrong.share(wrong.same),
    "[x1, y1, x2, y2] in shares of the image": wrong.share(wrong.corners),
    "[center x, center y, width, height] in shares of the image": wrong.share(wrong.center),
    "[y1, x1, y2, x2] in shares of the image": wrong.share(lambda x, y, w, h: [y, x, y + h, x + w]),
    f"{OF_SOME} 1024 x 512 pixels": wrong.scaled(1 / 2),
    f"{OF_SOME} 4096 x 2048 pixels": wrong.scaled(2),
    f"{OF_SOME} 640 x 640 pixels": wrong.scaled(640 / 2048, 640 / 1024),
    f"{OF_SOME} 640 x 320 pixels that was padded or cut": wrong.scaled(640 / 2048, down=160),
    "[center x, center y, width, height] in shares of an image that was padded or cut": wrong.share(
        lambda x, y, w, h: [x + w / 2, y / 2 + h / 4 + 0.25, w, h / 2]
    ),
    "[x1, y1, x2, y2] of an image of some 1333 x 666 pixels": (
        lambda *box: wrong.corners(*wrong.scaled(1333 / 2048)(*box))
    ),
    "mirrored from left to right": lambda x, y, w, h: [2048 - x - w, y, w, h],
    "counted from the bottom": lambda x, y, w, h: [x, 1024 - y - h, w, h],
    "turned by 180 degrees": lambda x, y, w, h: [2048 - x - w, 1024 - y - h, w, h],
}


@pytest.mark.parametrize("form", BOXES)
def test_other_forms_of_boxes_are_named(form: str, tmp_path: Path) -> None:
    """Alone, where they are all the truth, and beside masks that are right."""
    remedy = "write [x, y, width, height] in pixels"
    if " an image" in form or "[" not in form:
        remedy = "resize them to their image" if "[" in form else "photograph"
    [text] = notes(tmp_path, "train", wrong.without_masks(wrong.boxed(BOXES[form])))
    assert f" of 81 instances, and on 81 if they are read as {form}" in text
    assert text.startswith("boxes lie on ") and text.endswith(remedy)
    [text] = notes(tmp_path, "sample", wrong.boxed(BOXES[form]))
    assert f" of 34 instances, and on 25 if they are read as {form}" in text


def test_boxes_that_leave_their_image_are_counted(tmp_path: Path) -> None:
    coco, results = base("train")
    changed = wrong.boxed(wrong.corners)(coco, results)
    outside = sum(x + w > 2049 or y + h > 1025 for x, y, w, h in (r["bbox"] for r in changed))
    [text] = notes(tmp_path, "train", wrong.boxed(wrong.corners))
    assert f"read as [x1, y1, x2, y2] ({outside} of 81 leave their image): write [x, y," in text


# Masks: as what they are to be read, and what is done to them.
MASKS: dict[str, Make] = {
    "read as masks of an image of some 1024 x 512 pixels: resize": (
        wrong.outlined(lambda x, y: (x / 2, y / 2))
    ),
    "read as masks in shares of the image: write [x0, y0, x1, y1, ...] in pixels": (
        wrong.outlined(lambda x, y: (x / 2048, y / 1024))
    ),
    "read as masks with y before x: write [x0, y0, x1, y1, ...] in pixels": (
        wrong.outlined(lambda x, y: (y, x))
    ),
    "read as run lengths along rows: encode them down the columns": wrong.masked(wrong.along_rows),
    "read as run lengths inverted: encode them with 1 for the": wrong.masked(wrong.inverted),
    "read as masks of an image of some 1024 x 509 pixels: resize them to their image": (
        wrong.masked(wrong.shrunk)
    ),
    "read as mirrored from left to right: write them as they are": wrong.masked(wrong.mirrored),
    "46 of 46 masks have no pixel": wrong.masked(wrong.emptied),
}


@pytest.mark.parametrize("says", MASKS)
def test_other_forms_of_masks_are_named(says: str, tmp_path: Path) -> None:
    """Beside boxes that are right, and alone."""
    results = MASKS[says](*base("sample"))
    for make in (lambda *_: results), (lambda *_: without_boxes(results)):
        [text] = notes(tmp_path, "sample", make)
        assert says in text


def without_boxes(results: Results) -> Results:
    return [{k: v for k, v in result.items() if k != "bbox"} for result in results]


def test_masks_of_other_results_are_named(tmp_path: Path) -> None:
    masks = [result["segmentation"] for result in base("sample")[1]]

    def exchange(mask: Coco) -> object:
        return masks[masks.index(mask) - 10]

    [text] = notes(tmp_path, "sample", wrong.masked(exchange))
    assert text.startswith("boxes lie on 25 instances and masks on ")
    assert "of 46 masks lie in the box of their result: do they belong together?" in text


# Images: under which id results are put, and what is said, given so many images.
IMAGES: dict[str, Callable[[int, int], int]] = {
    "they would be right with image ids - 1": lambda n, number: n + 1,
    "they would be right with image ids + 1": lambda n, number: n - 1,
    "are the images in another order? Those of": lambda n, number: number + 1 - n,
}


@pytest.mark.parametrize("says", IMAGES)
@pytest.mark.parametrize("name", ["sample", "train"])
def test_other_images_are_named(name: str, says: str, tmp_path: Path) -> None:
    number = len(base(name)[0]["images"])
    [text] = notes(tmp_path, name, wrong.shown_by(lambda n: IMAGES[says](n, number)))
    assert says in text and text.startswith("the results of ")


def test_images_in_the_order_of_their_names_are_named(tmp_path: Path) -> None:
    """The ids of the file follow another order."""
    coco, results = copy.deepcopy(base("train"))
    for image, name in zip(coco["images"], ("b.png", "c.png", "a.png"), strict=True):
        image["file_name"] = name
    moved = [result | {"image_id": result["image_id"] % 3 + 1} for result in results]
    path = write_json(tmp_path / "coco.json", coco)
    scores = evaluate_results(path, write_json(tmp_path / "results.json", moved), tmp_path)
    assert "they would be right with images in the order of their names" in scores.notes[-1]


def test_results_of_another_split_are_named(tmp_path: Path) -> None:
    def replace(coco: Coco, results: Results) -> Results:
        return wrong.shown_by(lambda number: number)(coco, annotated(GOLDEN_TRAIN))

    [text] = notes(tmp_path, "sample", replace)
    assert text.startswith("hardly a result lies on anything: on ")
    assert "are the results of another set of images" in text


def test_two_mistakes_have_two_notes(tmp_path: Path) -> None:
    first, second = notes(tmp_path, "train", both(wrong.boxed(wrong.corners), shift(1)))
    assert "read as [x1, y1, x2, y2]" in first and "with ids - 1, 74 would be right" in second
    along_rows = wrong.masked(wrong.along_rows)
    first, second = notes(tmp_path, "sample", both(wrong.boxed(wrong.center), along_rows))
    assert "boxes lie on" in first and "masks lie on" in second


WEAK: dict[str, Make] = {
    "right": wrong.right,
    "one in ten": wrong.weak,
    "loose": wrong.loose,
    "unsure": wrong.unsure,
    "guessed": wrong.guessed,
    "never right": wrong.never_right,
    "crowded": wrong.crowded,
    "every mask under each class": wrong.under_each_class,
    "boxes only": wrong.without_masks(),
    "cars only": wrong.only("car"),
    "unsure and loose": both(wrong.unsure, wrong.loose),
    "crowded, one in ten": both(wrong.weak, wrong.crowded),
    "rough masks": wrong.outlined(lambda x, y: (x, y)),
    "a few": lambda coco, results: wrong.boxed(wrong.corners)(coco, results)[:9],
}


@pytest.mark.parametrize("kind", WEAK)
@pytest.mark.parametrize("name", ["sample", "train"])
def test_right_and_weak_results_get_no_note(name: str, kind: str, tmp_path: Path) -> None:
    if name == "sample" or kind != "rough masks":
        assert notes(tmp_path, name, WEAK[kind]) == []


@pytest.mark.parametrize("number", [19, 20])
def test_a_handful_of_results_on_nothing_gets_no_note(number: int, tmp_path: Path) -> None:
    tiny = wrong.without_masks(wrong.boxed(lambda x, y, w, h: [x / 1000, y / 1000, 1, 1]))
    found = notes(tmp_path, "train", lambda coco, results: tiny(coco, results)[:number])
    assert len(found) == number - 19


def test_a_handful_of_results_fits_no_other_size(tmp_path: Path) -> None:
    def make(coco: Coco, results: Results) -> Results:
        scaled = wrong.without_masks(wrong.boxed(wrong.scaled(0.65)))(coco, results)
        return scaled[:8] + [r | {"bbox": [n, 0, 3, 3]} for n, r in enumerate(scaled[8:14])]

    assert notes(tmp_path, "train", make) == []


def test_classes_of_what_lies_on_instances_by_chance_are_not_told(tmp_path: Path) -> None:
    random = Random(0)
    coco, results = repeat(*base("train"), 20)
    by_chance = [
        {
            **{"image_id": image["id"], "category_id": 1, "score": random.random()},
            "bbox": [random.random() * 2000, *result["bbox"][1:]],
        }
        for image in coco["images"]
        for result in random.choices(results, k=50)
    ]
    path = write_json(tmp_path / "coco.json", coco)
    made = write_json(tmp_path / "results.json", by_chance)
    [_, note] = evaluate_results(path, made, tmp_path).notes
    assert note.startswith("hardly a result lies on anything")


@pytest.mark.parametrize("number", [0, 3, 30])
def test_boxes_may_be_missing(number: int, tmp_path: Path) -> None:
    results = base("sample")[1]
    made = results[:number] + without_boxes(results[number:])
    assert notes(tmp_path, "sample", lambda *_: made) == []


def test_nothing_is_sought_if_all_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspicions, "sample_images", None)
    assert notes(tmp_path, "train", wrong.right) == []
    with pytest.raises(TypeError):
        notes(tmp_path, "train", wrong.only("car"))


def repeat(coco: Coco, results: Results, times: int) -> tuple[Coco, Results]:
    """Return a file with so many times the three images, and their results."""
    many: dict[str, Any] = coco | {"images": [], "annotations": []}
    repeated = []
    for turn in range(times):
        for part in "images", "annotations":
            key = "image_id" if part == "annotations" else "id"
            for record in coco[part]:
                ids = {"id": len(many[part]) + 1, key: record[key] + 3 * turn}
                many[part].append(record | ids)
        repeated += [result | {"image_id": result["image_id"] + 3 * turn} for result in results]
    return many, repeated


def scored(rate: Callable[[float], float]) -> Make:
    """Right results, ten times as many that lie on nothing, and what the network says of them: 0.9
    to 1, and 0 to 0.1."""
    random = Random(0)

    def make(coco: Coco, results: Results) -> Results:
        on_nothing = [
            {**result, "bbox": [random.randrange(2000), 0, 9, 9], "score": random.random() / 10}
            for result in results * 10
        ]
        right = [result | {"score": 0.9 + random.random() / 10} for result in results]
        return [r | {"score": rate(r["score"])} for r in right + on_nothing]

    return make


def on_nothing(coco: Coco, results: Results) -> Results:
    return [result | {"bbox": [2000, 0, 9, 9], "score": -1} for result in results]


def in_half(coco: Coco, results: Results) -> Results:
    changed = wrong.boxed(wrong.corners)(coco, results)
    return [(r, c)[r["image_id"] % 2] for r, c in zip(results, changed, strict=True)]


def of_few_images(coco: Coco, results: Results) -> Results:
    return [result for result in results if result["image_id"] < 4]


def in_batches(number: int) -> int:
    return (number - 1) % 3 + 1


# What is said of scores and ids, and how results are made of 30 images with 810 right ones.
SCORES: dict[str, Make] = {
    "results have the score 0.5: their order in the file decides": scored(lambda score: 0.5),
    "do scores say how wrong a result is?": scored(lambda score: 1 - score),
    "scores go down to -0.99": scored(lambda score: -score),
    "an AP of 1: are the results the truth itself?": wrong.right,
    "boxes end far outside of their image: write [x, y, width, height] in pixels": in_half,
    "results are of 3 of 30 images: is image_id a place in a batch?": wrong.shown_by(in_batches),
    "hardly a result lies on anything: on 0 instances of 810": on_nothing,
}
QUIET = {"right": scored(lambda score: score), "of a few images": of_few_images}


@pytest.mark.parametrize("says", SCORES)
def test_scores_that_no_network_has_are_told(says: str, tmp_path: Path) -> None:
    coco, results = repeat(*base("train"), 10)
    path = write_json(tmp_path / "coco.json", coco)
    made = write_json(tmp_path / "results.json", SCORES[says](coco, results))
    assert says in "; ".join(evaluate_results(path, made, tmp_path).notes)


@pytest.mark.parametrize("kind", QUIET)
def test_scores_of_a_network_are_not(kind: str, tmp_path: Path) -> None:
    coco, results = repeat(*base("train"), 10)
    path = write_json(tmp_path / "coco.json", coco)
    made = write_json(tmp_path / "results.json", QUIET[kind](coco, results))
    [of_cityscapes] = evaluate_results(path, made, tmp_path).notes
    assert of_cityscapes.startswith("Cityscapes' score")


def test_boxes_that_are_not_around_their_masks_are_told(tmp_path: Path) -> None:
    [text] = notes(tmp_path, "sample", wrong.boxed(lambda *_: [0, 0, 2048, 1024]))
    assert "but only 0 of 46 boxes are half filled by the mask of their result" in text


def test_a_sample_of_many_images_tells_the_same(tmp_path: Path) -> None:
    """Which images are looked at, and how many, is said."""
    many, repeated = repeat(*base("train"), 30)
    made = wrong.without_masks(both(wrong.boxed(wrong.corners), shift(1)))(many, repeated)
    path, of_trainer = write_json(tmp_path / "coco.json", many), tmp_path / "results.json"
    _, of_scores, first, second = evaluate_results(
        path, write_json(of_trainer, made), tmp_path
    ).notes
    assert re.fullmatch(r"all \d{4} results have the score \S+: their order in the .*", of_scores)
    assert re.fullmatch(r"in 60 of 90 images, boxes lie on 0 of \d+ instances, and on .*", first)
    assert re.fullmatch(r"in 60 of 90 images, (\d+) of \1 results that lie .*ids - 1.*", second)


def test_notes_are_printed_and_written(tmp_path: Path, capsys: Capture) -> None:
    coco, results = base("sample")
    scores = score(tmp_path, GOLDEN_VAL, wrong.boxed(wrong.corners)(coco, results))
    [text] = scores["notes"]
    assert "read as [x1, y1, x2, y2]" in text
    assert f"\n  {text}\n" in capsys.readouterr().out
