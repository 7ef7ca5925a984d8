"""The inspector as its users call it: the summary, the choice of pictures, and errors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from inspect_coco import main as inspect
from tests.conftest import OUTPUT, PATIENCE, ROOT, WriteMap, convert, load, write_json

NAMES = [f"aachen_{number:06d}_000019" for number in range(4)]


@pytest.fixture
def data(datadir: Path, write_map: WriteMap, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four frames, converted, without photographs: a bus and a person, of which the last frame has
    neither. There is no display."""
    for name in NAMES:
        write_map([[7, 7, 7]] if name == NAMES[3] else [[28000, 7, 24000]], name=name)
    convert(datadir)
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(variable, raising=False)
    return datadir


def run(capsys: pytest.CaptureFixture[str], data: Path, *options: object) -> str:
    """Inspect a data folder and return what is printed."""
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), *map(str, options)]) == 0
    return capsys.readouterr().out


def fail(capsys: pytest.CaptureFixture[str], data: Path, *options: object) -> str:
    """Inspect a data folder in vain and return the one line of the error."""
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), *map(str, options)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    return line


# The summary, and which file and frames are chosen.


def test_the_summary_counts_annotations_and_images_per_class(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = load(data / "annotations" / OUTPUT)
    bus = next(a for a in coco["annotations"] if a["instance_id"] == 28000)
    coco["annotations"] += [bus | {"id": 100}, bus | {"id": 101, "iscrowd": 1}]
    path = write_json(data / "annotations" / OUTPUT, coco)
    out = run(capsys, data, "--num_examples", 0, "--seed", 7)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert re.fullmatch(rf"{re.escape(str(path))} \(0.00 MB\), split train", lines[0])
    assert lines[1:3] == ["class annotations images", "person 3 3"]
    assert {"bus 5 3", "car 0 0"} < set(lines)
    assert lines[-3:] == ["all 8 4", "of these crowds: 1 bus", "0 of 4 images, --seed 7"]


def test_the_split_is_the_one_asked_for_or_the_first_there_is(
    data: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(split="val")
    convert(data)
    argv = ["--num_examples", 0]
    assert "split train" in run(capsys, data, *argv)
    assert "split val" in run(capsys, data, *argv, "--split", "val")
    (data / "annotations" / OUTPUT).unlink()
    assert "split val" in run(capsys, data, *argv)


def test_a_seed_repeats_a_choice(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--num_examples", 1, "--save", data / "pictures"]
    out = run(capsys, data, *argv)
    [seed] = re.findall(r"1 of 4 images, --seed (\d+)\n", out)
    assert run(capsys, data, *argv, "--seed", seed) == out
    choices = {run(capsys, data, *argv, "--seed", seed).splitlines()[-1] for seed in "1234"}
    assert len(choices) > 1


def test_only_frames_whose_name_or_classes_fit_are_chosen(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(capsys, data, "--save", data / "pictures", "--image", NAMES[2])
    picture = data / "pictures" / f"{NAMES[2]}_leftImg8bit_instances.png"
    assert out.splitlines()[-1] == str(picture)
    assert os.listdir(data / "pictures") == [picture.name]
    assert "0 of 3 images" in run(capsys, data, "--num_examples", 0, "--category", "person")


def test_only_instances_of_the_chosen_classes_are_drawn(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def picture(*categories: str) -> bytes:
        options = [word for name in categories for word in ("--category", name)]
        folder = data / "pictures"
        run(capsys, data, "--save", folder, "--image", NAMES[0], *options)
        return (folder / f"{NAMES[0]}_leftImg8bit_instances.png").read_bytes()

    assert picture() == picture("person", "bus")
    assert len({picture(), picture("person"), picture("bus")}) == 3


def test_pictures_are_saved_within_the_folder_whatever_an_image_is_called(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = load(data / "annotations" / OUTPUT)
    coco["images"] = [coco["images"][0] | {"file_name": "../$a_{b}$\x1b[31m\ud800.png"}]
    coco["categories"][0]["name"], coco["categories"][4]["name"] = "$x^$", " "
    path, folder = write_json(data / "file.json", coco), data / "pictures"
    run(capsys, data, "--json", path, "--save", folder)
    assert os.listdir(folder) == ["_a__b____31m__instances.png"]


def test_the_statistics_are_one_page(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "pictures" / f"{Path(OUTPUT).stem}_statistics.png"
    out = run(capsys, data, "--stats", "--save", data / "pictures")
    assert out.splitlines()[-1] == str(path)
    with Image.open(path) as page:
        assert page.width > 1500


def test_without_a_display_pictures_go_beside_the_file_and_it_says_so(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data / "annotations" / "pictures"
    for number, options in enumerate((["--num_examples=1"], ["--stats"]), 1):
        assert f"no display, so pictures go to {folder}" in run(capsys, data, *options)
        assert len(os.listdir(folder)) == number


# Errors.


def file_of(**parts: object) -> str:
    return json.dumps({"images": [], "categories": [], "annotations": []} | parts)


BAD_FILES = {
    "none": (None, "cannot be read: No such file"),
    "truncated": ('{"images": [', "not a JSON file"),
    "not UTF-8": (b"\xff\xfe{}", "not a JSON file"),
    "nested without end": ('{"info": ' + "[" * 100_000, "not a JSON file"),
    "a list of results": ('[{"image_id": 1, "score": 0.5}]', "a list, perhaps of results"),
    "no annotations": ('{"images": [], "categories": []}', "no list of annotations in it"),
    "images are numbers": (file_of(images=[1]), "images[0] should be an object, not an integer"),
    "a text as id": (file_of(images=[{"id": "1"}]), "images[0].id should be an integer, not a"),
    "a boolean as width": (
        file_of(images=[{}, {"width": True}]),
        "images[1].width should be an integer, not a boolean",
    ),
    "NaN": (
        file_of(annotations=[{}, {"bbox": [0, 0, float("nan"), 1]}]),
        "annotations[1].bbox[2] should be a number",
    ),
    "a box of three": (file_of(annotations=[{"bbox": [0, 0, 1]}]), "annotations[0].bbox"),
    "a number that fits nowhere": (file_of(annotations=[{"area": 10**400}]), "annotations[0].area"),
    "an image without a size": (
        file_of(images=[{"id": 1, "file_name": "a"}]),
        "a has 0 x 0 pixels",
    ),
    "an absurd size": (
        file_of(images=[{"id": 1, "width": 60000, "height": 60000}]),
        "has 60000 x 60000 pixels",
    ),
    "a polygon of two points": (
        file_of(
            images=[{"id": 1, "width": 6, "height": 6}],
            annotations=[{"id": 5, "image_id": 1, "segmentation": [[1, 2, 3, 4]]}],
        ),
        "annotation 5: a polygon is not a list of at least three points",
    ),
    "no images": (file_of(), "no image in it"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_one_line_and_exit_code_1(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, says = BAD_FILES[fault]
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    line = fail(capsys, tmp_path, "--json", path, "--save", tmp_path)
    assert line.startswith(f"error: {path}: ") and says in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--split", "val"], f"no {OUTPUT.replace('train', 'val')} in it; found train"),
        (["--category", "dog"], "no category dog; it has person, rider, car"),
        (["--category", "train"], "no image in it that --image and --category ask for"),
        (["--image", "ulm"], "no image in it that --image and --category ask for"),
    ],
)
def test_what_is_not_there_is_named(
    options: list[str], says: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fail(capsys, data, *options)
    assert line.startswith(f"error: {data / 'annotations'}") and says in line


def test_pictures_that_cannot_be_written_are_an_error(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fail(capsys, data, "--save", data / "annotations" / OUTPUT)
    assert "cannot be written: " in line and line.endswith("see --save")


@pytest.mark.parametrize(
    "argv", [["--stats", "--verify"], ["--num_examples", "-1"], ["--seed", "x"], ["--no"]]
)
def test_a_wrong_command_line_is_exit_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        inspect(argv)
    assert exit_info.value.code == 2


def test_help_and_summary_load_neither_numpy_nor_matplotlib(data: Path) -> None:
    code = (
        "import sys, inspect_coco\n"
        f"assert inspect_coco.main(['--coco_dir', {str(data)!r}, '--num_examples', '0']) == 0\n"
        "assert not {'numpy', 'matplotlib', 'cv2'} & sys.modules.keys()\n"
        "inspect_coco.main(['--help'])"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
