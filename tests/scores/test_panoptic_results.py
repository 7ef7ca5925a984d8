"""Panoptic results as trainers write them, and what is said of those that cannot be right."""

import gzip
import json
import re
from collections.abc import Callable
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from numpy.typing import NDArray
from PIL import Image

from evaluate_coco import main as evaluate
from inspect_coco import main as inspect
from main import main
from tests import damage
from tests.conftest import Coco, WriteMap, run
from tests.conftest import fail as complain
from tests.damage import SEGMENTS, Change
from tests.files import GOLDEN_VAL, PREDICTIONS, write_json
from tests.scores.conftest import fail, read_panoptic, save_panoptic, score

# Frames in which nothing is in the same place.
FRAMES = [
    [[7, 7, 26000, 26000], [7, 7, 0, 0]],
    [[26001, 26001, 7, 7], [24000, 24000, 7, 7]],
    [[8, 8, 8, 8], [26000, 24000, 24000, 24000]],
]
NAMES = [f"ulm_00000{number}_000019" for number in range(3)]


class Made(NamedTuple):
    """A panoptic file, and results that are the same, in their bare form."""

    truth: Path
    results: Coco
    maps: list[NDArray[Any]]


@pytest.fixture
def made(datadir: Path, write_map: WriteMap) -> Made:
    for name, values in zip(NAMES, FRAMES, strict=True):
        write_map(values, "val", name)
    return make(datadir)


def make(datadir: Path, ids: str = "label") -> Made:
    argv = ["--datadir", str(datadir), "--splits", "val", "--panoptic", ids]
    assert main(argv) == 0
    ending = "_trainId" if ids == "train" else ""
    truth = datadir / "annotations" / f"cityscapes_panoptic_val{ending}.json"
    coco, maps = read_panoptic(truth)
    for annotation in coco["annotations"]:
        annotation["segments_info"] = [
            {"id": segment["id"], "category_id": segment["category_id"]}
            for segment in annotation["segments_info"]
        ]
    return Made(truth, {"annotations": coco["annotations"]}, maps)


def rate(made: Made, folder: Path, *options: object) -> Coco:
    path = save_panoptic(folder / "results.json", made.results, made.maps)
    return score(folder, made.truth, path, *options)


def pq(made: Made, folder: Path) -> float:
    return float(rate(made, folder)["panoptic"]["average"]["all"]["pq"])


@pytest.mark.parametrize(
    "ids",
    [
        NAMES,
        [f"{name}_leftImg8bit" for name in NAMES],
        [f"/data/leftImg8bit/val/ulm/{name}_leftImg8bit.png" for name in NAMES],
        [f"{name}_gtFine_leftImg8bit.png" for name in NAMES],
        [f"{name}_gtFine_panoptic" for name in NAMES],
        *([0, 1, 2], [1, 2, 3], ["0", "1", "2"]),
    ],
)
def test_images_go_by_ids_names_or_numbers(ids: list[Any], made: Made, tmp_path: Path) -> None:
    for annotation, image_id in zip(made.results["annotations"], ids, strict=True):
        annotation["image_id"] = image_id
    made.results["annotations"].reverse()
    made.maps.reverse()
    assert pq(made, tmp_path) == 1


def test_the_official_file_knows_the_names_of_photographs(made: Made, tmp_path: Path) -> None:
    coco, maps = read_panoptic(made.truth)
    for image, annotation in zip(coco["images"], made.results["annotations"], strict=True):
        image["file_name"] = f"{image['id']}_gtFine_leftImg8bit.png"
        annotation["image_id"] = f"{image['id']}_leftImg8bit.png"
    truth = save_panoptic(tmp_path / "truth.json", coco, maps)
    assert pq(made._replace(truth=truth), tmp_path) == 1


def test_files_may_be_in_utf_16_or_gzipped(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    argv = "--coco", made.truth, "--results"
    usual = run(evaluate, *argv, path)
    path.write_bytes(path.read_text().encode("utf-16"))
    packed = path.with_name("results.json.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert run(evaluate, *argv, path) == usual
    code, out, err = run(evaluate, *argv, packed)
    assert (code, out.replace(".json.gz", ".json"), err) == usual


def test_no_png_file_is_replaced(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    argv = "--coco", made.truth, "--results", path
    name = f"{NAMES[0]}_gtFine_panoptic.png"
    for folder in path.with_suffix(""), made.truth.with_suffix(""):
        line = fail(*argv, "--plot", folder / name)
        assert line.endswith(f"{name}: is in a folder of PNG files that are read; see --plot")
    pngs = path.with_suffix("").rename(tmp_path / "elsewhere")
    assert "that are read; see --plot" in fail(*argv, "--pngs", pngs, "--plot", pngs / name)
    new = "--plot", pngs / "new.png", "--scores", pngs / "scores.json"
    assert run(evaluate, *argv, "--pngs", pngs, *new)[0] == 0


def test_a_folder_in_place_of_the_truth_is_one_line(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    for folder in ".", "/":
        assert "cannot be read: Is a directory" in fail("--coco", folder, "--results", path)


def test_a_truth_with_numbers_is_taken_at_its_numbers(made: Made, tmp_path: Path) -> None:
    coco, maps = read_panoptic(made.truth)
    for image, number in zip(coco["images"], (2, 0, 1), strict=True):
        image["id"] = number
    for part in coco["annotations"], made.results["annotations"]:
        for annotation, number in zip(part, (2, 0, 1), strict=True):
            annotation["image_id"] = number
    truth = save_panoptic(tmp_path / "truth.json", coco, maps)
    assert pq(made._replace(truth=truth), tmp_path) == 1


def test_other_keys_are_passed_over_and_label_id_is_taken(made: Made, tmp_path: Path) -> None:
    made.results["model"] = "Mask2Former"
    for annotation in made.results["annotations"]:
        annotation["sem_seg"] = None
        for segment in annotation["segments_info"]:
            segment |= {"label_id": segment["category_id"], "score": 0.9, "iscrowd": 1}
            if segment["id"] % 2:
                segment["category_id"] = None
            else:
                del segment["category_id"]
    assert pq(made, tmp_path) == 1


def test_pngs_may_have_alpha_and_lie_in_another_folder(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "here" / "results.json", made.results, made.maps)
    for png in path.with_suffix("").iterdir():
        with Image.open(png) as image:
            pixels = image.convert("RGBA")
        pixels.putalpha(0)
        pixels.save(png)
    pngs = path.with_suffix("").rename(tmp_path / "elsewhere")
    scores = score(tmp_path, made.truth, path, "--pngs", pngs)
    assert scores["panoptic"]["average"]["all"]["pq"] == 1


def test_the_truth_is_the_panoptic_file_of_the_split(made: Made) -> None:
    argv = "--coco_dir", made.truth.parents[1], "--results", made.truth
    one, two = (run(evaluate, *argv, "--workers", workers) for workers in (1, 2))
    assert one[0] == 0 and one == two
    lines = [line.split() for line in one[1].splitlines()]
    assert ["road", "1.000", "1.000", "1.000"] in lines and ["sky", "-", "-", "-"] in lines
    assert lines[-3:] == [
        ["all", "1.000", "1.000", "1.000", "4"],
        ["things", "1.000", "1.000", "1.000", "2"],
        ["stuff", "1.000", "1.000", "1.000", "2"],
    ]


def drop(made: Made) -> None:
    del made.results["annotations"][1], made.maps[1]


Spoil = Callable[[Made], object]


def name(*names: int | str) -> Spoil:
    def change(made: Made) -> None:
        for annotation, image_id in zip(made.results["annotations"], names, strict=False):
            annotation["image_id"] = image_id
        del made.results["annotations"][len(names) :], made.maps[len(names) :]

    return change


def set_segment(name: str, value: object) -> Spoil:
    return lambda made: made.results["annotations"][0]["segments_info"][0].update({name: value})


def renumber(made: Made, ids: dict[int, int]) -> None:
    for annotation in made.results["annotations"]:
        for segment in annotation["segments_info"]:
            segment["category_id"] = ids[segment["category_id"]]


def swap_channels(made: Made) -> None:
    made.maps[1][:] = (made.maps[1] & 255) << 16 | made.maps[1] & 65280 | made.maps[1] >> 16


def swap_channels_of_large_ids(made: Made) -> None:
    for number, segment in enumerate(made.results["annotations"][1]["segments_info"], 1):
        made.maps[1][made.maps[1] == segment["id"]] = segment["id"] = number << 16 | 0x203
    swap_channels(made)


def halve(made: Made) -> None:
    made.maps[0] = made.maps[0][::2, ::2]


use_train_ids = partial(renumber, ids={7: 0, 8: 1, 24: 11, 26: 13})
count_from_1 = partial(renumber, ids={7: 1, 8: 2, 24: 12, 26: 19})


def use_train_ids_and_255(made: Made) -> None:
    use_train_ids(made)
    set_segment("category_id", 255)(made)


def put(*pixels: int) -> Spoil:
    def change(made: Made) -> None:
        made.maps[0].ravel()[: len(pixels)] = pixels

    return change


def empty(made: Made) -> None:
    made.maps[0][made.maps[0] == 7] = 0


PNG_0 = "ulm_000000_000019_gtFine_panoptic.png: "


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (drop, f"results.json: no annotation for 1 of 3 images: {NAMES[1]}; each image needs one"),
        (name(*NAMES[:1] * 2), f"results.json: two annotations are for the image {NAMES[0]}"),
        (
            name(1, 2),
            "1 of the truth's 3 images have no annotation, and the image ids 1 to 2 do not tell",
        ),
        (name(1, 2, 7), "the image ids 1 to 7 do not fit: the truth's 3 images may be counted"),
        (name("oslo", 1), "annotations[0].image_id: 'oslo' is no image of the truth, which has "),
        (set_segment("id", 0), "annotations[0].segments_info[0].id: 0 is not in 1 to 16777215; 0"),
        (set_segment("id", 26000), "segments_info[1].id: 26000 is the id of an earlier segment"),
        (set_segment("id", "7"), "segments_info[0].id should be an integer, not a text"),
        (
            set_segment("category_id", 9),
            "; it has 7 road, 8 sidewalk, 11 building, ",
        ),
        (use_train_ids, "the ids fit Cityscapes' train ids: score with the file that main.py --pa"),
        (set_segment("category_id", 255), "have: 255, first in annotations[0].segments_info[0]; "),
        (set_segment("category_id", 255), "; these classes are void: leave their segments out"),
        (set_segment("category_id", -1), "; these classes are void: leave their segments out"),
        (set_segment("category_id", 4), "; these classes are void: leave their segments out"),
        (
            partial(renumber, ids={7: 6, 8: 7, 24: 23, 26: 25}),
            "; the ids fit the truth's with + 1",
        ),
        (
            partial(renumber, ids={7: 8, 8: 9, 24: 25, 26: 27}),
            "; the ids fit the truth's with - 1",
        ),
        (set_segment("category_id", 24001), "; these are ids of instances: write the ids of their"),
        (use_train_ids_and_255, "the ids fit Cityscapes' train ids: score with the file that "),
        (count_from_1, "the ids fit classes counted from 1: write the ids of the truth"),
        (swap_channels_of_large_ids, "its colours are in the order blue, green, red; an id is"),
        (swap_channels, "its colours are in the order blue, green, red; an id is R + 256 G + 655"),
        (halve, f"{PNG_0}has 2 x 1 pixels, not 4 x 2"),
        (put(5, 6), f"{PNG_0}pixels of no segment: the ids 5, 6"),
        (put(0xFFFFFF), f"{PNG_0}pixels of no segment: the ids 16777215; void is black, 0"),
        (empty, f"{PNG_0}segments without pixels: the ids 7; leave them out of segments_info"),
    ],
)
def test_misfits_are_named(change: Spoil, line: str, made: Made, tmp_path: Path) -> None:
    change(made)
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    assert line in fail("--coco", made.truth, "--results", path)


def test_label_ids_are_not_train_ids(made: Made, datadir: Path) -> None:
    made = make(datadir, "train")
    renumber(made, {0: 7, 1: 8, 11: 24, 13: 26})
    path = save_panoptic(datadir / "results.json", made.results, made.maps)
    line = fail("--coco", made.truth, "--results", path)
    assert "category ids that the truth does not have: 24, 26" in line
    assert line.endswith("label ids: score with the file that main.py --panoptic label writes")


def test_grey_files_are_refused(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    for mode, bits in ("I;16", 16), ("L", 8):
        Image.new(mode, (4, 2)).save(path.with_suffix("") / f"{NAMES[2]}_gtFine_panoptic.png")
        told = f"has 1 channel(s) of {bits} bits, where a panoptic map has three of 8"
        assert told in fail("--coco", made.truth, "--results", path)


def test_files_that_are_not_there_or_not_panoptic(made: Made, tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", made.results)
    argv = "--coco", made.truth, "--results"
    line = f"error: {tmp_path / 'results'}: no such folder of the results' PNG files; name it with"
    assert fail(*argv, path).startswith(line)
    (tmp_path / "results").mkdir()
    assert f"{NAMES[0]}_gtFine_panoptic.png: cannot be read" in fail(*argv, path)
    line = f"error: {GOLDEN_VAL}: has no segments, but the results are panoptic"
    assert fail("--coco", GOLDEN_VAL, "--results", path).startswith(line)
    bare = write_json(tmp_path / "list.json", made.results["annotations"])
    assert "a list; panoptic results are an object" in fail(*argv, bare)


def test_options_for_the_other_kind_of_results_are_refused(made: Made, tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", made.results)
    for program, results, option in (
        *((evaluate, PREDICTIONS, "--pngs"), (evaluate, path, "--save")),
        *((inspect, PREDICTIONS, "--pngs"), (inspect, path, "--min-score")),
    ):
        code, _, err = run(program, "--results", results, option, 1)
        assert code == 2 and f"argument {option}: has no effect on" in err


def test_results_are_drawn_over_the_truth(made: Made, tmp_path: Path) -> None:
    """The worst first; with --category only its segments, which are judged among all the others."""
    [first, *_] = made.results["annotations"]
    assert first["segments_info"][0]["id"] == 7
    first["segments_info"][0]["category_id"] = 26
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    pngs = path.with_suffix("").rename(tmp_path / "elsewhere")
    argv = "--results", path, "--save", tmp_path / "drawn", "--sort", "errors"
    of_truth = "--coco", made.truth, *argv
    assert run(inspect, *of_truth, "--pngs", pngs, "--category", "car")[0] == 0
    page = (tmp_path / "drawn" / "index.html").read_text()
    outcomes = [json.loads(unescape(text)) for text in re.findall(r'outcomes="(.*?)"', page)]
    right = ["found", "right"]
    assert [sorted(found) for found in outcomes] == [["false", *right], right, right]
    assert "data:image/png" in page
    code, out, _ = run(inspect, *of_truth, "--pngs", pngs)
    [name, *_] = [line for line in out.splitlines() if line.endswith("results.png")]
    assert code == 0 and name.endswith(f"{NAMES[0]}_leftImg8bit_results.png")
    page = (tmp_path / "drawn" / "index.html").read_text()
    assert page.count("&quot;missed&quot;") == 1
    assert "no such folder of the results' PNG files" in complain(inspect, *of_truth)
    err = complain(inspect, "--coco", GOLDEN_VAL, *argv)
    assert "has no segments, but the results are panoptic" in err


def test_a_file_name_leads_to_no_file_outside_of_the_folder(made: Made, tmp_path: Path) -> None:
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    made.results["annotations"][0]["file_name"] = "../truth.png"
    line = fail("--coco", made.truth, "--results", write_json(path, made.results))
    assert "the file_name '../truth.png' leads out of this folder, or is empty" in line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (damage.drop(*SEGMENTS, -1), "pixels of no segment"),
        (damage.change(*SEGMENTS, 0, area=3), "segment 7 has 4 pixels, but in "),
        (damage.drop("annotations", -1), "1 images and 0 annotations, not one of each"),
        (damage.drop("categories", 0, "isthing"), "no isthing in categories[0]"),
        (
            damage.each("annotations", lambda annotation: annotation.update(segments_info=[])),
            "has no segment, so there is nothing to score",
        ),
    ],
)
def test_a_wrong_truth_is_refused(change: Change, line: str, made: Made, tmp_path: Path) -> None:
    coco, maps = read_panoptic(made.truth)
    truth = save_panoptic(tmp_path / "truth.json", coco, maps)
    change(coco)
    write_json(truth, coco)
    path = save_panoptic(tmp_path / "results.json", made.results, made.maps)
    assert line in fail("--coco", truth, "--results", path)
