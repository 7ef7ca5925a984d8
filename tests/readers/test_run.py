"""The judge of tests/readers, and the page that its command writes to."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT, Capture, save_map, street
from tests.oracle import box_of, masks_in, name_of
from tests.readers import recipe, run
from tests.readers.recipe import Floor, Found, judge, judge_planted

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


FRAMES = "aachen_000000_000019", "aachen_000001_000019"
FILE = {
    "images": [
        {"id": n, "file_name": f"{frame}_leftImg8bit.png"} for n, frame in enumerate(FRAMES)
    ],
    "categories": [{"id": n, "name": name} for n, name in enumerate(recipe.NAMES)],
}


def plant(maps: dict[str, recipe.Map]) -> list[dict[str, Any]]:
    """The last instance of each class in each map, as results."""
    planted = {
        (number, recipe.NAMES.index(name_of(value))): box_of(mask)
        for number, frame in enumerate(FRAMES)
        for value, mask in masks_in(maps[frame])
    }
    return [
        {"image_id": image, "category_id": category, "bbox": box}
        for (image, category), box in planted.items()
    ]


@pytest.mark.parametrize(
    "lie",
    [
        lambda result: {"category_id": (result["category_id"] + 1) % len(recipe.NAMES)},
        lambda result: {"image_id": 1 - result["image_id"]},
        lambda result: {"bbox": [2 * number for number in result["bbox"]]},
    ],
)
def test_planted_results_need_their_class_image_and_place(
    lie: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    first = street().astype(np.int64)
    maps = dict(zip(FRAMES, (first, first[:, ::-1]), strict=True))
    results = plant(maps)
    judge_planted(results, FILE, maps)
    with pytest.raises(AssertionError):
        judge_planted([result | lie(result) for result in results], FILE, maps)
    with pytest.raises(AssertionError):
        judge_planted(results[1:], FILE, maps)


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


# The command, with a script in place of an environment's Python.

GLOBOX = "#!/bin/sh\n[ $1 = -c ] && echo 2.9.9 || echo 4 instances, boxes exact\n"
BROKEN = """#!/bin/sh
[ $1 = -c ] && echo 2.9.0 && exit
echo ValueError: the inner error >&2
echo subprocess.CalledProcessError: the outer error >&2
exit 1
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the page for the command to write to, and a dataset of one map for its recipes."""

    def make_dataset(folder: Path) -> None:
        maps = folder / "gtFine/train/aachen"
        save_map(maps / "aachen_000000_000019_gtFine_instanceIds.png", street())

    page = Path(shutil.copy(ROOT / "docs" / "training.md", tmp_path))
    for module in recipe, run:
        monkeypatch.setattr(module, "PAGE", page)
    monkeypatch.setattr(run, "make_dataset", make_dataset)
    return page


def make_environment(folder: Path, python: str, required: str | None) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin" / "python").write_text(python)
    (folder / "bin" / "python").chmod(0o755)
    if required is not None:
        (folder / "required.txt").write_text(required)


def test_the_page_gets_the_versions_of_the_environment(page: Path, tmp_path: Path) -> None:
    make_environment(tmp_path / "globox", GLOBOX, "globox==2.9.0")
    assert run.main(["globox", "--envs", str(tmp_path)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "\nLast run with globox 2.9.9: 4 instances, boxes exact.\n" in text
    assert "| [globox](#globox) | 2.9.9 |" in text


def test_a_reader_that_fails_leaves_the_page_and_shows_the_inner_error(
    page: Path, tmp_path: Path, capsys: Capture
) -> None:
    text = page.read_text(encoding="utf-8")
    make_environment(tmp_path / "globox", BROKEN, "globox==2.9.0")
    assert run.main(["globox", "--envs", str(tmp_path)]) == 1
    assert page.read_text(encoding="utf-8") == text
    assert capsys.readouterr().out == (
        "globox: FAILED: subprocess.CalledProcessError: the outer error\n"
        "ValueError: the inner error\n"
    )


@pytest.mark.parametrize("required", [None, "globox==2.8.0"])
def test_an_environment_that_is_unfinished_or_old_is_made_again(
    required: str | None,
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    def call(*command: object, **_: object) -> str:
        """Make an environment that no package can be installed into."""
        if "venv" in command:
            make_environment(tmp_path / "globox", GLOBOX, None)
            return ""
        raise subprocess.CalledProcessError(1, "pip", stderr="no index")

    text = page.read_text(encoding="utf-8")
    make_environment(tmp_path / "globox", GLOBOX, required)
    monkeypatch.setattr(run, "_call", call)
    assert run.main(["globox", "--envs", str(tmp_path)]) == 3
    assert (
        capsys.readouterr().out == "globox: left out: pip cannot install globox==2.9.0: no index\n"
    )
    assert page.read_text(encoding="utf-8") == text
    assert not (tmp_path / "globox").exists()


def test_a_folder_that_is_no_environment_stays(page: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "globox").mkdir()
    (tmp_path / "globox" / "notes").touch()
    assert run.main(["globox", "--envs", str(tmp_path)]) == 3
    assert "is not an environment" in capsys.readouterr().out
    assert (tmp_path / "globox" / "notes").exists()


def test_a_reader_that_was_left_out_does_not_hide_one_that_failed(
    page: Path, tmp_path: Path
) -> None:
    make_environment(tmp_path / "globox", BROKEN, "globox==2.9.0")
    (tmp_path / "hotcoco").mkdir()
    assert run.main(["globox", "hotcoco", "--envs", str(tmp_path)]) == 1
    assert run.main(["hotcoco", "globox", "--envs", str(tmp_path)]) == 1


def test_a_python_without_assertions_is_refused() -> None:
    command = [sys.executable, "-O", str(ROOT / "tests/readers/run.py"), "globox"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "python -O" in refused.stderr
