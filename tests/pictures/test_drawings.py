"""What is drawn of a COCO file, pixel by pixel where it matters, and the windows that show it."""

import io
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cityscapes_coco.coco.reading import name_categories, read_coco
from cityscapes_coco.options import Options
from cityscapes_coco.pictures.drawings import (
    LAYERS,
    Example,
    choose_colors,
    draw_example,
    load_example,
    new_figure,
    save_example,
)
from cityscapes_coco.pictures.outcomes import hold_against_truth
from cityscapes_coco.pictures.statistics import draw_statistics
from cityscapes_coco.scores.results import read_results
from tests.conftest import OUTPUT, PATIENCE, ROOT, Coco, annotate, save_map, write_json
from tests.oracle import decode, encode

Picture = NDArray[np.uint8]  # RGB, of shape (height, width, 3)

WIDTH, HEIGHT = 800, 400
PHOTO = "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"
LEGEND = 40 * 2 + 14  # pixels: the name of the image, one row of classes, margins


def photograph() -> Picture:
    y, x = np.indices((HEIGHT, WIDTH)) // 4
    return np.stack((x, y, 150 - y), axis=2).astype(np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one photograph; what is beside the folder is none of a file's business."""
    path = tmp_path / "cityscapes" / PHOTO
    path.parent.mkdir(parents=True)
    Image.fromarray(photograph()).save(path)
    return tmp_path / "cityscapes"


@pytest.fixture
def coco() -> Coco:
    """Three images, the first with a pedestrian of 160 pixels, a bus that has a hole, and a group
    of cars; a fourth class that nothing is of."""
    person, bus, cars = np.zeros((3, HEIGHT, WIDTH), np.bool_)
    person[300:320, 600:608] = True
    bus[50:250, 100:500] = True
    bus[100:200, 200:400] = False
    cars[300:380, 50:250] = True
    names = ("person", "car", "bus", "train")
    return {
        "images": [
            {"id": number, "file_name": PHOTO, "width": WIDTH, "height": HEIGHT}
            for number in (1, 2, 3)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        "annotations": [
            annotate(person, id=1, image_id=1, category_id=1),
            annotate(bus, id=2, image_id=1, category_id=3),
            annotate(cars, id=3, image_id=1, category_id=2, iscrowd=1),
        ],
    }


def example(data: Path, coco: Coco) -> Example:
    """The first image of a file."""
    file = read_coco(write_json(data / "file.json", coco))
    names = name_categories(file)
    of_image = [annotation for annotation in file.annotations if annotation.image_id == 1]
    return load_example(data / "file.json", data, file.images[0], of_image, names)


def draw(drawn: Example, *layers: str, legend: int = LEGEND) -> tuple[Figure, Any]:
    """Draw an example as it is saved; the renderer has its pixels, and measures."""
    figure = new_figure(WIDTH, HEIGHT + legend)
    canvas: Any = FigureCanvasAgg(figure)
    draw_example(figure, drawn, layers)
    canvas.draw()
    return figure, canvas.get_renderer()


def paint(data: Path, coco: Coco, *layers: str) -> Picture:
    """The picture of the first image of a file, without its legend."""
    _, renderer = draw(example(data, coco), *layers)
    return np.asarray(renderer.buffer_rgba())[:HEIGHT, :, :3]


BUS = np.s_[210:240, 210:390]  # below the hole


def test_a_saved_picture_is_the_photograph_pixel_by_pixel_with_a_legend_below(
    data: Path, coco: Coco
) -> None:
    coco["annotations"] = []
    save_example(example(data, coco), data / "picture.png")
    with Image.open(data / "picture.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape == (HEIGHT + 40 + 14, WIDTH, 3)
    assert (pixels[:HEIGHT] == photograph()).all()
    assert (pixels[HEIGHT:] < 128).any(), "the name of the image"


def test_masks_are_filled_and_holes_are_not(data: Path, coco: Coco) -> None:
    picture, photo = paint(data, coco, *LAYERS).astype(int), photograph().astype(int)
    assert (picture[110:190, 210:390] == photo[110:190, 210:390]).all(), "the hole"
    # Cityscapes' colour of a bus, half of it.
    assert (abs(picture[BUS] - (photo[BUS] + (0, 60, 100)) / 2) <= 1).all()
    assert (picture[60:240, 101] == picture[150, 101]).all(), "the outline"
    assert (picture[150, 101] > (0, 60, 100)).all()


def test_crowds_are_hatched_and_named_in_the_legend(data: Path, coco: Coco) -> None:
    inside = np.s_[310:370, 60:240]
    share = (paint(data, coco, *LAYERS)[inside] != photograph()[inside]).any(axis=2).mean()
    assert 0.2 < share < 0.7
    figure, _ = draw(example(data, coco))
    legend = [text.get_text() for text in figure.axes[1].texts]
    assert legend == [PHOTO, "person  1", "car group  1", "bus  1"]


def test_each_layer_can_be_left_out(data: Path, coco: Coco) -> None:
    nothing = paint(data, coco)
    assert (nothing == photograph()).all()
    assert all((paint(data, coco, layer) != nothing).any() for layer in LAYERS)


@pytest.mark.parametrize("field", ["bbox", "area", "iscrowd", "category_id", "id"])
def test_what_misses_a_field_is_drawn_all_the_same(field: str, data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation[field]
    assert (paint(data, coco, *LAYERS)[BUS] != photograph()[BUS]).any()


def test_boxes_without_masks_are_drawn(data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
    drawn = (paint(data, coco, *LAYERS) != photograph()).any(axis=2)
    assert drawn[60:240, 99:101].any() and not drawn[60:240, 110:490].any()


def test_the_smallest_and_the_largest_have_labels_of_at_least_14_pixels(
    data: Path, coco: Coco
) -> None:
    figure, renderer = draw(example(data, coco), *LAYERS)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert texts.keys() == {"person", "bus", "car group"}
    sizes = {name: float(text.get_fontsize()) * 128 / 72 for name, text in texts.items()}
    assert sizes["person"] == pytest.approx(14) and sizes["bus"] > 20
    for text in texts.values():
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.x1 <= WIDTH and box.y0 >= LEGEND and box.y1 <= HEIGHT + LEGEND


def test_labels_of_a_crowded_street_do_not_overlap(data: Path, coco: Coco) -> None:
    person = coco["annotations"][0] | {"segmentation": []}
    coco["annotations"] += [person | {"bbox": [300 + 9 * n, 300, 8, 20]} for n in range(25)]
    figure, renderer = draw(example(data, coco), *LAYERS)
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 28
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:n])


def test_instances_of_a_class_differ_in_shade(data: Path, coco: Coco) -> None:
    coco["annotations"] *= 6
    drawings = example(data, coco).drawings
    assert len({drawing.color for drawing in drawings}) == len(drawings) == 18


def test_names_are_drawn_as_they_are_but_not_without_end(data: Path, coco: Coco) -> None:
    """Matplotlib takes text between dollars for a formula."""
    coco["categories"][0]["name"] = "$x^$\n"
    coco["categories"][2]["name"] = "b" * 10**6
    figure, _ = draw(example(data, coco), *LAYERS)
    labels = {text.get_text() for text in figure.axes[0].texts}
    assert labels == {r"\$x^\$?", f"{'b' * 147}...", "car group"}


@pytest.mark.parametrize(
    ("count", "drawn"), [(10, ""), (200, "200 of 200, 10"), (400, "300 of 400, 10")]
)
def test_what_is_drawn_of_an_image_is_bounded(
    count: int, drawn: str, data: Path, coco: Coco
) -> None:
    whole = annotate(np.ones((HEIGHT, WIDTH), np.bool_), id=1, image_id=1, category_id=1)
    coco["annotations"] = [whole] * count
    told = f" (drawn: {drawn} with masks)" if drawn else ""
    assert example(data, coco).title == PHOTO + told


def test_of_16_bits_the_high_ones_are_drawn(data: Path, coco: Coco) -> None:
    grey = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 65_536
    save_map(data / PHOTO, grey)
    assert (example(data, coco).photo == grey[..., None] // 256).all()


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.png", "..\\secret.png", "{}/secret.png", "a/../../secret.png"),
        *("C:x", "", "\0", f"{PHOTO} ", "a" * 5000),
    ],
)
def test_no_name_leads_out_of_the_data_folder_or_to_an_error(
    name: str, data: Path, coco: Coco, tmp_path: Path
) -> None:
    Image.fromarray(photograph()).save(tmp_path / "secret.png")
    coco["images"][0]["file_name"] = name.format(tmp_path)
    assert example(data, coco).note.startswith("no photograph ")


def cut(photo: Path) -> None:
    content = photo.read_bytes()
    photo.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (Path.unlink, "no photograph "),
        (cut, "cannot be read"),
        (lambda photo: Image.new("RGB", (10, 20)).save(photo), "has 10 x 20 pixels, not 800 x 400"),
    ],
)
def test_without_a_photograph_the_background_is_plain_and_says_so(
    spoil: Callable[[Path], object], note: str, data: Path, coco: Coco
) -> None:
    spoil(data / PHOTO)
    drawn = example(data, coco)
    assert len(np.unique(drawn.photo)) == 1 and drawn.photo.shape == (HEIGHT, WIDTH, 3)
    figure, _ = draw(drawn)
    assert any(note in text.get_text().replace("\n", " ") for text in figure.axes[0].texts)


# The results of a network.


def predict(annotation: Coco, score: float, **changes: object) -> Coco:
    """A prediction of just what is annotated."""
    fields = ("image_id", "category_id", "bbox", "segmentation")
    return {name: annotation[name] for name in fields} | {"score": score} | changes


def example_of_results(data: Path, coco: Coco, results: list[Coco]) -> Example:
    """The results of the first image of a file."""
    truth = example(data, coco)
    path = write_json(data / "results.json", results)
    file = read_coco(data / "file.json")
    found = read_results(path, file)
    return hold_against_truth(truth, path, found, name_categories(file), choose_colors(Options()))


def paint_results(data: Path, coco: Coco, results: list[Coco], *layers: str) -> Picture:
    drawn = example_of_results(data, coco, results)
    _, renderer = draw(drawn, *layers, legend=LEGEND + 40)
    return np.asarray(renderer.buffer_rgba())[:HEIGHT, :, :3]


def test_what_is_right_is_filled_and_has_its_score(data: Path, coco: Coco) -> None:
    _, bus, cars = coco["annotations"]
    results = [predict(bus, 0.876), predict(cars, 0.5)]
    photo = photograph().astype(int)
    picture = paint_results(data, coco, results, "masks")
    assert (abs(picture[BUS] - (photo[BUS] + (0, 60, 100)) / 2) <= 1).all()
    figure, _ = draw(example_of_results(data, coco, results), *LAYERS, "truth")
    texts = [{text.get_text() for text in axes.texts} for axes in figure.axes]
    assert texts[0] == {"bus 0.88", "car 0.50", "person missed"}
    kinds = {"person missed  1", "car  1", "bus  1", "truth found  1", "truth group  1"}
    assert texts[1] == {PHOTO, *kinds}


def test_what_is_false_is_hatched(data: Path, coco: Coco) -> None:
    bus_for_a_train = predict(coco["annotations"][1], 0.9, category_id=4)
    picture = paint_results(data, coco, [bus_for_a_train], *LAYERS)
    assert 0.2 < (picture[BUS] != photograph()[BUS]).any(axis=2).mean() < 0.7
    kinds = Counter(d.kind for d in example_of_results(data, coco, [bus_for_a_train]).drawings)
    assert kinds == {"train false": 1}


def test_a_prediction_of_no_pixels_is_false_and_paints_nothing(data: Path, coco: Coco) -> None:
    nothing = encode(np.zeros((HEIGHT, WIDTH), bool))
    results = [predict(coco["annotations"][1], 0.9, segmentation=nothing)]
    assert [d.kind for d in example_of_results(data, coco, results).drawings] == ["bus false"]
    assert (paint_results(data, coco, results, "masks") == photograph()).all()


def test_the_truth_is_a_white_outline_that_can_be_left_out(data: Path, coco: Coco) -> None:
    results = [predict(coco["annotations"][1], 0.9)]
    outline = np.s_[60:240, 100]
    assert (paint_results(data, coco, results, "masks", "truth")[outline] == 255).all()
    assert (paint_results(data, coco, results, "masks")[outline] != 255).any(axis=1).all()
    cars = coco["annotations"][2]
    mask = decode(cars["segmentation"], HEIGHT, WIDTH)
    mask[300:340, 50:100] = False
    cars["segmentation"] = encode(mask)
    picture = paint_results(data, coco, [], *LAYERS, "truth")
    for nothing in np.s_[310:370, 110:240], np.s_[300:330, 50:90]:
        assert (picture[nothing] == photograph()[nothing]).all(), "neither filled nor in a box"


@pytest.mark.parametrize("lacks", ["results", "truth"])
def test_boxes_are_held_against_boxes(lacks: str, data: Path, coco: Coco) -> None:
    bus = coco["annotations"][1]
    # The left half of the bus, in a box that fits.
    half = decode(bus["segmentation"], HEIGHT, WIDTH)
    half[:, 250:] = False
    results = [predict(bus, 0.9, segmentation=encode(half))]
    assert [d.kind for d in example_of_results(data, coco, results).drawings] == ["bus false"]
    for record in results if lacks == "results" else coco["annotations"]:
        del record["segmentation"]
    assert [d.kind for d in example_of_results(data, coco, results).drawings] == ["bus"]
    picture = paint_results(data, coco, results, "truth")
    assert (picture[60:240, 99:101] == 255).all(axis=2).any(axis=1).all(), "a white box"
    assert (picture[110:190, 210:390] == photograph()[110:190, 210:390]).all()


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_coco_calls_the_same_false_and_missed(kind: str, data: Path, coco: Coco) -> None:
    """Instances in rows, predicted once to four times, each time further beside; every fifth
    prediction is of another class. Some are groups, which reach over the next one of the class."""
    coco["annotations"], results = [], []
    for number in range(60):
        mask = np.zeros((HEIGHT, WIDTH), np.bool_)
        x, y = 60 * (number % 12), 60 * (number // 12)
        is_group = number % 7 == 3
        mask[y : y + 40, x : x + (220 if is_group else 40)] = True
        mask[y + 20 :, x + 20 :] &= number % 4 == 0 or is_group
        fields = {"image_id": 1, "category_id": 1 + number % 3, "iscrowd": int(is_group)}
        coco["annotations"].append(annotate(mask, id=number + 1, **fields))
        for times in range(1 + number % 4):
            moved = annotate(np.roll(mask, (4 * number + 7 * times) % 23, axis=1), **fields)
            score = (number * 7 + times * 13) % 50 / 50
            other = {"category_id": 2} if (number + times) % 5 == 0 else {}
            results.append(predict(moved, score, **other))
            if kind == "bbox":
                del results[-1]["segmentation"]
    drawn = example_of_results(data, coco, results)
    judge = evaluate(data / "file.json", data / "results.json", kind)
    matched = [(e["dtMatches"][0], e["gtMatches"][0], e["gtIgnore"]) for e in judge if e]
    false = sum(int((found == 0).sum()) for found, _, _ in matched)
    missed = sum(int(((by == 0) & (ignored == 0)).sum()) for _, by, ignored in matched)
    assert 10 < false < 100 and 5 < missed < 50
    kinds = [d.kind for d in (*drawn.drawings, *(drawn.truth or ()))]
    assert sum(kind.endswith(" false") for kind in kinds) == false
    assert sum(kind.endswith(" missed") for kind in kinds) == missed


def evaluate(path: Path, results: Path, kind: Any) -> list[Any]:
    """What COCOeval finds of each class of the first image, for areas of any size."""
    with redirect_stdout(io.StringIO()):
        truth: Any = COCO(str(path))
        truth.dataset["info"] = {}
        judge = COCOeval(truth, truth.loadRes(str(results)), kind)
        judge.params.imgIds, judge.params.areaRng = [1], [[0, 1e10]]
        judge.evaluate()
    return list(judge.evalImgs)


@pytest.mark.parametrize(
    ("count", "drawn"), [(10, ""), (400, " (drawn: 300 of 400, 10 with masks)")]
)
def test_the_best_results_are_drawn_of_too_many(
    count: int, drawn: str, data: Path, coco: Coco
) -> None:
    whole = annotate(np.ones((HEIGHT, WIDTH), np.bool_), image_id=1, category_id=1)
    shown = example_of_results(data, coco, [predict(whole, n / 1000) for n in range(count)])
    assert shown.title == PHOTO + drawn
    best = {f"person {(count - 1 - n) / 1000:.2f}" for n in range(min(count, 300))}
    assert {drawing.label for drawing in shown.drawings} == best


# The page of statistics.


def test_the_statistics_count_instances_and_sizes_but_no_crowds(data: Path, coco: Coco) -> None:
    figure = Figure((14, 9))
    draw_statistics(figure, read_coco(write_json(data / "file.json", coco)), "train")
    assert figure.get_suptitle() == "train: 3 images, 2 instances, 1 crowds not counted"
    classes, per_image, sizes, shares = figure.axes
    assert [text.get_text() for text in classes.texts] == ["1", "0", "1", "0"]
    bars = [bar.get_height() for bar in per_image.patches if isinstance(bar, Rectangle)]
    assert bars == [2, 0, 1]
    medians = {
        np.ravel(line.get_ydata())[0]: np.ravel(line.get_xdata())[0]
        for line in sizes.lines
        if line.get_marker() == "o"
    }
    assert medians == {0: 160, 2: 400 * 200 - 200 * 100}
    assert [text.get_text() for text in shares.texts] == ["100", "100"]


@pytest.mark.parametrize(
    ("part", "records", "title"),
    [
        ("annotations", [], "train: 3 images, 0 instances"),
        ("images", [], "train: 0 images, 2 instances, 1 crowds not counted"),
        ("categories", [], "train: 3 images, 2 instances, 1 crowds not counted"),
        (
            "categories",
            [{"id": number, "name": f"class {number}"} for number in range(3000)],
            "train: 3 images, 2 instances, 1 crowds not counted; 40 of 3,000 classes",
        ),
    ],
)
def test_statistics_are_drawn_however_little_or_much_there_is(
    part: str, records: list[Coco], title: str, data: Path, coco: Coco
) -> None:
    coco[part] = records
    figure = Figure((14, 9))
    draw_statistics(figure, read_coco(write_json(data / "file.json", coco)), "train")
    figure.draw_without_rendering()
    assert figure.get_suptitle() == title


# Windows, on a virtual screen.


def missing_for_windows() -> str:
    try:
        import tkinter  # noqa: F401  (matplotlib's toolkit)
    except ImportError:
        return "this Python has no tkinter"
    return ", ".join(f"no {name}" for name in ("Xvfb", "xdotool") if not shutil.which(name))


needs_windows = pytest.mark.skipif(bool(missing_for_windows()), reason=missing_for_windows())


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A virtual screen for the programs that are started."""
    read, write = os.pipe()
    # Without -noreset, a server starts anew whenever its last client leaves, such as xdotool.
    command = ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", "1600x900x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        assert select.select([read], [], [], PATIENCE)[0]
        with os.fdopen(read) as display:
            monkeypatch.setenv("DISPLAY", f":{display.readline().strip()}")
        monkeypatch.setenv("MPLBACKEND", "TkAgg")
        yield
        server.terminate()


@contextmanager
def inspecting(data: Path, coco: Coco, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The inspector of a file, which is ended with the context if need be."""
    path = write_json(data / OUTPUT, coco)
    command = [sys.executable, "inspect_coco.py", "--coco_dir", str(data), "--json", str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def xdotool(*args: str) -> str:
    done = subprocess.run(["xdotool", *args], capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout.strip()


def wait_for_title(pattern: str, seconds: float = PATIENCE) -> str:
    """Return the title of the window as soon as it fits the pattern, nothing if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        title = xdotool("search", "--onlyvisible", "--name", "q close", "getwindowname")
        if re.search(pattern, title):
            return title
        time.sleep(0.1)
    return ""


def press(key: str, pattern: str) -> bool:
    """Press a key, again if need be as a new window may miss some, until the title fits."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        xdotool("search", "--onlyvisible", "--name", "q close", "windowfocus", "key", key)
        if wait_for_title(pattern, seconds=10):
            return True
    return False


@needs_windows
def test_keys_browse_and_switch_layers_in_a_window(screen: None, data: Path, coco: Coco) -> None:
    with inspecting(data, coco, "--num_examples", "3", "--seed", "1") as process:
        first = wait_for_title(r"\(1 of 3\)")
        assert "m masks on  |  b boxes on  |  l labels on  |  q close" in first
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
            assert press(key, pattern), pattern
        xdotool("key", "q")
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and err == ""


@needs_windows
def test_the_truth_over_results_is_a_layer_in_a_window(
    screen: None, data: Path, coco: Coco
) -> None:
    results = write_json(data / "results.json", [predict(coco["annotations"][1], 0.9)])
    with inspecting(data, coco, "--results", str(results), "--image", "aachen") as process:
        assert wait_for_title("l labels on  |  t truth on  |  q close")
        assert press("t", "t truth off")
        xdotool("key", "q")
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and err == ""


@needs_windows
def test_the_statistics_open_in_a_window_and_ctrl_c_ends_it(
    screen: None, data: Path, coco: Coco
) -> None:
    with inspecting(data, coco, "--stats") as process:
        assert wait_for_title(OUTPUT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and err.startswith("interrupted")


@needs_windows
def test_an_example_that_cannot_be_decoded_closes_the_window_with_an_error(
    screen: None, data: Path, coco: Coco
) -> None:
    for image, annotation in zip(coco["images"], coco["annotations"], strict=True):
        annotation.update(image_id=image["id"], segmentation=[[1, 2, 3, 4]])
    with inspecting(data, coco) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err.startswith("error: ") and len(err.splitlines()) == 1
