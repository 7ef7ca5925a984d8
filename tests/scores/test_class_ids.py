"""The ways in which classes are numbered, and results that lie on an instance of another class."""

from collections import Counter

import pytest

from cityscapes_coco.coco.records import Category, CocoFile
from cityscapes_coco.scores.class_ids import explain_numbers, explain_pairs, list_numberings

FILE = CocoFile([Category(10, "car"), Category(20, "bicycle"), Category(30, "tractor")], [], [])


def test_each_way_leads_to_the_ids_of_the_file() -> None:
    assert [numbering.ids for numbering in list_numberings(FILE)] == [
        {1: 10, 2: 20, 3: 30},
        {0: 10, 1: 20, 2: 30},
        {26: 10, 33: 20},
        {13: 10, 18: 20},
        {1: 20, 2: 10, 3: 30},
        {0: 20, 1: 10, 2: 30},
        {3: 10, 2: 20},
        {2: 10, 1: 20},
    ]


def test_numbers_that_fit_a_way_are_explained() -> None:
    """tests/scores/test_results.py has each way."""
    assert "COCO's own classes" in explain_numbers({1, 44, 90}, FILE)
    assert explain_numbers({1, 91}, FILE) == explain_numbers({-1, 44}, FILE) == ""
    assert explain_numbers({0, 3}, FILE) == ""
    assert "counted from 0" in explain_numbers({0, 2}, FILE)
    assert "counted from 1" in explain_numbers({1, 2}, FILE)


NAMES = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
COCO = CocoFile([Category(n, name) for n, name in enumerate(NAMES, 1)], [], [])
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = range(1, 9)
Pairs = dict[tuple[int, int], int]

# How often results called so lie on what, and what would be right.
WRONG: dict[str, Pairs] = {
    "with ids + 1, 22 would be right": {(PERSON, RIDER): 2, (RIDER, CAR): 20, (CAR, CAR): 3},
    "with ids - 1, 26 would be right": {(CAR, RIDER): 6, (TRUCK, CAR): 20, (BUS, CAR): 5},
    "with COCO's own ids, 33 would be right": {(CAR, CAR): 30, (RIDER, BICYCLE): 3},
    "with bus instead of truck, truck instead of bus, 29 would be right": {
        **{(CAR, CAR): 20, (TRUCK, BUS): 4, (BUS, TRUCK): 5, (BUS, BUS): 1},
    },
    "bicycle instead of motorcycle, 28 would be right": {(CAR, CAR): 20, (MOTORCYCLE, BICYCLE): 8},
}


@pytest.mark.parametrize("says", WRONG)
def test_ids_that_explain_most_of_what_is_wrong_are_named(says: str) -> None:
    called = {called for called, _ in WRONG[says]}
    [note] = explain_pairs(Counter(WRONG[says]), called, COCO)
    assert note.endswith(says) and "; with " in note


def test_what_is_wrong_is_counted_and_the_most_common_mistake_named() -> None:
    pairs = Counter({(CAR, CAR): 9, (CAR, PERSON): 4, (CAR, BICYCLE): 7})
    [note] = explain_pairs(pairs, {CAR}, COCO)
    assert note == (
        "11 of 20 results that lie on an instance have the id of another class, such as car on"
        " bicycle (7); car is the only class of the results"
    )


NETWORKS: dict[str, Pairs] = {
    "nothing found": {},
    "right": {(CAR, CAR): 9, (PERSON, PERSON): 4},
    "all cars": {(CAR, CAR): 9},
    "too few": {(RIDER, CAR): 9},
    "cars, and few others": {(CAR, CAR): 40, (CAR, TRUCK): 3, (CAR, BUS): 2},
    "large vehicles are taken for each other": {
        **{(CAR, CAR): 20, (CAR, TRUCK): 8, (BUS, TRUCK): 7, (BUS, BUS): 3, (TRUCK, CAR): 9},
        **{(TRUCK, TRUCK): 2, (TRAIN, BUS): 6, (TRAIN, TRAIN): 1},
    },
    "every person a rider": {(RIDER, PERSON): 12, (RIDER, RIDER): 7, (CAR, CAR): 30},
    "riders on bicycles": {(RIDER, BICYCLE): 4, (RIDER, RIDER): 6, (BICYCLE, BICYCLE): 9},
    "one class for another, once": {(CAR, CAR): 20, (MOTORCYCLE, BICYCLE): 7},
    "half of them shifted": {(CAR, CAR): 20, (TRUCK, CAR): 9, (RIDER, PERSON): 8, (PERSON, 1): 12},
    "bicycles": {(RIDER, BICYCLE): 2, (BICYCLE, CAR): 2, (RIDER, RIDER): 1, (CAR, CAR): 12},
    "few of many": {(TRUCK, PERSON): 2, (PERSON, CAR): 3},
    "all cars, also the trucks": {(CAR, CAR): 5, (CAR, TRUCK): 5},
    "guesses": {(a, b): 3 for a in range(1, 9) for b in (PERSON, CAR, BICYCLE)},
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks_that_are_often_wrong_get_no_note(kind: str) -> None:
    called = {CAR} if "cars" in kind else {*range(1, 9)}
    assert explain_pairs(Counter(NETWORKS[kind]), called, COCO) == []
