"""The ways in which classes are numbered."""

from cityscapes_coco.coco.records import Category, CocoFile
from cityscapes_coco.scores.numberings import explain_numbers, list_numberings

COCO = CocoFile([Category(10, "car"), Category(20, "bicycle"), Category(30, "tractor")], [], [])


def test_each_way_leads_to_the_ids_of_the_file() -> None:
    assert [numbering.ids for numbering in list_numberings(COCO)] == [
        {0: 10, 1: 20, 2: 30},
        {1: 10, 2: 20, 3: 30},
        {26: 10, 33: 20},
        {13: 10, 18: 20},
        {1: 20, 2: 10, 3: 30},
        {0: 20, 1: 10, 2: 30},
        {3: 10, 2: 20},
        {2: 10, 1: 20},
    ]


def test_numbers_that_fit_a_way_are_explained() -> None:
    assert "counted from 0" in explain_numbers({0, 2}, COCO)
    assert "counted from 1" in explain_numbers({1, 3}, COCO)
    assert "label ids" in explain_numbers({26, 33}, COCO)
    assert "train ids" in explain_numbers({13}, COCO)
    assert "COCO's own classes" in explain_numbers({1, 44, 90}, COCO)
    assert explain_numbers({1, 91}, COCO) == explain_numbers({-1, 44}, COCO) == ""
    assert explain_numbers({0, 3}, COCO) == ""
