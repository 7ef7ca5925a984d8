"""Colours: how well they can be told apart, and which category has which."""

import re

import numpy as np
import pytest

from benchmarks import colors as benchmark
from cityscapes_coco.pictures import colors
from tests.conftest import Capture

FAMILIES = colors.find_families({name: name for name in colors.PAGE_COLORS})


def test_instances_and_classes_can_be_told_apart(capsys: Capture) -> None:
    """The sample and two made-up frames; docs/inspect.md has more of the latter."""
    assert benchmark.main(["--frames", "2"]) == 0
    rows = re.findall(r"^\| (.+) \| ([\d.]+) \| *(\d*) \|$", capsys.readouterr().out, re.M)
    figures = {name: (float(figure), goal) for name, figure, goal in rows}
    for name, (figure, goal) in figures.items():
        assert not goal or (figure == 0 if goal == "0" else figure >= float(goal)), name
    for name, least in ("anyone", 39), ("deuteranopes", 30), ("protanopes", 30), ("grey", 8):
        [figure] = [f for row, (f, _) in figures.items() if "classes" in row and name in row]
        assert figure >= least, name


@pytest.mark.parametrize("name", FAMILIES)
def test_neighbours_differ_even_of_a_class_with_few_colours(name: str) -> None:
    boxes = np.array([[20 * n, 0, 20 * n + 20, 20] for n in range(14)], np.float64)
    chosen = colors.choose_colors([FAMILIES[name]] * 14, boxes, np.full((14, 3), 40.0))
    lab = benchmark.to_lab(40 * (1 - colors.FILL) + colors.FILL * np.array(chosen))
    assert np.linalg.norm(lab[1:] - lab[:-1], axis=1).min() > 20
    assert len(set(chosen)) >= len(FAMILIES[name]) - 1, "nearly all are used"


def test_a_mask_gets_no_darker_unless_it_is_light() -> None:
    grey = np.arange(0, 256, 5.0)
    photo = np.repeat(grey[:, None], 3, axis=1)
    for family in FAMILIES.values():
        boxes = np.zeros((len(grey), 4))
        chosen = colors.choose_colors([family] * len(grey), boxes, photo)
        before = benchmark.to_lab(photo)[:, 0]
        after = benchmark.to_lab((1 - colors.FILL) * photo + colors.FILL * np.array(chosen))[:, 0]
        assert (after >= before - 0.5)[before < 70].all()


def test_other_categories_take_turns_with_the_colours_that_are_left() -> None:
    classes = {"pedestrian": "person", "dog": "dog", "car": "car", "cat": "cat"}
    families = colors.find_families(classes)
    assert families["pedestrian"] == FAMILIES["person"] and families["car"] == FAMILIES["car"]
    assert len(set(families.values())) == 4
    many = colors.find_page_colors({str(number): str(number) for number in range(20)})
    assert set(many.values()) == set(colors.PAGE_COLORS.values())


@pytest.mark.parametrize("color", colors.LABEL_COLORS.values())
def test_writing_stands_out(color: tuple[int, int, int]) -> None:
    lightness, written = benchmark.to_lab(np.array([color, colors.ink(color)], float))[:, 0]
    assert abs(lightness - written) > 40
