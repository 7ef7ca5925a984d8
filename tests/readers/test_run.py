"""The judge of tests/readers, and the page that its command writes to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, Capture, save_map, street
from tests.oracle import box_of, masks_in, name_of
from tests.readers import recipe, run
from tests.readers.recipe import Floor, Found, judge

PHOTOGRAPH = "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What a perfect reader gives of the street."""
    monkeypatch.chdir(tmp_path)
    maps = recipe.DATADIR / "gtFine/train/aachen"
    save_map(maps / "aachen_000000_000019_gtFine_instanceIds.png", street())
    return [
        Found(PHOTOGRAPH, name_of(value), box_of(mask), mask, value)
        for value, mask in masks_in(street())
    ]


def test_the_judge_finds_a_perfect_reader_exact(found: list[Found], capsys: Capture) -> None:
    judge(found[::-1])
    assert capsys.readouterr().out == "4 instances, boxes exact, masks exact\n"


def without_a_pixel(instance: Found) -> Found:
    mask = np.array(instance.mask)
    mask[tuple(np.argwhere(mask)[0])] = False
    return instance._replace(mask=mask)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda first: [],
        lambda first: [first, first],
        lambda first: [first._replace(name="truck")],
        lambda first: [first._replace(photograph=PHOTOGRAPH.replace("19", "20"))],
        lambda first: [first._replace(box=(first.box[0] + 1, *first.box[1:]))],
        lambda first: [without_a_pixel(first)],
        lambda first: [first._replace(map_value=first.map_value + 1)],
    ],
)
def test_the_judge_finds_each_fault(
    spoil: Callable[[Found], list[Found]], found: list[Found]
) -> None:
    with pytest.raises(AssertionError):
        judge([*spoil(found[0]), *found[1:]])


def test_the_judge_tells_how_far_a_reader_is_off(found: list[Found], capsys: Capture) -> None:
    x, y, width, height = found[0].box or ()
    first = without_a_pixel(found[0])._replace(box=(x, y, width - 0.25, height + 1.5))
    judge([first, *found[1:]], Floor(exact_masks=3, mean_iou=0.9, off_by=1.5))
    pixels = int(np.sum(street() == found[0].map_value))
    assert capsys.readouterr().out == (
        "4 instances, 3 of 4 boxes exact, boxes off by up to 1.50 pixels, 3 of 4 masks exact,"
        f" mean IoU of masks {(3 + (pixels - 1) / pixels) / 4:.3f}\n"
    )


@pytest.mark.parametrize(
    "floor", [Floor(exact_masks=4, off_by=2), Floor(mean_iou=1, off_by=2), Floor(off_by=0.5)]
)
def test_a_reader_that_is_not_exact_has_to_reach_its_floor(
    floor: Floor, found: list[Found]
) -> None:
    x, y, width, height = found[0].box or ()
    first = without_a_pixel(found[0])._replace(box=(x, y, width + 1, height))
    with pytest.raises(AssertionError, match="3 of 4 masks exact"):
        judge([first, *found[1:]], floor)


def test_each_recipe_has_its_script_and_requirements() -> None:
    assert set(run.LIGHT) < set(run.READERS)
    scripts = {path.stem.removeprefix("read_") for path in run.HERE.glob("read_*.py")}
    assert scripts == set(run.READERS) and all(map(run.requirements, run.READERS))


@pytest.mark.parametrize("heading", run.HEADINGS)
def test_a_line_takes_the_place_of_the_earlier_one(
    heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    page = tmp_path / "training.md"
    page.write_text(text, encoding="utf-8")
    for module in recipe, run:
        monkeypatch.setattr(module, "PAGE", page)
    old = recipe.section(heading)
    [earlier] = [line for line in old.splitlines() if line.startswith("Last run with ")]
    run.write_result(heading, "Last run with this[a,b] 4.2, that 0.1: well.")
    new = old.replace(earlier, "Last run with this[a,b] 4.2, that 0.1: well.")
    [row] = [line for line in text.splitlines() if line.startswith(f"| [{heading}](")]
    new_row = row.replace(f" {run.version_of_reader(earlier)} |", " 4.2 |", 1)
    assert row != new_row
    assert page.read_text(encoding="utf-8") == text.replace(old, new).replace(row, new_row)
