"""The inspector as its users call it: the summary, the choice of pictures, and errors."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from inspect_coco import main as inspect
from main import main
from tests.conftest import Coco, WriteMap, convert, fail, posix_only, run
from tests.files import OUTPUT, SAMPLE, load, write_json

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


def look(data: Path, *options: object) -> str:
    """Inspect a data folder and return what is printed."""
    code, out, _ = run(inspect, "--coco_dir", data, *options)
    assert code == 0
    return out


def complain(data: Path, *options: object) -> str:
    """Inspect a data folder in vain and return the one line of the error."""
    [line] = fail(inspect, "--coco_dir", data, *options).splitlines()
    return line


def test_a_seed_repeats_a_choice(data: Path) -> None:
    argv = ["--num_examples", 1, "--save", data / "pictures"]
    out = look(data, *argv)
    [seed] = re.findall(r"1 of 4 images, --seed (\d+)\n", out)
    assert look(data, *argv, "--seed", seed) == out
    first, second = (look(data, *argv, "--seed", seed) for seed in "12")
    assert first.splitlines()[-2] != second.splitlines()[-2]


def test_only_frames_whose_name_or_classes_fit_are_chosen(data: Path) -> None:
    out = look(data, "--save", data / "pictures", "--image", NAMES[2])
    picture = data / "pictures" / f"{NAMES[2]}_leftImg8bit_instances.png"
    page = picture.with_name("index.html")
    assert out.splitlines()[-2:] == [str(picture), str(page)]
    assert {*(data / "pictures").iterdir()} == {picture, page}
    assert "0 of 3 images" in look(data, "--num_examples", 0, "--category", "person")


def test_pictures_of_several_files_of_a_frame_have_several_names(tmp_path: Path) -> None:
    outdir, kinds = tmp_path / "out", ("gtFine", "gtBboxCityPersons", "gtBboxValidated")
    for kind in kinds:
        argv = "--datadir", SAMPLE, "--outdir", outdir, "--annotations", kind, "--splits", "val"
        assert run(main, *argv)[0] == 0
    shutil.copy(SAMPLE / "predictions.json", results := tmp_path / "instances.json")
    choices = "--datadir", SAMPLE, "--image", "001196", "--save", tmp_path
    for kind in kinds:
        look(outdir, *choices, "--split", "val" if kind == "gtFine" else f"{kind}_val")
    look(outdir, *choices, "--results", results)
    ends = {path.stem.rpartition("leftImg8bit_")[2] for path in tmp_path.glob("*.png")}
    assert ends == {"instances", "instances_results", "gtBboxCityPersons", "gtBboxValidated"}


def test_only_instances_of_the_chosen_classes_are_drawn(data: Path) -> None:
    def picture(*categories: str) -> bytes:
        options = [word for name in categories for word in ("--category", name)]
        folder = data / "pictures"
        look(data, "--save", folder, "--image", NAMES[0], *options)
        return (folder / f"{NAMES[0]}_leftImg8bit_instances.png").read_bytes()

    both = picture()
    assert picture("person", "bus") == both
    assert len({both, picture("person"), picture("bus")}) == 3


def test_each_image_has_a_picture_whatever_its_name(data: Path) -> None:
    coco = load(data / "annotations" / OUTPUT)
    names = ["../$a_{b}$\x1b[31m\ud800.png", "a/x.png", "b/X.png", "a" * 10**6]
    for image, name in zip(coco["images"], names, strict=True):
        image["file_name"] = name
    coco["categories"][0]["name"], coco["categories"][4]["name"] = "$x^$", " "
    path, folder = write_json(data / "file.json", coco), data / "pictures"
    printed = look(data, "--coco", path, "--save", folder).splitlines()[-5:]
    assert sorted(printed) == sorted(str(picture) for picture in folder.iterdir())
    stems = ("_a__b____31m_", "x", "x", "a" * 200)
    wanted = {f"{stem}_instances{'_2' * (stem in stems[:n])}.png" for n, stem in enumerate(stems)}
    assert {picture.name.lower() for picture in folder.glob("*.png")} == wanted


def test_without_a_display_pictures_go_beside_the_file(data: Path) -> None:
    folder = data / "annotations" / "pictures"
    for number, options in enumerate((["--num_examples=1"], ["--stats"]), 1):
        out = look(data, *options)
        assert f"no display, so pictures go to {folder}" in out
        assert len([*folder.glob("*.png")]) == number
    page = folder / f"{Path(OUTPUT).stem}_statistics.png"
    with Image.open(page) as picture:
        assert picture.width > 1500 and out.splitlines()[-1] == str(page)


def write_results(data: Path, *scores: float) -> Path:
    """A prediction of a bus in the last frame, which has nothing, for each score."""
    box = {"image_id": f"{NAMES[3]}_leftImg8bit", "category_id": 5, "bbox": [0, 0, 1, 1]}
    return write_json(data / "predictions.json", [box | {"score": score} for score in scores])


def test_only_results_with_the_asked_score_are_drawn(data: Path) -> None:
    def picture(*scores: float, left_out: int, options: tuple[object, ...] = ()) -> bytes:
        path = write_results(data, *scores)
        argv = ("--split", "train", "--results", path, "--image", NAMES[3], "--save", data)
        printed = look(data, *argv, *options).splitlines()
        assert f"{path}: {len(scores)} results, of which {left_out} are left out" in printed[-4]
        target = data / f"{NAMES[3]}_leftImg8bit_predictions.png"
        assert printed[-2] == str(target)
        return target.read_bytes()

    one, none = picture(0.5, left_out=0), picture(0.49, left_out=1)
    assert one != none
    assert picture(0.5, 0.49, left_out=1) == one
    assert picture(0.49, 0.25, left_out=1, options=("--min-score", 0.3)) == one


def test_the_worst_images_come_first(data: Path) -> None:
    """The first image misses a person; so does the second, which has a false result too; the third
    misses a person and a bus; the last has a false result."""
    box = {"category_id": 5, "bbox": [0, 0, 1, 1]}
    scores = zip([NAMES[n] for n in (0, 1, 1, 3)], (0.9, 0.6, 0.7, 0.8), strict=True)
    results = [box | {"image_id": f"{name}_leftImg8bit", "score": score} for name, score in scores]
    path = write_json(data / "predictions.json", results)
    argv = ["--split", "train", "--results", path, "--save", data / "pictures", "--num_examples", 3]
    firsts = {"errors": "most errors", "score": "highest score of a false result"}
    for sort, order in ("errors", [2, 1, 0]), ("score", [3, 1, 0]):
        printed = look(data, *argv, "--sort", sort).splitlines()
        assert printed[-5] == f"3 of 4 images, {firsts[sort]} first"
        pictures = [f"{NAMES[n]}_leftImg8bit_predictions.png" for n in order]
        assert [Path(line).name for line in printed[-4:-1]] == pictures


def test_a_frame_where_a_class_is_predicted_has_the_class(data: Path) -> None:
    argv = ["--split", "train", "--num_examples", 0, "--category", "bus"]
    assert "0 of 3 images" in look(data, *argv)
    assert "0 of 4 images" in look(data, *argv, "--results", write_results(data, 0.9))
    assert "0 of 3 images" in look(data, *argv, "--results", write_results(data, 0.4))


def test_results_are_of_val_by_default(data: Path, write_map: WriteMap) -> None:
    line = complain(data, "--results", write_results(data, 0.9))
    assert "no instancesonly_filtered_gtFine_val.json in it; found train" in line
    write_map(split="val", name=NAMES[3])
    convert(data)
    argv = ["--results", write_results(data, 0.9), "--num_examples", 0]
    assert "split val" in look(data, *argv)


def test_a_bad_result_is_named(data: Path) -> None:
    [result] = json.loads(write_results(data, 0.9).read_text())
    argv = ["--split", "train", "--image", NAMES[3], "--save", data / "pictures", "--results"]
    for field, value in ("image_id", "ulm"), ("segmentation", [[1, 2, 3]]), ("score", None):
        path = write_json(data / "bad.json", [result | {field: value}])
        line = complain(data, *argv, path)
        assert f"error: {path}: " in line and f"results[0].{field}" in line
    assert not (data / "pictures").exists()


def test_statistics_go_into_the_named_file_or_a_folder(data: Path) -> None:
    for name, start in ("a.pdf", b"%PDF"), ("a.b.SVG", b"<?xml"), ("a.png", b"\x89PNG"):
        target = data / "pages" / name
        assert look(data, "--stats", "--save", target).splitlines()[-1] == str(target)
        assert target.read_bytes().startswith(start)
    printed = look(data, "--stats", "--save", data / "run.v2").splitlines()[-1]
    assert printed == str(data / "run.v2" / f"{Path(OUTPUT).stem}_statistics.png")
    # Examples need a folder, whatever it is called.
    (data / "old.png").mkdir()
    look(data, "--save", data / "old.png", "--num_examples", 1)
    assert len([*(data / "old.png").glob("*.png")]) == 1


IMAGE = {"id": 1, "file_name": "a", "width": 6, "height": 6}
POINTS = {"id": 5, "image_id": 1, "segmentation": [[1, 2, 3, 4]]}
BAD_FILES: dict[str, Coco | None] = {
    "cannot be read: No such file": None,
    "no image in it": {},
    "a has 0 x 0 pixels": {"images": [{"id": 1, "file_name": "a"}]},
    "has 60000 x 60000 pixels": {"images": [IMAGE | {"width": 60_000, "height": 60_000}]},
    "a polygon is not a list of at least three": {"images": [IMAGE], "annotations": [POINTS]},
}


@pytest.mark.parametrize("says", BAD_FILES)
def test_a_bad_file_is_one_line(says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    if (content := BAD_FILES[says]) is not None:
        write_json(path, {"images": [], "categories": [], "annotations": []} | content)
    line = complain(tmp_path, "--coco", path, "--save", tmp_path)
    assert line.startswith(f"error: {path}: ") and says in line


@posix_only
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    for option in "--stats", "--verify":
        line = complain(tmp_path, "--coco", path, option)
        assert line == f"error: {path}: cannot be read: not a file"


MISSING = {
    "--category dog": "no category dog; it has person, rider, car",
    "--category Bus": "no category Bus; it has person, rider",
    "--category Bus,train": "did you mean bus?",
    "--category train": "no image in it that --category train asks for",
    "--image ulm": "no image in it that --image ulm asks for",
    "--image ulm --category bus": "that --image ulm and --category bus ask for",
}


def test_what_is_not_there_is_named(data: Path) -> None:
    for options, says in MISSING.items():
        line = complain(data, *options.split())
        assert line.startswith(f"error: {data / 'annotations'}") and says in line


def test_pictures_that_cannot_be_written_are_an_error(data: Path) -> None:
    line = complain(data, "--save", data / "annotations" / OUTPUT)
    assert "cannot be written: " in line and line.endswith("see --save")
