"""The scores as their users get them: both tables, what cannot be scored, and errors."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cityscapes_coco.scores import coco_score
from cityscapes_coco.scores.evaluate import evaluate_results
from main import main
from tests.conftest import Capture, Patch, WriteMap, convert, save_map, street
from tests.damage import Change, change, drop
from tests.files import GOLDEN_VAL, OUTPUT, PREDICTIONS, SAMPLE, load, write_json
from tests.oracle import coco_scores, encode, official_scores
from tests.scores.conftest import annotated, fail, score


def test_the_sample_scores_as_with_the_official_tools(tmp_path: Path) -> None:
    scores = score(tmp_path, GOLDEN_VAL, PREDICTIONS, "--save", tmp_path / "upload")
    numbers = {"average": scores["cityscapes"]["average"], **scores["cityscapes"]["classes"]}
    maps = sorted(SAMPLE.glob("gtFine/val/*/*_instanceIds.png"))
    for name, pair in (official_scores(tmp_path / "upload", maps) or {}).items():
        for field, number in zip(("ap", "ap50"), pair, strict=True):
            assert numbers[name][field] == (number and pytest.approx(number, abs=1e-9))
    results = json.loads(PREDICTIONS.read_bytes())
    judged = coco_scores(GOLDEN_VAL, results, "bbox")
    numbers = {"average": scores["coco"]["average"], **scores["coco"]["classes"]}
    assert {name: list(each["box"].values()) for name, each in numbers.items()} == judged


def test_any_number_of_workers_writes_and_prints_the_same(tmp_path: Path, capsys: Capture) -> None:
    printed = []
    for workers in 1, 3:
        folder = tmp_path / str(workers)
        folder.mkdir()
        score(folder, GOLDEN_VAL, PREDICTIONS, "--workers", workers)
        printed.append((capsys.readouterr().out, (folder / "scores.json").read_bytes()))
    assert printed[0] == printed[1]


def test_a_result_without_a_box_has_the_box_of_its_mask(tmp_path: Path, monkeypatch: Patch) -> None:
    """pycocotools takes the fields of the first result for those of all."""
    results = annotated(GOLDEN_VAL)
    for result in results[1::2]:
        del result["bbox"]
    monkeypatch.setattr(coco_score, "StreamingEval", coco_score.PycocotoolsEval)
    assert score(tmp_path, GOLDEN_VAL, results)["coco"]["average"]["box"]["ap"] == 1


@pytest.mark.parametrize(
    "library", dict.fromkeys((coco_score.PycocotoolsEval, coco_score.StreamingEval))
)
def test_masks_alone_have_both_scores_of_coco(
    library: type, tmp_path: Path, monkeypatch: Patch
) -> None:
    """Each has the areas of the masks, by which results are small, medium or large."""
    results = json.loads(PREDICTIONS.read_bytes())
    for result in results:
        del result["bbox"]
    monkeypatch.setattr(coco_score, "StreamingEval", library)
    average = score(tmp_path, GOLDEN_VAL, results)["coco"]["average"]
    for shape, iou_type in ("box", "bbox"), ("mask", "segm"):
        assert [*average[shape].values()] == coco_scores(GOLDEN_VAL, results, iou_type)["average"]


def test_a_curve_of_coco_ends_where_nothing_is_found_any_more() -> None:
    curves = evaluate_results(GOLDEN_VAL, PREDICTIONS, SAMPLE).curves
    for recall, precision in (*curves["box"].values(), *curves["mask"].values()):
        assert precision[:-1].all() and (precision[-1] == 0 or recall[-1] == 1)


def test_only_the_best_hundred_of_a_category_in_a_frame_count_for_coco(tmp_path: Path) -> None:
    """Cityscapes has no such limit; both have their say here."""
    [person, *_] = annotated(GOLDEN_VAL, score=0.1)
    nothing = person | {"segmentation": [[0, 0, 20, 0, 20, 20, 0, 20]], "bbox": [0, 0, 20, 20]}
    results = [nothing | {"score": 0.9}] * 100 + [person]
    scores = score(tmp_path, GOLDEN_VAL, results)
    names = {c["id"]: c["name"] for c in load(GOLDEN_VAL)["categories"]}
    name = names[person["category_id"]]
    assert scores["coco"]["classes"][name]["mask"]["ap"] == 0
    assert scores["cityscapes"]["classes"][name]["ap"] > 0


def test_images_and_categories_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """So it is to COCOeval, in whatever order the file has them."""
    coco = load(GOLDEN_VAL)
    coco["images"].reverse()
    coco["categories"].reverse()
    path = write_json(tmp_path / "file.json", coco)
    results = [result | {"score": 0.5} for result in json.loads(PREDICTIONS.read_bytes())]
    scores = score(tmp_path, path, results)["coco"]
    judged = coco_scores(path, results, "bbox")
    assert list(scores["average"]["box"].values()) == judged["average"]
    assert list(scores["classes"]) == [category["name"] for category in coco["categories"][::-1]]


def test_images_may_go_by_their_names(tmp_path: Path) -> None:
    """Here by that of the file or, where its id is even, without the folders and the ending."""
    names = {image["id"]: image["file_name"] for image in load(GOLDEN_VAL)["images"]}
    names |= {number: Path(name).stem for number, name in names.items() if number % 2 == 0}
    results = json.loads(PREDICTIONS.read_bytes())
    renamed = [result | {"image_id": names[result["image_id"]]} for result in results]
    assert score(tmp_path, GOLDEN_VAL, renamed) == score(tmp_path, GOLDEN_VAL, results)


def test_the_categories_are_those_of_the_file(tmp_path: Path) -> None:
    """With other ids and names, and fewer of them, the classes score what they score in all."""
    whole = score(tmp_path, GOLDEN_VAL, PREDICTIONS)
    categories = "--categories", "person", "bike=bicycle", "--category-ids", "label"
    convert(SAMPLE, "--outdir", tmp_path, *categories)
    ids = {1: 24, 8: 33}
    results = [
        result | {"category_id": ids[result["category_id"]]}
        for result in json.loads(PREDICTIONS.read_bytes())
        if result["category_id"] in ids
    ]
    scores = score(tmp_path, tmp_path / GOLDEN_VAL.name, results)
    assert list(scores["coco"]["classes"]) == ["person", "bike"]
    assert scores["cityscapes"]["classes"] == {
        name: whole["cityscapes"]["classes"][name] for name in ("person", "bicycle")
    }
    assert scores["notes"] == ["Cityscapes' average here is over 2 of its 8 classes"]


def test_merged_categories_have_no_score_of_cityscapes(tmp_path: Path) -> None:
    convert(SAMPLE, "--outdir", tmp_path, "--categories", "human=person+rider", "car", "caravan")
    coco = tmp_path / GOLDEN_VAL.name
    scores = score(tmp_path, coco, annotated(coco))
    assert list(scores["cityscapes"]["classes"]) == ["car"]
    assert scores["cityscapes"]["average"]["ap"] == 1
    assert scores["notes"][0] == "no class that Cityscapes evaluates: human, caravan"
    convert(SAMPLE, "--outdir", tmp_path, "--categories", "human=person+rider")
    scores = score(tmp_path, coco, annotated(coco))
    assert scores["cityscapes"] is None and scores["coco"]["average"]["mask"]["ap"] == 1
    assert "no category is a class that Cityscapes evaluates" in scores["notes"][0]


def test_boxes_alone_have_the_score_of_coco(tmp_path: Path, capsys: Capture) -> None:
    results = [{k: v for k, v in r.items() if k != "segmentation"} for r in annotated(GOLDEN_VAL)]
    scores = score(tmp_path, GOLDEN_VAL, results)
    assert list(scores["coco"]["average"]) == ["box"] and scores["cityscapes"] is None
    assert scores["coco"]["average"]["box"]["ap"] == 1
    out = capsys.readouterr().out
    assert "Cityscapes' score cannot be had: the results have no masks" in out


def test_a_file_of_boxes_has_the_score_of_cityscapes_all_the_same(tmp_path: Path) -> None:
    convert(SAMPLE, "--outdir", tmp_path, "--segmentation", "none")
    scores = score(tmp_path, tmp_path / GOLDEN_VAL.name, annotated(GOLDEN_VAL))
    assert list(scores["coco"]["average"]) == ["box"]
    assert scores["cityscapes"]["average"] == {"ap": 1, "ap50": 1}
    assert scores["notes"] == ["COCO's score of masks cannot be had: the COCO file has no masks"]


def test_without_maps_there_is_the_score_of_coco(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    scores = score(tmp_path, GOLDEN_VAL, annotated(GOLDEN_VAL), "--coco_dir", empty)
    assert scores["cityscapes"] is None and scores["coco"]["average"]["mask"]["ap"] == 1
    assert scores["notes"][0].startswith(f"Cityscapes' score cannot be had: {empty}: no gtFine")


def test_maps_of_another_size_leave_the_score_of_coco(tmp_path: Path, capsys: Capture) -> None:
    """The photographs and the COCO file have half the size; the maps are as they were."""
    coco = load(GOLDEN_VAL)
    for image in coco["images"]:
        image |= {"width": 1024, "height": 512}
    for annotation in coco["annotations"]:
        halved = [[x / 2 for x in polygon] for polygon in annotation["segmentation"]]
        box = [x / 2 for x in annotation["bbox"]]
        annotation |= {"segmentation": halved, "bbox": box, "area": annotation["area"] / 4}
    path = write_json(tmp_path / "half.json", coco)
    scores = score(tmp_path, path, annotated(path))
    assert scores["coco"]["average"]["mask"]["ap"] == 1 and scores["cityscapes"] is None
    [note] = scores["notes"]
    assert note.startswith("Cityscapes' score cannot be had: no map has the size of its image")
    assert note.endswith(f"has 2048 x 1024 pixels, its image in {path} 1024 x 512")
    assert note in capsys.readouterr().out


def test_exact_repeats_are_counted_and_named(tmp_path: Path, capsys: Capture) -> None:
    results = json.loads(PREDICTIONS.read_bytes())
    # As models of the DETR family have it, the same mask as another class is no repeat.
    others = [result | {"category_id": result["category_id"] % 8 + 1} for result in results]
    assert score(tmp_path, GOLDEN_VAL, results + others)["notes"] == []
    scores = score(tmp_path, GOLDEN_VAL, results + results[:7])
    assert scores["notes"] == [
        "7 of 53 results repeat an earlier one exactly, such as results[46]; a repeat counts as"
        " false: leave them out"
    ]
    assert scores["notes"][0] in capsys.readouterr().out


def test_images_without_results_count_and_are_said(tmp_path: Path, capsys: Capture) -> None:
    results = [result for result in annotated(GOLDEN_VAL) if result["image_id"] == 1]
    scores = score(tmp_path, GOLDEN_VAL, results)
    assert scores["without_results"] == 1 and scores["cityscapes"]["average"]["ap"] < 1
    assert "images without a result: 1 of 2" in capsys.readouterr().out
    assert score(tmp_path, GOLDEN_VAL, [])["cityscapes"]["average"] == {"ap": 0, "ap50": 0}


def test_frames_that_the_file_leaves_out_are_said(datadir: Path, write_map: WriteMap) -> None:
    write_map(street(), split="val")
    write_map([[7, 7]], split="val", name="ulm_000000_000019")
    argv = ["--datadir", str(datadir), "--empty-frames", "drop"]
    assert main(argv) == 0
    coco = datadir / "annotations" / GOLDEN_VAL.name
    scores = score(datadir, coco, annotated(coco), "--coco_dir", datadir)
    assert scores["images"] == 1
    told = "frames without an image in the COCO file, so in no score: 1, such as ulm_000000_000019"
    assert told in scores["notes"]


THIRD = "annotations", 2
BAD_FILES: dict[str, Change] = {
    "images have the id 1 2 times": change("images", 1, id=1),
    "categories have the id 1 2 times": change("categories", 1, id=1),
    "categories have the name car 2 times": change("categories", 0, name="car"),
    "no id in images[0]": drop("images", 0, "id"),
    "no name in categories[1]": drop("categories", 1, "name"),
    "no area in annotations[2]": drop(*THIRD, "area"),
    "annotation 3 has the image_id 7, which none": change(*THIRD, image_id=7),
    "annotation 3 has the category_id 9, which": change(*THIRD, category_id=9),
    "annotation 3.bbox: [0, 0, 9, -1] has a size below": change(*THIRD, bbox=[0, 0, 9, -1]),
    "image 2 has 0 x 1024 pixels": change("images", 1, width=0),
    "image 2 has 2048 x 1000000000 pixels": change("images", 1, height=10**9),
    "annotation 3: a polygon is not a list of at least three points": (
        change(*THIRD, segmentation=[[1, 2]])
    ),
    "annotation 3 has no segmentation, but others have": drop(*THIRD, "segmentation"),
    "has 2048 x 1024 pixels, its image in": change("images", 0, width=4096),
}


@pytest.mark.parametrize("says", BAD_FILES)
def test_a_bad_coco_file_is_one_line(says: str, tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    BAD_FILES[says](coco)
    path = write_json(tmp_path / "file.json", coco)
    [*_, last] = json.loads(PREDICTIONS.read_bytes())
    results = write_json(tmp_path / "results.json", [last | {"image_id": 2}])
    line = fail("--coco_dir", SAMPLE, "--coco", path, "--results", results)
    assert line.startswith("error: ") and says in line and str(path) in line


def test_what_no_score_needs_may_be_missing(tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    del coco["info"], coco["licenses"], coco["annotations"][0]["iscrowd"]
    path = write_json(tmp_path / "file.json", coco)
    assert score(tmp_path, path, annotated(path))["cityscapes"]["average"]["ap"] == 1
    del coco["images"][0]["file_name"], coco["images"][0]["seg_file_name"]
    scores = score(tmp_path, write_json(path, coco), annotated(path))
    assert scores["coco"]["average"]["mask"]["ap"] == 1
    assert "such as one without a name" in scores["notes"][0]


def test_a_mask_of_another_size_names_the_result(tmp_path: Path) -> None:
    results = json.loads(PREDICTIONS.read_bytes())
    results[3]["segmentation"]["size"] = [512, 1024]
    path = write_json(tmp_path / "results.json", results)
    line = fail("--coco_dir", SAMPLE, "--coco", GOLDEN_VAL, "--results", path)
    wrong = "results[3].segmentation: an RLE of size [512, 1024], not [1024, 2048]"
    assert line == f"error: {path}: {wrong}; resize masks to their image"


def test_a_bad_map_is_named(datadir: Path, write_map: WriteMap) -> None:
    path = write_map(np.full((1024, 2048), 26000), split="val")
    assert main(["--datadir", str(datadir)]) == 0
    save_map(path, np.full((1024, 2048), 99))
    results = write_json(datadir / "results.json", [])
    line = fail("--coco_dir", datadir, "--results", results)
    assert line.startswith(f"error: {path}: ")


def test_predictions_on_unknown_labels_are_passed_over(datadir: Path, write_map: WriteMap) -> None:
    id_map = np.full((20, 40), 7)
    id_map[:10, :20], id_map[:, 20:] = 24001, 255
    write_map(id_map)
    convert(datadir, "--unknown-labels", "void", "--segmentation", "rle")
    path = datadir / "annotations" / OUTPUT
    [person] = annotated(path)
    void = np.full((20, 40), 0, np.uint8)
    void[:, 20:] = 1
    results = [person, person | {"segmentation": encode(void), "score": 0.95}]
    file = write_json(datadir / "results.json", results)
    own = evaluate_results(path, file, datadir).cityscapes
    assert own and own.average.ap == 1
    coco = load(path)
    del coco["info"]["options"]["unknown_labels"]
    line = fail("--coco_dir", datadir, "--coco", write_json(path, coco), "--results", file)
    assert "holds the value 255, whose label Cityscapes does not have" in line


def test_a_folder_without_the_file_of_the_split_is_said(datadir: Path) -> None:
    line = fail("--coco_dir", datadir, "--results", PREDICTIONS)
    assert line.startswith(f"error: {datadir / 'annotations'}: no such folder; convert first")
    assert line.endswith("--coco")


def test_a_panoptic_file_is_refused(datadir: Path, write_map: WriteMap) -> None:
    write_map(street(), split="val")
    assert main(["--datadir", str(datadir), "--panoptic", "label"]) == 0
    coco = datadir / "annotations" / "cityscapes_panoptic_val.json"
    line = fail("--coco_dir", datadir, "--coco", coco, "--results", PREDICTIONS)
    assert "results need a COCO file of instances" in line


def test_scores_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    files = "--coco", GOLDEN_VAL, "--results", PREDICTIONS, "--scores", tmp_path
    assert "cannot be written: " in fail("--coco_dir", SAMPLE, *files)
    assert os.listdir(tmp_path) == []
