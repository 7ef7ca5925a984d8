"""The inspector as its users call it: the summary, the pictures, and the windows."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cityscapes_coco.charts import draw_statistics
from cityscapes_coco.decoding import to_mask, to_rle
from cityscapes_coco.reading import read_coco
from cityscapes_coco.view import LAYERS, Example, draw_example, load_example
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import main
from inspect_coco import main as inspect
from tests.conftest import WriteMap

ROOT = Path(__file__).parent.parent
SIZE = (800, 400)
NAMES = [f"aachen_{number:06d}_000019" for number in range(4)]
LEGEND = 40 * 2 + 14  # pixels: the name of the image, one row of classes, margins

Coco = dict[str, Any]


def street() -> np.ndarray:
    """A map with a bus that has a hole, a pedestrian of 20 pixels, and a group of cars."""
    id_map = np.full((SIZE[1], SIZE[0]), 7)
    id_map[50:250, 100:500] = 28000
    id_map[100:200, 200:400] = 23
    id_map[300:320, 600:608] = 24000
    id_map[300:380, 50:250] = 26
    return id_map


def photograph() -> np.ndarray:
    y, x = np.indices((SIZE[1], SIZE[0])) // 4
    return np.stack((x, y, 150 - y), axis=2).astype(np.uint8)


@pytest.fixture
def data(datadir: Path, write_map: WriteMap) -> Path:
    """Four frames of one street, the last without anything on it, with photographs, converted."""
    photos = datadir / "leftImg8bit" / "train" / "aachen"
    photos.mkdir(parents=True)
    for name in NAMES:
        write_map(street() if name != NAMES[3] else street() * 0 + 7, name=name)
        Image.fromarray(photograph()).save(photos / f"{name}_leftImg8bit.png")
    assert main.main(["--datadir", str(datadir), "--workers", "1"]) == 0
    return datadir


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)


def annotations_file(data: Path) -> Path:
    return data / "annotations" / "instancesonly_filtered_gtFine_train.json"


def save(data: Path, coco: Coco, *options: str) -> np.ndarray:
    """Return the saved picture of the first frame: RGB, of shape (height, width, 3)."""
    path, folder = data / "file.json", data / "pictures"
    path.write_text(json.dumps(coco))
    argv = ["--coco_dir", str(data), "--json", str(path), "--save", str(folder)]
    assert inspect([*argv, "--image", NAMES[0], *options]) == 0
    with Image.open(folder / f"{NAMES[0]}_leftImg8bit_instances.png") as picture:
        return np.asarray(picture.convert("RGB"))


def example(data: Path, coco: Coco, image: int = 0) -> Example:
    names = {category["id"]: category["name"] for category in coco["categories"]}
    of_image = [a for a in coco["annotations"] if a["image_id"] == image + 1]
    return load_example(data / "file.json", data, coco["images"][image], of_image, names)


def draw(drawn: Example, *layers: str) -> tuple[Figure, Any]:
    """Draw an example as it is saved; the renderer has its pixels, and measures."""
    figure = Figure((800 / 128, (400 + LEGEND) / 128), dpi=128)
    canvas = FigureCanvasAgg(figure)
    draw_example(figure, drawn, layers)
    canvas.draw()
    return figure, canvas.get_renderer()


def with_group(coco: Coco) -> Coco:
    """The file with the group of cars of the first frame, as an uncompressed RLE."""
    counts = [50 * 400 + 300, *[80, 320] * 199, 80, 20 + 550 * 400]
    coco["annotations"].append(
        {
            "id": 100,
            "image_id": 1,
            "category_id": 3,
            "iscrowd": 1,
            "area": 16000,
            "bbox": [50, 300, 200, 80],
            "segmentation": {"size": [400, 800], "counts": counts},
        }
    )
    return coco


# The summary, and which file and frames are chosen.


def test_the_summary_counts_annotations_and_images_per_class(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), "--num_examples", "0", "--seed", "7"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert re.fullmatch(rf"{annotations_file(data)} \(0.00 MB\), split train", lines[0])
    assert lines[1:3] == ["class annotations images", "person 3 3"]
    assert {"bus 3 3", "car 0 0"} < set(lines)
    assert lines[-2:] == ["all 6 4", "0 of 4 images, --seed 7"]


def test_the_summary_counts_crowds(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(data, with_group(read_coco(annotations_file(data))))
    assert "of these crowds: 1 car" in capsys.readouterr().out


def test_the_split_is_the_one_asked_for_or_the_first_there_is(
    data: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(street(), split="val")
    assert main.main(["--datadir", str(data), "--workers", "1"]) == 0
    argv = ["--coco_dir", str(data), "--num_examples", "0"]
    capsys.readouterr()
    assert inspect(argv) == 0 and "split train" in capsys.readouterr().out
    assert inspect([*argv, "--split", "val"]) == 0 and "split val" in capsys.readouterr().out
    annotations_file(data).unlink()
    assert inspect(argv) == 0 and "split val" in capsys.readouterr().out


def test_a_seed_repeats_a_choice(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--coco_dir", str(data), "--num_examples", "1", "--save", str(data / "pictures")]
    capsys.readouterr()
    assert inspect(argv) == 0
    out = capsys.readouterr().out
    [seed] = re.findall(r"1 of 4 images, --seed (\d+)\n", out)
    assert inspect([*argv, "--seed", seed]) == 0
    assert capsys.readouterr().out == out
    choices = set()
    for seed in "1234":
        assert inspect([*argv, "--seed", seed]) == 0
        choices.add(capsys.readouterr().out.splitlines()[-1])
    assert len(choices) > 1


def test_only_frames_whose_name_fits_are_drawn(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--coco_dir", str(data), "--save", str(data / "pictures"), "--image", NAMES[2]]
    capsys.readouterr()
    assert inspect(argv) == 0
    [path] = [line for line in capsys.readouterr().out.splitlines() if line.endswith(".png")]
    assert path == str(data / "pictures" / f"{NAMES[2]}_leftImg8bit_instances.png")
    assert os.listdir(data / "pictures") == [Path(path).name]


def test_only_instances_of_the_chosen_classes_are_drawn_in_frames_that_have_them(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = read_coco(annotations_file(data))
    argv = ["--coco_dir", str(data), "--num_examples", "0"]
    capsys.readouterr()
    assert inspect([*argv, "--category", "person"]) == 0
    assert "0 of 3 images" in capsys.readouterr().out
    picture = save(data, coco, "--category", "person")
    assert (picture[50:250, 100:500] == photograph()[50:250, 100:500]).all()
    both = save(data, coco, "--category", "person", "--category", "bus")
    assert (both == save(data, coco)).all() and (both != picture).any()


# What is drawn.


def test_a_saved_picture_is_the_photograph_pixel_by_pixel_with_a_legend_below(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    coco["annotations"] = []
    picture = save(data, coco)
    assert picture.shape == (400 + 40 + 14, 800, 3)
    assert (picture[:400] == photograph()).all()
    assert (picture[400:] < 128).any(), "the name of the image"


def test_masks_are_filled_and_holes_are_not(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    picture, photo = save(data, coco).astype(int), photograph().astype(int)
    assert picture.shape == (400 + LEGEND, 800, 3)
    assert (picture[110:190, 210:390] == photo[110:190, 210:390]).all(), "the hole"
    bus = np.s_[210:240, 210:390]
    # Cityscapes' colour of a bus, half of it.
    assert (abs(picture[bus] - (photo[bus] + (0, 60, 100)) / 2) <= 1).all()
    assert (picture[60:240, 101] == picture[150, 101]).all(), "the outline"
    assert (picture[150, 101] > (0, 60, 100)).all()


def test_the_smallest_and_the_largest_have_labels_of_at_least_14_pixels(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    figure, renderer = draw(example(data, coco), *LAYERS)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert texts.keys() == {"person", "bus"}
    sizes = {name: text.get_size() * 128 / 72 for name, text in texts.items()}
    assert sizes["person"] == pytest.approx(14) and sizes["bus"] > 20
    boxes = [text.get_window_extent(renderer) for text in texts.values()]
    assert not boxes[0].overlaps(boxes[1])
    for box in boxes:
        assert box.x0 >= 0 and box.x1 <= 800 and box.y0 >= LEGEND and box.y1 <= 400 + LEGEND


def test_labels_of_a_crowded_street_do_not_overlap(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    person = next(a for a in coco["annotations"] if a["image_id"] == 1 and a["area"] == 160)
    coco["annotations"] = [
        person | {"id": n, "bbox": [300 + 9 * n, 300, 8, 20], "segmentation": []} for n in range(25)
    ]
    figure, renderer = draw(example(data, coco), *LAYERS)
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 25
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:n])


def test_instances_of_a_class_differ_in_shade(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    coco["annotations"] = [a | {"image_id": 1} for a in coco["annotations"]]
    drawn = example(data, coco).instances
    assert len({instance.color for instance in drawn}) == len(drawn) == 6


def test_crowds_are_hatched_and_named_in_the_legend(data: Path) -> None:
    coco = with_group(read_coco(annotations_file(data)))
    picture, photo = save(data, coco), photograph()
    inside = np.s_[310:370, 60:240]
    share = (picture[inside] != photo[inside]).any(axis=2).mean()
    assert 0.2 < share < 0.7
    figure = Figure((8, 6))
    draw_example(figure, example(data, coco))
    legend = [text.get_text() for text in figure.axes[1].texts]
    assert legend == [
        f"leftImg8bit/train/aachen/{NAMES[0]}_leftImg8bit.png",
        "person  1",
        "car group  1",
        "bus  1",
    ]


@pytest.mark.parametrize("compressed", [True, False])
def test_both_kinds_of_rle_give_the_same_picture_as_polygons(compressed: bool, data: Path) -> None:
    coco = read_coco(annotations_file(data))
    expected = save(data, coco)
    for annotation in coco["annotations"]:
        rle = to_rle(annotation["segmentation"], 400, 800)
        pixels = to_mask(rle).ravel(order="F")
        edges = np.flatnonzero(np.diff(pixels, prepend=0)).tolist()
        counts = (
            rle["counts"].decode() if compressed else np.diff([0, *edges, pixels.size]).tolist()
        )
        annotation["segmentation"] = {"size": [400, 800], "counts": counts}
    assert (save(data, coco) == expected).all()


def test_boxes_without_masks_are_drawn(data: Path) -> None:
    coco = read_coco(annotations_file(data))
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    picture, photo = save(data, coco), photograph()
    assert (picture[60:240, 110:490] == photo[60:240, 110:490]).all(), "inside the box of the bus"
    assert (picture[60:240, 99:101] != photo[60:240, 99:101]).any(), "its edge"


@pytest.mark.parametrize("field", ["bbox", "area", "iscrowd", "category_id", "id"])
def test_what_misses_a_field_is_drawn_all_the_same(field: str, data: Path) -> None:
    coco = read_coco(annotations_file(data))
    for annotation in coco["annotations"]:
        del annotation[field]
    picture, photo = save(data, coco), photograph()
    assert (picture[210:240, 210:390] != photo[210:240, 210:390]).any()


@pytest.mark.parametrize("name", ["{split}/{base}", "{base}", "aachen/{base}", "{base} "])
def test_photographs_are_found_by_any_of_the_names_in_use(name: str, data: Path) -> None:
    coco = read_coco(annotations_file(data))
    coco["annotations"] = []
    base = f"{NAMES[0]}_leftImg8bit.png"
    coco["images"][0]["file_name"] = name.format(split="leftImg8bit/train/aachen", base=base)
    drawn = example(data, coco)
    if name.endswith(" "):
        assert drawn.note == f"no photograph {base}  in {data}"
    else:
        assert not drawn.note and (drawn.photo == photograph()).all()


def remove(photo: Path) -> None:
    photo.unlink()


def cut(photo: Path) -> None:
    data = photo.read_bytes()
    photo.write_bytes(data[: len(data) // 2])


def shrink(photo: Path) -> None:
    Image.new("RGB", (10, 20)).save(photo)


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (remove, "no photograph "),
        (cut, "cannot be read"),
        (shrink, "has 10 x 20 pixels, not 800 x 400"),
    ],
)
def test_without_a_photograph_the_background_is_plain_and_says_so(
    spoil: Any, note: str, data: Path
) -> None:
    spoil(data / "leftImg8bit" / "train" / "aachen" / f"{NAMES[0]}_leftImg8bit.png")
    coco = read_coco(annotations_file(data))
    drawn = example(data, coco)
    assert note in drawn.note
    assert len(np.unique(drawn.photo)) == 1 and drawn.photo.shape == (400, 800, 3)
    figure = Figure((8, 6))
    draw_example(figure, drawn)
    assert any(note in text.get_text().replace("\n", " ") for text in figure.axes[0].texts)
    save(data, coco)


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "..\\secret.png", "{}/secret.png", "a/../../secret.png", "C:x", "", "\0"],
)
def test_no_name_leads_out_of_the_data_folder(name: str, data: Path, tmp_path: Path) -> None:
    Image.fromarray(photograph()).save(tmp_path / "secret.png")
    coco = read_coco(annotations_file(data))
    coco["images"][0]["file_name"] = name.format(tmp_path)
    assert "no photograph" in example(data, coco).note


def test_names_are_drawn_as_they_are_and_saved_within_the_folder(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = read_coco(annotations_file(data))
    coco["images"] = [coco["images"][0] | {"file_name": "../$a_{b}$\x1b[31m\ud800.png"}]
    coco["categories"][0]["name"] = "$x^$"
    coco["categories"][4]["name"] = " "
    path, folder = data / "file.json", data / "pictures"
    path.write_text(json.dumps(coco))
    argv = ["--coco_dir", str(data), "--json", str(path), "--save", str(folder)]
    assert inspect(argv) == 0
    assert os.listdir(folder) == ["_a__b____31m__instances.png"]


# The page of statistics.


def test_the_statistics_are_one_page(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), "--stats", "--save", str(data / "pictures")]) == 0
    path = data / "pictures" / f"{annotations_file(data).stem}_statistics.png"
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    with Image.open(path) as page:
        assert page.width > 1500


def test_the_statistics_count_instances_and_sizes_but_no_crowds(data: Path) -> None:
    coco = with_group(read_coco(annotations_file(data)))
    figure = Figure((14, 9))
    draw_statistics(figure, coco, "train")
    assert figure.get_suptitle() == "train: 4 images, 6 instances, 1 crowds not counted"
    classes, per_image, sizes, shares = figure.axes
    assert [text.get_text() for text in classes.texts] == ["3", "0", "0", "0", "3", "0", "0", "0"]
    assert [bar.get_height() for bar in per_image.patches] == [1, 0, 3]
    medians = {
        line.get_ydata()[0]: line.get_xdata()[0] for line in sizes.lines if line.get_marker() == "o"
    }
    assert medians == {0: 160, 4: 400 * 200 - 200 * 100}
    assert [text.get_text() for text in shares.texts] == ["100", "100"]


def test_statistics_of_nothing_are_drawn(data: Path) -> None:
    for part in ("annotations", "images", "categories"):
        coco = read_coco(annotations_file(data))
        coco[part] = []
        figure = Figure((14, 9))
        draw_statistics(figure, coco, "train")
        figure.canvas.draw()


# Errors, and what does not depend on a display.


def test_without_a_display_pictures_go_beside_the_file_and_it_says_so(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect(["--coco_dir", str(data), "--num_examples", "1"]) == 0
    folder = data / "annotations" / "pictures"
    out = capsys.readouterr().out
    assert f"no display, so pictures go to {folder}" in out
    assert len(os.listdir(folder)) == 1
    assert inspect(["--coco_dir", str(data), "--stats"]) == 0
    assert len(os.listdir(folder)) == 2


BAD_FILES = {
    "none": (None, "cannot be read: No such file"),
    "truncated": ('{"images": [', "not a JSON file"),
    "not UTF-8": (b"\xff\xfe{}", "not a JSON file"),
    "nested without end": ("[" * 100_000, "not a JSON file"),
    "another JSON file": ("[1, 2]", "not a COCO file: no list of categories in it"),
    "no annotations": ('{"images": [], "categories": []}', "no list of annotations in it"),
    "images are numbers": (
        '{"images": [1], "categories": [], "annotations": []}',
        "images[0] is not an object",
    ),
    "a text as id": (
        '{"images": [{"id": "1"}], "categories": [], "annotations": []}',
        "images[0] has a field id that is not an integer",
    ),
    "a boolean as width": (
        '{"images": [{"id": 1, "width": true, "height": 2}], "categories": [], "annotations": []}',
        "images[0] has a field width that is not an integer",
    ),
    "NaN": (
        '{"images": [], "categories": [], "annotations": [{"bbox": [0, 0, NaN, 1]}]}',
        "annotations[0] has a field bbox that is not four numbers",
    ),
    "an image without a size": (
        '{"images": [{"id": 1, "file_name": "a.png"}], "categories": [], "annotations": []}',
        "the image a.png has 0 x 0 pixels",
    ),
    "an absurd size": (
        '{"images": [{"id": 1, "width": 60000, "height": 60000}], "categories": [],'
        ' "annotations": []}',
        "has 60000 x 60000 pixels",
    ),
    "a polygon of two points": (
        '{"images": [{"id": 1, "width": 6, "height": 6}], "categories": [],'
        ' "annotations": [{"id": 5, "image_id": 1, "segmentation": [[1, 2, 3, 4]]}]}',
        "annotation 5: a polygon is not a list of at least three points",
    ),
    "no images": ('{"images": [], "categories": [], "annotations": []}', "no image in it"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_one_line_and_exit_code_1(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, says = BAD_FILES[fault]
    path = tmp_path / "file.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert inspect(["--coco_dir", str(tmp_path), "--json", str(path), "--save", str(tmp_path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}: ") and says in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--split", "val"], "no instancesonly_filtered_gtFine_val.json in it; found train"),
        (["--category", "dog"], "no category dog; it has person, rider, car"),
        (["--category", "train"], "no image in it that --image and --category ask for"),
        (["--image", "ulm"], "no image in it that --image and --category ask for"),
    ],
)
def test_what_is_not_there_is_named(
    options: list[str], says: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), *options]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {data / 'annotations'}") and says in line


def test_pictures_that_cannot_be_written_are_an_error(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert inspect(["--coco_dir", str(data), "--save", str(annotations_file(data))]) == 1
    [line] = capsys.readouterr().err.splitlines()
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
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


# Windows, on a virtual screen.


def missing_for_windows() -> str:
    try:
        import tkinter  # noqa: F401  (matplotlib's toolkit)
    except ImportError:
        return "this Python has no tkinter"
    return ", ".join(f"no {name}" for name in ("Xvfb", "xdotool") if not shutil.which(name))


needs_windows = pytest.mark.skipif(bool(missing_for_windows()), reason=missing_for_windows())


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """The environment of a program that is to use a virtual screen."""
    read, write = os.pipe()
    # Without -noreset, a server starts anew whenever its last client leaves, such as xdotool.
    command = ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", "1600x900x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as display:
            number = display.readline().strip()
        yield {**os.environ, "DISPLAY": f":{number}", "MPLBACKEND": "TkAgg"}
        server.terminate()


def start(screen: dict[str, str], data: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, ROOT / "inspect_coco.py", "--coco_dir", data, *options]
    return subprocess.Popen(
        command, env=screen, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def xdotool(screen: dict[str, str], *args: str) -> str:
    done = subprocess.run(["xdotool", *args], env=screen, capture_output=True, text=True)
    return done.stdout.strip()


def wait_for_title(screen: dict[str, str], pattern: str, seconds: float = 20) -> str | None:
    """Return the title of the window as soon as it fits the pattern, None if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        title = xdotool(screen, "search", "--onlyvisible", "--name", "q close", "getwindowname")
        if re.search(pattern, title):
            return title
        time.sleep(0.1)
    return None


def press(screen: dict[str, str], key: str, pattern: str) -> bool:
    """Press a key, again if need be as a new window may miss some, until the title fits."""
    for _ in range(5):
        xdotool(screen, "search", "--onlyvisible", "--name", "q close", "windowfocus")
        xdotool(screen, "key", key)
        if wait_for_title(screen, pattern, seconds=3):
            return True
    return False


@needs_windows
def test_keys_browse_and_switch_layers_in_a_window(data: Path, screen: dict[str, str]) -> None:
    with start(screen, data, "--num_examples", "3", "--seed", "1") as process:
        try:
            first = wait_for_title(screen, r"\(1 of 3\)")
            assert first and "m masks on  |  b boxes on  |  l labels on  |  q close" in first
            for key, pattern in [
                ("Right", r"\(2 of 3\)"),
                ("Right", r"\(3 of 3\)"),
                ("Right", r"\(1 of 3\)"),
                ("Left", r"\(3 of 3\)"),
                ("m", "m masks off"),
                ("b", "b boxes off"),
                ("l", "l labels off"),
                ("m", "m masks on"),
                ("Left", r"\(2 of 3\).*m masks on.*b boxes off.*l labels off"),
            ]:
                assert press(screen, key, pattern), pattern
            xdotool(screen, "key", "q")
            _, err = process.communicate(timeout=20)
            assert process.returncode == 0 and err == ""
        finally:
            process.kill()


@needs_windows
def test_the_statistics_open_in_a_window_and_ctrl_c_ends_it(
    data: Path, screen: dict[str, str]
) -> None:
    with start(screen, data, "--stats") as process:
        try:
            assert wait_for_title(screen, "instancesonly_filtered_gtFine_train.json")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
            assert process.returncode == 130 and err.startswith("interrupted")
        finally:
            process.kill()


@needs_windows
def test_an_example_that_cannot_be_decoded_closes_the_window_with_an_error(
    data: Path, screen: dict[str, str]
) -> None:
    coco = read_coco(annotations_file(data))
    coco["annotations"][0]["segmentation"] = [[1, 2, 3, 4]]
    annotations_file(data).write_text(json.dumps(coco))
    process = start(screen, data, "--image", NAMES[0])
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.startswith("error: ") and len(err.splitlines()) == 1


def test_layers_can_be_left_out(data: Path) -> None:
    drawn = example(data, read_coco(annotations_file(data)))

    def picture(*layers: str) -> np.ndarray:
        _, renderer = draw(drawn, *layers)
        return np.asarray(renderer.buffer_rgba())[:400, :, :3]

    nothing = picture()
    assert (nothing == photograph()).all()
    for layer in ("masks", "boxes", "labels"):
        assert (picture(layer) != nothing).any()
