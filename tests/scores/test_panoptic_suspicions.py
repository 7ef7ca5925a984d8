"""What is said of panoptic results that are plausible and wrong, and not of those that are weak."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import WriteMap
from tests.scores.conftest import read_panoptic, save_panoptic
from tests.scores.test_panoptic_results import Made, make, rate, renumber

Ids = NDArray[np.int64]
STUFF, THINGS = {7, 8, 11, 21, 23}, {24, 25, 26, 28}
FRAMES = 8


@pytest.fixture
def streets(datadir: Path, write_map: WriteMap) -> Made:
    """Frames with the same stuff and 12 things in each, which lie somewhere else in each."""
    random = np.random.default_rng(0)
    for number in range(FRAMES):
        values = np.full((112, 192), 7, np.uint16)
        values[:24], values[24:60], values[60:, :30] = 23, 11, 8
        values[16:68, 8 + 22 * number : 28 + 22 * number] = 21
        for thing, cell in enumerate(random.choice(192, 12, replace=False).tolist()):
            y, x = 8 * (cell // 16) + 16, 12 * (cell % 16)
            label = (24, 26, 26, 24, 28, 25)[thing % 6]
            tall, wide = random.integers(4, 8), random.integers(6, 12)
            values[y : y + tall, x : x + wide] = 1000 * label + thing
        write_map(values, "val", f"ulm_{number:06}_000019")
    return make(datadir)


def keep(made: Made, wanted: Callable[[int], bool]) -> None:
    """Keep the segments of the categories that are wanted."""
    leave_out(made, lambda segment: not wanted(segment["category_id"]))


def leave_out(made: Made, unwanted: Callable[[dict[str, Any]], bool]) -> None:
    """Make the pixels of some segments void."""
    for annotation, ids in zip(made.results["annotations"], made.maps, strict=True):
        for segment in filter(unwanted, annotation["segments_info"]):
            ids[ids == segment["id"]] = 0


def move(made: Made, change: Callable[[Ids], Ids]) -> None:
    made.maps[:] = map(change, made.maps)


def turn(made: Made, order: list[int]) -> None:
    """Give each image the results of another one."""
    made.maps[:] = [made.maps[number].copy() for number in order]
    segments = [a["segments_info"] for a in made.results["annotations"]]
    for annotation, number in zip(made.results["annotations"], order, strict=True):
        annotation["segments_info"] = segments[number]


def keep_stuff(made: Made) -> None:
    keep(made, STUFF.__contains__)


def share(made: Made) -> None:
    turn(made, [0] * FRAMES)
    for annotation in made.results["annotations"]:
        annotation["file_name"] = made.results["annotations"][0]["file_name"]


def split_stuff(made: Made) -> None:
    """Give each half of the image its own segments of the sky."""
    for annotation, ids in zip(made.results["annotations"], made.maps, strict=True):
        annotation["segments_info"].append({"id": 1000, "category_id": 23})
        ids[:, 96:][ids[:, 96:] == 23] = 1000


def merge_things(made: Made) -> None:
    for annotation, ids in zip(made.results["annotations"], made.maps, strict=True):
        ids[ids > 1000] //= 1000
        numbers = {s["category_id"] for s in annotation["segments_info"]}
        annotation["segments_info"] = [{"id": n, "category_id": n} for n in numbers]


def mix_categories(made: Made) -> None:
    """Take the categories in another order in each image."""
    random = np.random.default_rng(0)
    for annotation in made.results["annotations"]:
        segments = annotation["segments_info"]
        numbers = random.permutation([s["category_id"] for s in segments]).tolist()
        for segment, number in zip(segments, numbers, strict=True):
            segment["category_id"] = number


def lose_things(made: Made) -> None:
    """Leave the things of four images, and none of them where it is."""
    for number, (annotation, ids) in enumerate(
        zip(made.results["annotations"], made.maps, strict=True)
    ):
        for segment in annotation["segments_info"]:
            if segment["category_id"] in THINGS:
                ids[ids == segment["id"]] = 7
                if number < 4:
                    ids[100, 12 * (segment["id"] % 1000) :][:6] = segment["id"]


def lose_all(made: Made) -> None:
    """As `lose_things`, and leave no stuff but the road."""
    lose_things(made)
    move(made, lambda ids: np.where(ids < 1000, 7, ids))


def call(ids: dict[int, int]) -> Callable[[Made], None]:
    same = {number: number for number in STUFF | THINGS}
    return lambda made: renumber(made, same | ids)


WRONG: dict[str, Callable[[Made], object]] = {
    "on 96 of another one: are the images in another order? Those of image ulm_000000": (
        lambda made: turn(made, [3, 5, 7, 0, 6, 2, 1, 4])
    ),
    "each fits the image 1 after its own": lambda made: turn(made, [*range(1, FRAMES), 0]),
    "each fits the image 1 before its own": lambda made: turn(made, [7, *range(FRAMES - 1)]),
    "_panoptic.png is the PNG file of 8 images; each image needs its own": share,
    "if they are read as mirrored from left to right": (
        lambda made: move(made, lambda ids: ids[:, ::-1])
    ),
    "if they are read as turned by 180 degrees": (
        lambda made: move(made, lambda ids: ids[::-1, ::-1])
    ),
    "if they are read as masks that were moved by 9, 6 pixels: write them as they are": (
        lambda made: move(made, lambda ids: np.roll(ids, (6, 9), (0, 1)))
    ),
    "if they are read as counted from the bottom": lambda made: move(made, lambda ids: ids[::-1]),
    "no segment is a thing; in the truth 96 segments are": keep_stuff,
    "no segment is stuff; in the truth 40 segments are": (
        lambda made: keep(made, THINGS.__contains__)
    ),
    "the results have no segment at all": lambda made: keep(made, lambda number: False),
    "in 8 of 8 images, stuff has several segments of a class, up to 2 of sky": split_stuff,
    "where the truth has several, 32 of 32 times": merge_things,
    "with sky instead of building, building instead of sky": call({11: 23, 23: 11}),
    "such as road on sky (8); road is the only class of the stuff": call(dict.fromkeys(STUFF, 7)),
    "such as person on car (32); person is the only class of the things": call(
        dict.fromkeys(THINGS, 24)
    ),
    "segments that lie on others have the id of another class": (call({11: 26, 26: 11})),
    "32 of 136 segments that lie on others have the id of another class": call({24: 23}),
    "segments that lie on things have another class": mix_categories,
    "on 0 instances of 48, whatever their class, no more than on instances of": lose_all,
}
WEAK: dict[str, Callable[[Made], object]] = {
    "right": lambda made: None,
    "kinds taken for each other": call({25: 24, 28: 26, 22: 21}),
    "few classes": lambda made: keep(made, {7, 23, 26}.__contains__),
    "things that are all wrong": lose_things,
    "few things": lambda made: leave_out(made, lambda segment: segment["id"] > 26000),
    "one of each class in few images": (
        lambda made: leave_out(made, lambda s: s["id"] % 1000 > 1 and s["id"] > 1000)
    ),
    "one kind of things": lambda made: keep(made, lambda number: number in STUFF | {26}),
    "coarse": lambda made: move(made, lambda ids: ids[::4, ::4].repeat(4, 0).repeat(4, 1)),
}


@pytest.mark.parametrize("says", WRONG)
def test_wrong_results_have_a_note(says: str, streets: Made, tmp_path: Path) -> None:
    WRONG[says](streets)
    leave_out_what_is_not_there(streets)
    assert says in "; ".join(rate(streets, tmp_path)["notes"])


@pytest.mark.parametrize("weak", WEAK)
def test_weak_results_have_none(weak: str, streets: Made, tmp_path: Path) -> None:
    WEAK[weak](streets)
    leave_out_what_is_not_there(streets)
    assert rate(streets, tmp_path)["notes"] == []


def leave_out_what_is_not_there(made: Made) -> None:
    for annotation, ids in zip(made.results["annotations"], made.maps, strict=True):
        there = [s for s in annotation["segments_info"] if s["id"] in ids]
        annotation["segments_info"] = there


@pytest.mark.parametrize("spoil", [keep_stuff, lose_things])
def test_few_things_show_nothing(
    spoil: Callable[[Made], object], datadir: Path, write_map: WriteMap, tmp_path: Path
) -> None:
    values = np.full((112, 192), 7, np.uint16)
    for thing in range(6):
        values[20:26, 20 * thing : 20 * thing + 9] = 26000 + thing
    write_map(values, "val", "ulm_000000_000019")
    made = make(datadir)
    spoil(made)
    leave_out_what_is_not_there(made)
    assert rate(made, tmp_path)["notes"] == []


def test_things_are_not_looked_for_without_boxes(streets: Made, tmp_path: Path) -> None:
    """Other tools may write a truth without them."""
    move(streets, lambda ids: ids[:, ::-1])
    assert "mirrored" in rate(streets, tmp_path / "with")["notes"][0]
    coco, maps = read_panoptic(streets.truth)
    for annotation in coco["annotations"]:
        for segment in annotation["segments_info"]:
            del segment["bbox"]
    truth = save_panoptic(tmp_path / "truth.json", coco, maps)
    assert rate(streets._replace(truth=truth), tmp_path / "without")["notes"] == []
