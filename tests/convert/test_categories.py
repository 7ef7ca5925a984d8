"""Merged and renamed categories, judged by the oracle and by the check."""

from pathlib import Path

import numpy as np
import pytest

import inspect_coco
from cityscapes_coco import Options
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.colors import PAGE_COLORS
from cityscapes_coco.pictures.drawings import read_categories
from main import main
from tests import oracle
from tests.conftest import Capture, WriteMap, run, verify
from tests.conftest import convert_and_verify as convert
from tests.files import OUTPUT

# Two persons, a rider, a group of riders, a car, two trucks, a caravan.
PEOPLE = [[24000, 24001, 25000, 25, 7, 7], [26000, 26000, 27000, 27001, 29000, 7]]


@pytest.fixture
def people(datadir: Path, write_map: WriteMap) -> Path:
    write_map(PEOPLE)
    return datadir


def test_merged_classes_are_one_category_with_all_masks(people: Path, capsys: Capture) -> None:
    coco = convert(people, "--crowd", "keep", "--categories", "car", "pedestrian=rider+person")
    assert coco["categories"] == [
        {"id": 1, "name": "pedestrian", "supercategory": "human"},
        {"id": 2, "name": "car", "supercategory": "vehicle"},
    ]
    found = [(a["map_value"], a["category_id"], a["iscrowd"]) for a in coco["annotations"]]
    assert found == [(25, 1, 1), (24000, 1, 0), (24001, 1, 0), (25000, 1, 0), (26000, 2, 0)]
    for annotation in coco["annotations"]:
        mask = oracle.decode(annotation["segmentation"], 2, 6)
        assert (mask == (np.array(PEOPLE) == annotation["map_value"])).all()
    assert coco["info"]["options"]["categories"] == ["pedestrian=person+rider", "car"]
    parsed = Options(categories=("car", "pedestrian=rider+person")).parsed_categories
    assert [c.classes for c in parsed] == [("person", "rider"), ("car",)]
    out = capsys.readouterr().out
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert {"pedestrian 3", "car 1", "groups, as crowds: 1 pedestrian"} <= lines
    assert "left out, classes not asked for: 2 truck, 1 caravan" in lines
    assert {"pedestrian 3 3 0 - 0 0", "pedestrian group 1 1 0 - 0 0"} <= lines


NAMES = "someone", "light", "heavy"


@pytest.mark.parametrize("kind", ["one", "zero", "label"])
def test_ids_are_in_the_order_of_the_official_table_by_first_class(kind: str, people: Path) -> None:
    chosen = ["heavy=truck+bus+train", "light=car+bicycle", "someone=rider"]
    coco = convert(people, "--category-ids", kind, "--categories", *chosen)
    ids = {"one": [1, 2, 3], "zero": [0, 1, 2], "label": [25, 26, 27]}[kind]
    assert [(c["id"], c["name"]) for c in coco["categories"]] == [*zip(ids, NAMES, strict=True)]


def test_a_category_may_have_the_name_of_another_class(people: Path, capsys: Capture) -> None:
    coco = convert(people, "--categories", "car=truck+bus")
    assert [a["map_value"] for a in coco["annotations"]] == [27000, 27001]
    assert "1 car of Cityscapes" in capsys.readouterr().out
    # A car is no truck, whatever the trucks are called.
    coco["annotations"][0] |= {"map_value": 26000, "bbox": [0, 1, 2, 1], "area": 2}
    coco["annotations"][0]["segmentation"] = [[0, 1, 0, 2, 2, 2, 2, 1]]
    assert verify(people, coco) == 1
    assert "car, the map has car of Cityscapes 26000" in capsys.readouterr().out


def test_a_merged_category_has_the_color_of_its_first_class(people: Path) -> None:
    convert(people, "--categories", "pedestrian=rider+person", "car=bus")
    path = people / "annotations" / OUTPUT
    coco = read_coco(path)
    colors = read_categories(coco).page_colors
    assert colors == {"pedestrian": PAGE_COLORS["person"], "car": PAGE_COLORS["bus"]}
    argv = "--coco_dir", people, "--category", "pedestrian", "--save", people
    code, out, _ = run(inspect_coco.main, *argv)
    assert code == 0 and "1 of 1 images" in out


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown class": (("dog",), "must be one of road, sidewalk, parking"),
    "an unknown class to be merged": (("pedestrian=person+dog",), "not 'dog'"),
    "a void label": (("static",), "static is void: pixels that belong to no class"),
    "license plates": (("license plate",), "Cityscapes draws no license plate in its maps"),
    "stuff merged with things": (("x=road+car",), "merges classes with instances and without"),
    "all, and one of them": (("all", "car"), "classes named twice: car"),
    "a class twice": (("car", "car"), "classes named twice: car"),
    "a class in two categories": (("human=person+rider", "person"), "twice: person"),
    "a class twice in one": (("human=person+person",), "twice: person"),
    "two of one name": (("a=person", "a=rider"), "names named twice: a"),
    "no name": (("=person",), "no name in '=person'"),
    "a blank name": ((" =person",), "no name in"),
    "a name that cannot be printed": (("\x1b[31m=person",), "no name in"),
    "no class": (("pedestrian=",), "not ''"),
    "a plus too many": (("pedestrian=person+",), "not ''"),
    "no name for several": (("person+rider",), "write NAME=CLASS+CLASS"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_categories_are_one_line(case: str) -> None:
    categories, says = WRONG[case]
    code, _, err = run(main, "--categories", *categories)
    line = err.splitlines()[-1]
    assert code == 2 and "--categories" in line and says in line
    with pytest.raises(ValueError, match="categories"):
        Options(categories=categories)
