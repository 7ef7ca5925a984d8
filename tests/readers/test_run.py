"""The judge of tests/readers, and the page that its command writes to."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import Capture, save_map, street
from tests.files import ROOT, touch
from tests.oracle import box_of, masks_in, name_of
from tests.readers import recipe, run
from tests.readers.recipe import Floor, Found, judge

EXACT = "photographs exact, boxes exact, masks exact"
PHOTOGRAPH = "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"


def save_frame(datadir: Path, split: str, number: int, id_map: NDArray[np.uint16]) -> None:
    """Write a map, and as its photograph the map in colours of its own."""
    name = f"{split}/aachen/aachen_{number:06}_000019"
    save_map(datadir / "gtFine" / f"{name}_gtFine_instanceIds.png", id_map)
    photograph = datadir / "leftImg8bit" / f"{name}_leftImg8bit.png"
    photograph.parent.mkdir(parents=True, exist_ok=True)
    colours = np.stack([id_map % 251, id_map % 7, id_map % 5], axis=-1).astype(np.uint8)
    Image.fromarray(colours).save(photograph)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What a perfect reader gives of the street."""
    monkeypatch.chdir(tmp_path)
    save_frame(recipe.DATADIR, "train", 0, street())
    pixels = np.array(Image.open(recipe.DATADIR / PHOTOGRAPH))
    return [
        Found(PHOTOGRAPH, name_of(value), box_of(mask), mask, value, pixels)
        for value, mask in masks_in(street())
    ]


def test_the_judge_finds_a_perfect_reader_exact(found: list[Found], capsys: Capture) -> None:
    judge({"train": found[::-1]})
    assert capsys.readouterr().out == f"4 instances of train, {EXACT}\n"
    for what, name, value in ("instances and groups", "cargroup", 26), ("segments", "road", 7):
        with pytest.raises(AssertionError):
            judge({"train": found}, what)
        mask = street() == value
        found.append(Found(PHOTOGRAPH, name, box_of(mask), mask, value))
        judge({"train": found}, what)


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
        lambda first: [first._replace(pixels=first.pixels[..., ::-1])],
    ],
)
def test_each_fault_is_found(spoil: Callable[[Found], list[Found]], found: list[Found]) -> None:
    with pytest.raises(AssertionError):
        judge({"train": [*spoil(found[0]), *found[1:]]})


def test_the_judge_tells_how_far_a_reader_is_off(found: list[Found], capsys: Capture) -> None:
    x, y, width, height = found[0].box or ()
    first = without_a_pixel(found[0])._replace(box=(x, y, width - 0.25, height + 1.5))
    floor = Floor(exact_masks=3, mean_iou=0.9, off_by=1.5)
    judge({"train": [first, *found[1:]]}, floor=floor)
    pixels = int(np.sum(street() == found[0].map_value))
    assert capsys.readouterr().out == (
        "4 instances of train, photographs exact,"
        " 3 of 4 boxes exact, boxes off by up to 1.50 pixels, 3 of 4 masks exact,"
        f" mean IoU of masks {(3 + (pixels - 1) / pixels) / 4:.3f}\n"
    )


@pytest.mark.parametrize(
    "floor", [Floor(exact_masks=4, off_by=2), Floor(mean_iou=1, off_by=2), Floor(off_by=0.5)]
)
def test_an_inexact_reader_has_to_reach_its_floor(floor: Floor, found: list[Found]) -> None:
    x, y, width, height = found[0].box or ()
    first = without_a_pixel(found[0])._replace(box=(x, y, width + 1, height))
    with pytest.raises(AssertionError, match="3 of 4 masks exact"):
        judge({"train": [first, *found[1:]]}, floor=floor)


def test_each_recipe_has_its_script_and_requirements() -> None:
    assert set(run.LIGHT) < set(run.READERS)
    scripts = {path.stem.removeprefix("read_") for path in run.HERE.glob("read_*.py")}
    assert scripts == set(run.READERS) and all(map(run.requirements, run.READERS))


# The command, with a reader that needs no packages, so that its environment is this Python.

PLAIN_PAGE = """# Page

```python
DATA = "data/cityscapes"
SPLIT = "train"
FILE = f"{DATA}/annotations/instancesonly_filtered_gtFine_{SPLIT}.json"
```

| reader | last run with |
| --- | --- |
| [plain](#plain) | 0.1 |

## plain

```
python main.py
```

```python
import json

with open(FILE) as file:
    coco = json.load(file)
```

Last run with plain 0.1: well.
"""
PLAIN_SCRIPT = """
import json
import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from recipe import DATADIR, RESULTS, SPLITS, Found, fill, judge, plant, run_recipe

def look(coco):
    names = {category["id"]: category["name"] for category in coco["categories"]}
    photographs = {image["id"]: image["file_name"] for image in coco["images"]}
    for annotation in coco["annotations"]:
        photograph = photographs[annotation["image_id"]]
        name = names[annotation["category_id"]] + "group" * annotation["iscrowd"]
        mask = fill(annotation["segmentation"], 16, 24)
        pixels = np.array(Image.open(DATADIR / photograph))
        yield Found(photograph, name, annotation["bbox"], mask, annotation["map_value"], pixels)

def encode(mask):
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {**rle, "counts": rle["counts"].decode()}

cocos = {split: run_recipe("plain", split)["coco"] for split in SPLITS}
results = [
    {
        "image_id": image["id"],
        "category_id": label + 1,
        "bbox": [left, top, right - left, bottom - top],
        "segmentation": encode(mask),
        "score": 1,
    }
    for image in cocos["val"]["images"]
    for label, (left, top, right, bottom), mask in plant(image["file_name"])
]
RESULTS.write_text(json.dumps(results))
judge({split: look(coco) for split, coco in cocos.items()})
"""
PLAIN_PYTHON = f"""#!/bin/sh
[ "$1" = -c ] && echo 1.0 || exec {sys.executable} "$@"
"""
LIES = {
    "results of another class": ("script", "label + 1", "(label + 1) % 8 + 1"),
    "results of other images": ("script", '"image_id": image["id"]', '"image_id": 3 - image["id"]'),
    "boxes of another form": ("script", "right - left, bottom - top", "right, bottom"),
    "empty masks": ("script", '"segmentation": encode(', '"segmentation": encode(0 * '),
    "results of some classes": ("script", "dumps(results)", "dumps(results[1:])"),
    "no results": ("script", "json.dumps(results)", "'[]'"),
    "another photograph": ("script", "DATADIR / photograph", "DATADIR / photographs[1]"),
    "nothing judged": ("script", "\njudge(", "\nlist("),
    "an option that moves masks": ("page", "main.py", "main.py --segmentation opencv"),
    "an option that adds crowds": ("page", "main.py", "main.py --crowd keep"),
    "val from train": ("page", "open(FILE)", "open(FILE.replace('_val', '_train'))"),
    "train from val": ("page", "open(FILE)", "open(FILE.replace('_train', '_val'))"),
    "no command": ("page", "python main.py\n", ""),
    "code that fails": ("page", "json.load", "json.lead"),
    "an old version": ("python", "echo 1.0", "echo 0.9"),
}


class Project(NamedTuple):
    page: Path
    script: Path
    python: Path
    required: Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with a recipe, its script, and an environment for it."""

    def make_dataset(folder: Path) -> None:
        for split in recipe.SPLITS:
            for number, id_map in enumerate([street(), street()[:, ::-1]]):
                save_frame(folder, split, number + 2 * (split == "val"), id_map)

    here, environment = tmp_path / "tests/readers", tmp_path / "envs/plain"
    page, script = tmp_path / "docs/training.md", here / "read_plain.py"
    made = Project(page, script, environment / "bin/python", environment / "required.txt")
    texts = PLAIN_PAGE, PLAIN_SCRIPT, PLAIN_PYTHON, "plain==1.0"
    for path, text in zip(made, texts, strict=True):
        touch(path).write_text(text)
    shutil.copy(recipe.__file__, here)
    shutil.copy(made.required, here / "read_plain.txt")
    made.python.chmod(0o755)
    (environment / "pyvenv.cfg").touch()
    monkeypatch.setattr(recipe, "PAGE", made.page)
    monkeypatch.setattr(run, "HERE", here)
    monkeypatch.setattr(run, "READERS", {"plain": "plain", "other": "other"})
    monkeypatch.setattr(run, "make_dataset", make_dataset)
    return made


def run_plain(project: Project, *others: str) -> int:
    return run.main([*others, "plain", "--envs", str(project.python.parents[2])])


def test_an_honest_reader_gets_its_line_and_its_version(project: Project) -> None:
    assert run_plain(project) == 0
    found = f"16 instances of train and val, {EXACT}, results scored"
    line = f"plain 1.0: {found}, with the right classes and images"
    expected = PLAIN_PAGE.replace("plain 0.1: well", line).replace("| 0.1", "| 1.0")
    assert project.page.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_in_failure_and_leaves_the_page(lie: str, project: Project) -> None:
    where, honest, told = LIES[lie]
    path: Path = getattr(project, where)
    text = path.read_text(encoding="utf-8")
    assert text.count(honest) == 1
    path.write_text(text.replace(honest, told), encoding="utf-8")
    page = project.page.read_text(encoding="utf-8")
    assert run_plain(project) == 1
    assert project.page.read_text(encoding="utf-8") == page


def test_a_failure_shows_the_inner_error(project: Project, capsys: Capture) -> None:
    errors = "echo ValueError: inner >&2; echo SubprocessError: outer >&2; exit 1"
    project.python.write_text(PLAIN_PYTHON.replace(f"exec {sys.executable}", f"eval '{errors}'"))
    assert run_plain(project) == 1
    assert capsys.readouterr().out == "plain: FAILED: SubprocessError: outer\nValueError: inner\n"


@pytest.mark.parametrize("required", [None, "plain==0.9"])
def test_an_environment_that_is_unfinished_or_old_is_made_again(
    required: str | None, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def call(*command: object, **_: object) -> str:
        """Make an environment that no package can be installed into."""
        if "venv" in command:
            project.python.parent.mkdir(parents=True)
            return ""
        raise subprocess.CalledProcessError(1, "pip", stderr="no index")

    project.required.unlink() if required is None else project.required.write_text(required)
    monkeypatch.setattr(run, "_call", call)
    assert run_plain(project) == 3
    assert capsys.readouterr().out == "plain: left out: pip cannot install plain==1.0: no index\n"
    assert project.page.read_text(encoding="utf-8") == PLAIN_PAGE
    assert not project.required.parent.exists()


def test_a_folder_that_is_no_environment_stays(project: Project, capsys: Capture) -> None:
    shutil.copy(run.HERE / "read_plain.txt", run.HERE / "read_other.txt")
    notes = project.required.parents[1] / "other" / "notes"
    notes.parent.mkdir()
    notes.touch()
    assert run_plain(project, "other") == 3
    assert "other: left out: " in capsys.readouterr().out
    assert notes.exists()
    project.script.write_text("")  # a reader that fails comes before one that is left out
    assert run_plain(project, "other") == 1


def test_a_python_without_assertions_is_refused() -> None:
    command = [sys.executable, "-O", str(ROOT / "tests/readers/run.py"), "globox"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "python -O" in refused.stderr
