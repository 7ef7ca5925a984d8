"""The check of a COCO file against its maps: what is right passes, each kind of damage is named."""

import copy
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import inspect_coco
import main
from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.cli.tables import describe_check
from cityscapes_coco.run.workers import Map, start_workers
from tests import oracle
from tests.conftest import (
    OUTPUT,
    ROOT,
    SAMPLE,
    Capture,
    Change,
    Coco,
    WriteMap,
    annotate,
    convert,
    load,
    save_map,
    set_field,
    street,
    write_json,
)

NAME = "aachen_000000_000019"


@pytest.fixture
def coco(datadir: Path, write_map: WriteMap) -> Coco:
    """The street, twice, and the file that the converter makes of it: in each image the person
    24000, the cars 26000 and 26001, and the bicycle 33000."""
    write_map(street())
    write_map(street(), name="aachen_000001_000019")
    return convert(datadir)


def check(coco: Coco, datadir: Path) -> Report:
    return verify_file(write_json(datadir / "file.json", coco), datadir)


def cells(report: Report) -> dict[str, tuple[int, ...]]:
    """The table without its empty rows: in maps, exact, inexact, lost, unexpected."""
    rows = {
        str(row): (tally.in_maps, tally.exact, tally.inexact, tally.lost, tally.unexpected)
        for row, tally in report.rows.items()
    }
    return {row: counts for row, counts in rows.items() if any(counts)}


ALL_EXACT = {"car": (4, 4, 0, 0, 0), "person": (2, 2, 0, 0, 0), "bicycle": (2, 2, 0, 0, 0)}


# What is right.


def test_our_own_file_is_all_exact(coco: Coco, datadir: Path) -> None:
    report = check(coco, datadir)
    assert report.frames == 2 and cells(report) == ALL_EXACT and not report.faults
    assert report.left_out == {"car group": 2, "trailer": 2, "trailer group": 2}
    assert describe_check(report).endswith("  all exact")


def add_groups(coco: Coco) -> None:
    category = next(c["id"] for c in coco["categories"] if c["name"] == "car")
    for image in coco["images"]:
        ids = {"id": 100 + image["id"], "image_id": image["id"], "category_id": category}
        coco["annotations"].append(annotate(street() == 26, iscrowd=1, **ids))


def test_groups_are_expected_of_a_file_that_has_any(coco: Coco, datadir: Path) -> None:
    add_groups(coco)
    report = check(coco, datadir)
    assert cells(report) == ALL_EXACT | {"car group": (2, 2, 0, 0, 0)} and not report.faults
    coco["annotations"].pop()
    report = check(coco, datadir)
    assert cells(report) == ALL_EXACT | {"car group": (2, 1, 0, 1, 0)}
    assert report.faults == {"lost": 1}


def drop_instance_ids(coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["map_value"]
    coco["annotations"].reverse()


def use_rle(coco: Coco, encode: Callable[[NDArray[np.bool_]], object]) -> None:
    for annotation in coco["annotations"]:
        mask = oracle.decode(annotation["segmentation"], 16, 24)
        annotation["segmentation"] = {"size": [16, 24], "counts": encode(mask)}


def use_other_ids_and_names(coco: Coco) -> None:
    for category in coco["categories"]:
        category["id"] += 23
    for annotation in coco["annotations"]:
        annotation["category_id"] += 23
    for image in coco["images"]:
        del image["seg_file_name"]
        image["file_name"] = image["file_name"].rpartition("/")[2]


def use_a_pattern_without_end(coco: Coco) -> None:
    coco["info"]["options"]["images"] = ["[" * 50_000]


def use_booleans(coco: Coco) -> None:
    for annotation in coco["annotations"]:
        annotation["iscrowd"] = False


@pytest.mark.parametrize(
    "change",
    [
        *(drop_instance_ids, use_other_ids_and_names, use_booleans, use_a_pattern_without_end),
        lambda coco: use_rle(coco, lambda mask: oracle.encode(mask)["counts"]),
        lambda coco: use_rle(coco, oracle.count_runs),
    ],
)
def test_the_ways_of_other_tools_are_understood(change: Change, coco: Coco, datadir: Path) -> None:
    change(coco)
    report = check(coco, datadir)
    assert cells(report) == ALL_EXACT and not report.faults


@pytest.mark.parametrize("empty", [None, []])
@pytest.mark.parametrize("with_ids", [True, False])
def test_of_a_file_without_masks_the_boxes_are_compared(
    empty: object, with_ids: bool, coco: Coco, datadir: Path
) -> None:
    for annotation in coco["annotations"]:
        annotation["segmentation"] = empty
    if not with_ids:
        drop_instance_ids(coco)
    report = check(coco, datadir)
    assert cells(report) == ALL_EXACT and not report.faults and report.boxes_only
    coco["annotations"][0]["bbox"][2] += 1
    assert check(coco, datadir).faults == {"inexact": 1, "wrong bbox": 1}


def test_several_images_may_share_a_map(coco: Coco, datadir: Path) -> None:
    """As in sets of one street in fog of several densities."""
    for image in copy.deepcopy(coco["images"]):
        foggy = image["file_name"].replace("leftImg8bit.", "leftImg8bit_foggy_beta_0.02.")
        coco["images"].append(image | {"id": image["id"] + 10, "file_name": foggy})
    for annotation in copy.deepcopy(coco["annotations"]):
        ids = {"id": annotation["id"] + 100, "image_id": annotation["image_id"] + 10}
        coco["annotations"].append(annotation | ids)
    for image in coco["images"]:
        del image["seg_file_name"]
    report = check(coco, datadir)
    assert cells(report)["car"] == (8, 8, 0, 0, 0) and not report.faults


def name_as_windows_does(coco: Coco) -> None:
    for image in coco["images"]:
        image["file_name"] = image["file_name"].replace("/", "\\")
        image["seg_file_name"] = f"aachen\\{image['seg_file_name']}"


def cut_name(folders: str) -> Change:
    def change(coco: Coco) -> None:
        image = coco["images"][0]
        image["file_name"] = image["file_name"].replace(folders, "")

    return change


def swap_images(coco: Coco) -> None:
    for annotation in coco["annotations"]:
        annotation["image_id"] = 3 - annotation["image_id"]


SEVERAL = {"image of several maps": 1, "map without an image": 1}


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (name_as_windows_does, {}),
        (cut_name("leftImg8bit/"), {}),
        (cut_name("train/"), SEVERAL),
        (cut_name("aachen/"), SEVERAL),
        (cut_name("leftImg8bit/train/aachen/"), SEVERAL),
        (swap_images, {"inexact": 6, "wrong bbox": 6}),
    ],
)
def test_maps_of_one_name_are_told_apart_by_split_and_city(
    change: Change, faults: dict[str, int], datadir: Path, write_map: WriteMap
) -> None:
    name = write_map(street()).name
    save_map(datadir / "gtFine/train/bonn" / name, street()[::-1])
    save_map(datadir / "gtFine/val/aachen" / name, street()[:, ::-1])
    coco = convert(datadir, "--splits", "train", "--verify")
    change(coco)
    assert check(coco, datadir).faults == faults


def test_frames_that_the_file_says_were_skipped_are_no_fault(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map(street())
    write_map(street(), name="aachen_000001_000019").write_bytes(b"")
    convert(datadir, "--skip-bad", "--verify")
    assert "skipped when the file was made: 1 frames" in capsys.readouterr().out


# What is wrong. The first annotation is person 24000 in the first image, the second car 26000.


def change(**fields: object) -> Change:
    return lambda coco: coco["annotations"][0].update(fields)


def both(first: Change, second: Change) -> Change:
    return lambda coco: (first(coco), second(coco))


def shift(coco: Coco) -> None:
    polygons = coco["annotations"][0]["segmentation"]
    coco["annotations"][0]["segmentation"] = [[value + 1 for value in p] for p in polygons]


def double(coco: Coco) -> None:
    coco["annotations"].append(coco["annotations"][0] | {"id": 100})


def lose(coco: Coco) -> None:
    del coco["annotations"][0]


def lose_image(coco: Coco) -> None:
    del coco["images"][1]
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]


def lose_instance_id(coco: Coco) -> None:
    del coco["annotations"][0]["map_value"]


def swap_photographs(coco: Coco) -> None:
    first, second = coco["images"]
    first["file_name"], second["file_name"] = second["file_name"], first["file_name"]


lose_map = set_field("images", "seg_file_name", "other.png")
move = both(lose_instance_id, change(segmentation=[[0, 0, 0, 1, 1, 1, 1, 0]]))
SECOND = "aachen_000001_000019_gtFine_instanceIds.png"

# What is found, the damage, and a culprit that is named.
DAMAGES: list[tuple[str, Change, str]] = [
    # 2 x 11 pixels of 36 + 36 - 22 are common.
    ("inexact", shift, f"{NAME}: annotation 1: IoU 0.4400 with person 24000"),
    ("lost", lose, f"{NAME}: person 24000, 36 pixels"),
    ("unexpected, wrong map_value, wrong map_value", double, "100: 24000 is there 2 times"),
    ("unexpected", both(drop_instance_ids, double), "no bicycle is there, or another annotation"),
    ("wrong map_value", change(map_value=24007), "annotation 1: 24007 is not in the map"),
    ("unexpected, lost", move, "annotation 1: no person is there"),
    ("wrong bbox", change(bbox=[16, 1, 3, 11]), "11], person 24000 has [16, 1, 3, 12]"),
    ("wrong area", change(area=35), "annotation 1: 35, person 24000 has 36"),
    ("wrong category", change(category_id=3), "annotation 1: car, the map has person 24000"),
    ("wrong category", both(lose_instance_id, change(category_id=3)), "car, the map has person"),
    ("wrong id, wrong category", change(category_id=99), "1 has the category_id 99, which none of"),
    (
        "unknown category, wrong category, wrong category",
        set_field("categories", "name", "pedestrian"),
        "'pedestrian' is no class of Cityscapes",
    ),
    ("wrong iscrowd", both(add_groups, change(iscrowd=1)), "1: 1, the map has person 24000"),
    ("wrong id, lost", change(image_id=99), "1 has the image_id 99, which none of the images has"),
    ("wrong id", change(id=2), "annotations have the id 2 2 times"),
    ("wrong id", change(id=0), "the id 0, which COCOeval takes for no match"),
    ("wrong image size", set_field("images", "width", 23), "23 x 16, the map has 24 x 16"),
    ("image without a map, map without an image", lose_map, "no other.png"),
    (
        "photograph of another frame, photograph of another frame",
        swap_photographs,
        f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png, the map is {SECOND}",
    ),
    ("map without an image", lose_image, SECOND),
    (
        "broken segmentation, inexact",
        change(segmentation=[[1, 1, 2, 2, 3, "3"]]),
        f"{NAME}: annotation 1: segmentation[0][5] should be a number, not a text",
    ),
]


@pytest.mark.parametrize(("faults", "damage", "culprit"), DAMAGES)
def test_each_kind_of_damage_is_found_and_named(
    faults: str, damage: Change, culprit: str, coco: Coco, datadir: Path
) -> None:
    damage(coco)
    report = check(coco, datadir)
    assert report.faults == Counter(faults.split(", "))
    text = describe_check(report)
    beside = report.faults.keys() <= {"wrong id", "wrong map_value", "wrong image size"}
    assert report.exit_code == (3 if beside else 1) and culprit in text
    assert text.endswith("fields are missing or wrong" if beside else "  not exact")
    for fault, number in report.faults.items():
        assert f"  {fault}: {number}\n" in text


FIELDS = {
    "": ["info", "licenses"],
    "images": ["id", "file_name", "width", "height"],
    "categories": ["id", "name"],
    "annotations": ["id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation"],
}
# What else is wrong if the first record of a part misses a field.
MISSING: dict[tuple[str, str], dict[str, int]] = {
    ("images", "id"): {"wrong id": 4, "lost": 4},
    ("categories", "id"): {"wrong id": 2, "wrong category": 2},
    ("categories", "name"): {"wrong category": 2},
    ("annotations", "image_id"): {"lost": 1},
    ("annotations", "category_id"): {"wrong category": 1},
    ("annotations", "segmentation"): {"inexact": 1},
}


@pytest.mark.parametrize(
    ("part", "field"), [(part, name) for part in FIELDS for name in FIELDS[part]]
)
def test_each_missing_field_is_named(part: str, field: str, coco: Coco, datadir: Path) -> None:
    del (coco[part][0] if part else coco)[field]
    report = check(coco, datadir)
    more = MISSING.get((part, field), {})
    assert report.faults == {"missing field": 1} | more and report.exit_code == (1 if more else 3)
    where = f"{part}[0]" if part else "the file"
    assert report.culprits["missing field"] == [f"no {field} in {where}"]


def test_only_the_first_culprits_are_named_and_the_others_counted(
    coco: Coco, datadir: Path
) -> None:
    for annotation in coco["annotations"]:
        annotation["area"] += 1
    report = check(coco, datadir)
    assert report.faults == {"wrong area": 8} and len(report.culprits["wrong area"]) == 3
    assert "and 5 more" in describe_check(report)


def test_a_map_that_cannot_be_read_does_not_hide_the_others(
    coco: Coco, datadir: Path, write_map: WriteMap
) -> None:
    write_map().write_bytes(b"")
    report = check(coco, datadir)
    assert report.faults == {"map that cannot be read": 1}
    assert report.frames == 1 and cells(report)["car"] == (2, 2, 0, 0, 0)


# How far the masks of another converter are off.


def count_independently(coco: Coco, maps: dict[str, NDArray[np.uint16]]) -> dict[str, list[float]]:
    """Count in maps, exact, inexact, lost, and the sum of IoUs, mask by mask in whole frames.

    The original script's boxes and areas are exact, and tell which annotation is which.
    """
    names = {category["id"]: category["name"] for category in coco["categories"]}
    counts = {name: [0, 0, 0, 0, 0.0] for name in oracle.EVALUATED}
    for image in coco["images"]:
        id_map = maps[image["seg_file_name"]]
        masks = {
            (names[a["category_id"]], *a["bbox"]): oracle.decode(a["segmentation"], *id_map.shape)
            for a in coco["annotations"]
            if a["image_id"] == image["id"]
        }
        for value, source in oracle.masks_in(id_map):
            name = oracle.name_of(value)
            mask = masks.get((name, *oracle.box_of(source)), np.zeros_like(source))
            iou = (source & mask).sum() / (source | mask).sum()
            counts[name][0] += 1
            counts[name][1 if iou == 1 else 2 if mask.any() else 3] += 1
            counts[name][4] += iou
    return counts


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_originals_own_output_for_the_sample_is_judged_so_in_one_process_and_in_several(
    split: str,
) -> None:
    path = ROOT / "tests" / "golden" / f"original_{split}.json"
    report = verify_file(path, SAMPLE)
    expected = count_independently(load(path), oracle.read_maps(SAMPLE))
    assert {row.name for row in report.rows} == expected.keys()
    for row, tally in report.rows.items():
        found = [tally.in_maps, tally.exact, tally.inexact, tally.lost, tally.ious]
        assert found == pytest.approx(expected[row.name]) and tally.unexpected == 0
    assert "no info in the file" in report.culprits["missing field"]
    with start_workers(2) as run:
        assert verify_file(path, SAMPLE, run=run) == report


# How it is called: each split is spoiled before it is checked.
EXIT_CODES: dict[int, list[Change]] = {
    0: [lambda coco: None, lambda coco: None],
    1: [lose, lambda coco: coco.pop("info")],
    3: [lambda coco: coco.pop("licenses"), lambda coco: None],
}
VERDICTS = {
    0: "all exact",
    1: "not exact",
    3: "all that is there is exact; fields are missing or wrong",
}


@pytest.mark.parametrize("code", EXIT_CODES)
def test_both_programs_end_with_the_verdict_and_its_exit_code(
    code: int, datadir: Path, write_map: WriteMap, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    spoil = dict(zip(["train", "val"], EXIT_CODES[code], strict=True))

    def verify_spoilt(path: Path, datadir: Path, imagedir: None, run: Map) -> Report:
        coco = load(path)
        spoil[path.stem.rpartition("_")[2]](coco)
        return verify_file(write_json(path, coco), datadir, run=run)

    write_map(street())
    write_map(street(), split="val")
    with monkeypatch.context() as patch:
        patch.setattr("cityscapes_coco.check.verify.verify_file", verify_spoilt)
        assert main.main(["--datadir", str(datadir), "--workers", "2", "--verify"]) == code
    out = capsys.readouterr().out
    assert out.count("held against its maps (1)") == 2 and f"  {VERDICTS[code]}\n" in out
    assert inspect_coco.main(["--coco_dir", str(datadir), "--verify"]) == code
    assert capsys.readouterr().out.endswith(f"  {VERDICTS[code]}\n")


def test_a_folder_without_the_maps_is_named(coco: Coco, datadir: Path, capsys: Capture) -> None:
    empty = datadir.parent / "some" / "empty"
    empty.mkdir(parents=True)
    path = datadir / "annotations" / OUTPUT
    for folder, says in (
        (SAMPLE, f"has no map of the 2 images in {path}; expected"),
        (empty, "no gtFine folder in it; found"),
    ):
        assert inspect_coco.main(["--coco_dir", str(folder), "--json", str(path), "--verify"]) == 1
        assert capsys.readouterr().err.startswith(f"error: {folder}: {says}")


def test_memory_does_not_grow_with_the_number_of_frames(datadir: Path, write_map: WriteMap) -> None:
    id_map = np.kron(street(), np.ones((30, 30), int))

    def peak(frames: int) -> int:
        for number in range(frames):
            write_map(id_map, name=f"a_{number:06d}_000019")
        convert(datadir)
        tracemalloc.start()
        report = verify_file(datadir / "annotations" / OUTPUT, datadir)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.frames == frames and not report.faults
        return most

    # A map takes 2 x 345,600 bytes; what grows is the JSON, of which a frame takes a few thousand.
    peak(1)
    few = peak(2)
    assert peak(20) < few + 2 * id_map.size
