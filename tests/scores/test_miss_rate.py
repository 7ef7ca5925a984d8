"""CityPersons' miss rate, against its rule in plain words, and worked examples."""

import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cityscapes_coco.scores.evaluate import evaluate_results
from tests import conftest
from tests.conftest import Capture, Coco
from tests.damage import Change, change, drop
from tests.files import OUTPUT, SAMPLE, load, write_json
from tests.scores import wrong_results as wrong
from tests.scores.conftest import annotated, score

SETUPS = {
    "Reasonable": ((50, math.inf), (0.65, math.inf)),
    "Reasonable_small": ((50, 75), (0.65, math.inf)),
    "Reasonable_occ=heavy": ((50, math.inf), (0.2, 0.65)),
    "All": ((20, math.inf), (0.2, math.inf)),
}


def iou_of(a: list[float], b: list[float], ignored: bool) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    common = width * height
    return common / (a[2] * a[3] if ignored else a[2] * a[3] + b[2] * b[3] - common)


def plain_miss_rate(coco: Coco, results: list[Coco], setup: str) -> float | None:
    """The rule of the authors' script, one prediction after the other."""
    (low, high), (least, most) = SETUPS[setup]
    total, judged = 0, []
    for image in coco["images"]:
        truth = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        regular = [
            a
            for a in truth
            if (a["category_id"], a["ignore"]) == (1, 0)
            and not (a["height"] < low or a["height"] > high)
            and not (a["vis_ratio"] < least or a["vis_ratio"] > most)
        ]
        ignored = [a for a in truth if a not in regular]
        total += len(regular)
        of_image = [r for r in results if (r["image_id"], r["category_id"]) == (image["id"], 1)]
        for result in sorted(of_image, key=lambda r: -r["score"])[:1000]:
            if not low / 1.25 <= result["bbox"][3] < high * 1.25:
                continue
            best, choice = 0.5, None
            for a in regular:
                overlap = iou_of(result["bbox"], a["bbox"], False)
                if overlap >= best:
                    best, choice = overlap, a
            if choice:
                regular.remove(choice)
            elif any(iou_of(result["bbox"], a["bbox"], True) >= 0.5 for a in ignored):
                continue
            judged.append((result["score"], choice is not None))
    if not total:
        return None
    judged.sort(key=lambda pair: -pair[0])
    points = []  # FPPI and recall after each prediction
    for count in range(1, len(judged) + 1):
        found = sum(is_true for _, is_true in judged[:count])
        points.append(((count - found) / len(coco["images"]), found / total))
    logs = 0.0
    for limit in 0.01, 0.0178, 0.0316, 0.0562, 0.1, 0.1778, 0.3162, 0.5623, 1:
        recalls = [recall for fppi, recall in points if fppi <= limit]
        # Where there is none, the authors' index is -1.
        [recall] = (recalls or [recall for _, recall in points] or [0])[-1:]
        if recall == 1:
            return 0
        logs += math.log(1 - recall)
    return math.exp(logs / 9)


def write_truth(path: Path, bodies: list[tuple[Any, ...]], images: int) -> Path:
    """Write a COCO file of so many images; a body is the number of its image, its box, how much of
    it is visible, whether it is ignored, and the id of its category if it is no pedestrian."""
    coco: Coco = {"categories": [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "rider"}]}
    size = {"width": 400, "height": 300}
    coco["images"] = [{"id": n, "file_name": f"{n}.png"} | size for n in range(1, images + 1)]
    coco["annotations"] = []
    for image, box, visible, ignore, *category in bodies:
        ids = {"id": len(coco["annotations"]) + 1, "image_id": image}
        flags = {"category_id": (category or [1])[0], "iscrowd": ignore, "ignore": ignore}
        form = {"bbox": box, "area": box[2] * box[3], "height": box[3], "vis_ratio": visible}
        coco["annotations"].append(ids | flags | form)
    return write_json(path, coco)


def predict(found: list[Any]) -> list[Coco]:
    names = "image_id", "score", "bbox"
    return [dict(zip(names, each, strict=True), category_id=1) for each in found]


def rates(folder: Path, coco: Path, results: list[Coco]) -> dict[str, float | None]:
    found = evaluate_results(coco, write_json(folder / "results.json", results), folder)
    assert found.citypersons and found.citypersons.category == "pedestrian"
    return found.citypersons.setups


def test_the_miss_rate_follows_the_plain_rule(tmp_path: Path) -> None:
    """Heights, visibilities and scores are often equal to each other, and to the bounds."""
    for seed in range(40):
        dice = Random(seed)
        images = dice.choice([1, 3, 20, 120])
        bodies: list[tuple[Any, ...]] = [(1, [0, 200, 9, 9], 1, 1)]
        found = []
        for image in range(1, images + 1):
            for _ in range(dice.randint(0, 4)):
                height = dice.choice([10, 20, 40, 50, 60, 75, 76, 100])
                box = [dice.choice([0, 10, 20, 100]), dice.choice([0, 5, 50]), 30, height]
                visible = dice.choice([0, 0.2, 0.3, 0.65, 0.66, 1])
                bodies.append((image, box, visible, dice.choice([0, 0, 0, 1]), dice.choice([1, 2])))
                for _ in range(dice.randint(0, 3)):
                    x, y, w, h = box
                    moved = [x + dice.choice([0, 2, 10]), y, w, h + dice.choice([0, 1, -1, 10])]
                    found.append((image, dice.choice([0.1, 0.5, dice.random()]), moved))
            for _ in range(dice.randint(0, 2)):
                box = [dice.randint(0, 300), dice.randint(0, 200), 30, dice.randint(5, 120)]
                found.append((image, dice.random(), box))
        dice.shuffle(found)
        path, results = write_truth(tmp_path / "coco.json", bodies, images), predict(found)
        expected = {name: plain_miss_rate(load(path), results, name) for name in SETUPS}
        assert rates(tmp_path, path, results) == pytest.approx(expected, abs=1e-12)


A, B, FAR = [0, 0, 20, 100], [4, 0, 20, 100], [300, 0, 20, 100]
IGNORED = (1, [200, 0, 60, 110], 1, 1)
HALF = 0.5 ** (7 / 9)  # half of it at seven of nine FPPIs, and nothing at two
# By name: bodies, predictions, images, and the miss rates of the four setups.
EXAMPLES: dict[str, tuple[list[Any], list[Any], int, tuple[float | None, ...]]] = {
    "nothing is found": ([(1, A, 1, 0)], [], 1, (1, None, None, 1)),
    "all is found": ([(1, A, 1, 0)], [(1, 0.9, A)], 1, (0, None, None, 0)),
    "one of two": ([(1, A, 1, 0), (2, A, 1, 0)], [(2, 0.1, A)], 2, (0.5, None, None, 0.5)),
    "bounds are inclusive": (
        [(1, [0, 0, 20, 50], 0.65, 0), (1, [40, 0, 20, 75], 0.65, 0), (1, [80, 0, 9, 20], 0.2, 0)],
        [(1, 0.9, [0, 0, 20, 50])],
        1,
        (0.5, 0.5, 0.5, 2 / 3),
    ),
    "of equal truth the later is taken": (
        [(1, A, 1, 0), (1, B, 1, 0)],
        [(1, 0.9, [2, 0, 20, 100]), (1, 0.8, [-4, 0, 20, 100])],
        1,
        (0, None, None, 0),
    ),
    "what is on ignored truth does not count": (
        [(1, A, 1, 0), IGNORED],
        [*((1, 0.9, [x, 0, 20, 100]) for x in (200, 210, 240)), (1, 0.8, A)],
        1,
        (0, None, None, 0),
    ),
    # The recall is reached with 3 false ones in 120 images, an FPPI of 0.025.
    "a false one beside the ignored region": (
        [(1, A, 1, 0), (2, A, 1, 0), IGNORED],
        [(1, 0.9, [255, 0, 20, 100]), *((n, 0.9, FAR) for n in (1, 2)), (2, 0.8, A)],
        120,
        (HALF, None, None, HALF),
    ),
    "the first is false in a hundred images": (
        [(1, A, 1, 0), (2, A, 1, 0)],
        [(1, 0.9, FAR), (1, 0.8, A)],
        100,
        (0.5, None, None, 0.5),
    ),
    # Below an FPPI of 0.5 the authors' script reads the recall at the end.
    "the first is false in two images": (
        [(1, A, 1, 0), (2, A, 1, 0)],
        [(1, 0.9, FAR), (2, 0.85, FAR), (2, 0.83, FAR), (1, 0.8, A)],
        2,
        (HALF, None, None, HALF),
    ),
    # Heights of 40 and more and below 93.75 belong to the small ones.
    "predictions may be a quarter higher or lower": (
        [(1, [0, 0, 40, 50], 1, 0), (1, [100, 0, 40, 75], 1, 0)],
        [(1, 0.9, [0, 0, 40, 40]), (1, 0.8, [100, 0, 40, 93.75])],
        1,
        (0, 0.5, None, 0),
    ),
    "of a thousand predictions the best count": (
        [(1, A, 1, 0), IGNORED],
        [*((1, 0.5, [210, 0, 20, 100]) for _ in range(1000)), (1, 0.4, A)],
        1,
        (1, None, None, 1),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_examples(name: str, tmp_path: Path) -> None:
    bodies, found, images, expected = EXAMPLES[name]
    path = write_truth(tmp_path / "coco.json", [*bodies, (1, [390, 290, 5, 5], 1, 1)], images)
    assert tuple(rates(tmp_path, path, predict(found)).values()) == pytest.approx(expected)


def convert(folder: Path, *options: str, kind: str = "gtBboxCityPersons") -> Path:
    argv = "--annotations", kind, "--outdir", folder, "--splits", "train"
    conftest.convert(SAMPLE, *argv, *options)
    return folder / OUTPUT.replace("gtFine", kind)


def test_others_are_ignored_with_one_category_and_four(tmp_path: Path, capsys: Capture) -> None:
    alone = convert(tmp_path / "one", "--crowd", "keep", "--categories", "pedestrian")
    four = convert(tmp_path / "four", "--crowd", "keep")
    results = [found | {"category_id": 1} for found in annotated(four)[::2]]
    both = [score(tmp_path, path, results) for path in (alone, four)]
    assert both[0]["citypersons"] == both[1]["citypersons"]
    assert 0 < both[0]["citypersons"]["setups"]["All"] < 1
    assert not any("Cityscapes" in note for note in both[0]["notes"])
    out = capsys.readouterr().out
    assert "  CityPersons, log-average miss rate of pedestrian\n    Reasonable   " in out
    (tmp_path / "results.json").unlink()
    for ending, part in {
        ".csv": "CityPersons,pedestrian,Reasonable_small,,",
        ".md": "| CityPersons | Reasonable | Reasonable_small | Reasonable_occ=heavy | All |\n",
        ".tex": "CityPersons & Reasonable & Reasonable\\_small & Reasonable\\_occ=heavy & All \\\\",
    }.items():
        score_file = tmp_path / f"s{ending}"
        score(tmp_path, alone, results, "--scores", score_file)
        assert part in score_file.read_text()
        assert "no: 3 images, and val has 500" in score_file.read_text()


MASK = {"bbox": None, "segmentation": [[0, 0, 9, 0, 9, 9]]}
NO_HEIGHT = drop("annotations", 2, "height")
OBSTACLES: dict[str, tuple[str, Change, Coco]] = {
    "the COCO file has no ignore regions; convert with --crowd keep": ("drop", change(), {}),
    "the results have no boxes": ("keep", change(), MASK),
    "annotation 3 has no height or no vis_ratio": ("keep", NO_HEIGHT, {}),
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_without_what_it_needs_there_is_no_miss_rate(reason: str, tmp_path: Path) -> None:
    crowd, damage, fields = OBSTACLES[reason]
    coco = load(path := convert(tmp_path, "--crowd", crowd))
    damage(coco)
    results = [result | fields for result in annotated(write_json(path, coco))]
    found = score(tmp_path, path, results)
    assert found["citypersons"] is None
    assert f"CityPersons' miss rate cannot be had: {reason}" in found["notes"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "yes"),
        (["--categories", "pedestrian", "rider"], "yes"),
        (["--categories", "rider"], "no: the miss rate of rider"),
        (["--categories", "p=pedestrian+rider"], "no: merged classes"),
        (["--min-area", "9"], "no: left out by --min-area or --empty-frames"),
        (["--empty-frames", "drop"], "no: left out by --min-area or --empty-frames"),
    ],
)
def test_comparable_rates_say_so(options: list[str], reason: str, tmp_path: Path) -> None:
    """Of 500 frames there may be none with an ignore region, if they were asked for."""
    coco = load(path := convert(tmp_path, "--crowd", "keep", *options))
    image = coco["images"][-1]
    coco["images"] += [image | {"id": number} for number in range(4, 501)]
    for number, image in enumerate(coco["images"]):
        image["file_name"] = f"lindau_{number:06}_000019_leftImg8bit.png"
    coco["annotations"] = [a for a in coco["annotations"] if not a["ignore"]]
    write_json(path, coco)
    score(tmp_path, path, annotated(path))
    found = load(tmp_path / "scores.json")
    assert found["origin"]["comparable"]["CityPersons"] == reason
    assert found["citypersons"]["setups"]["Reasonable"] == 0


def test_other_files_have_no_miss_rate_and_no_word_of_it(tmp_path: Path) -> None:
    path = convert(tmp_path, kind="gtBboxValidated")
    found = score(tmp_path, path, annotated(path))
    assert found["citypersons"] is None and not found["notes"]
    assert found["coco"]["average"]["box"]["ap"] == 1


def test_wrong_results_have_a_note_and_right_ones_do_not(tmp_path: Path) -> None:
    """A body out of the frame is no sign that boxes are read wrongly."""
    path = convert(tmp_path, "--crowd", "keep")
    coco = load(path)
    for annotation in coco["annotations"][:4]:
        annotation["bbox"][0] += 2000
    write_json(path, coco)
    right = annotated(path)
    assert score(tmp_path, path, right)["notes"] == []
    for form, says in {
        wrong.corners: "read as [x1, y1, x2, y2]",
        wrong.center: "read as [center x, center y",
    }.items():
        [note] = score(tmp_path, path, wrong.boxed(form)(coco, right))["notes"]
        assert says in note
    [note] = score(tmp_path, path, [found | {"category_id": 3} for found in right])["notes"]
    assert "category" in note or "class" in note
