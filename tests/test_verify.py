"""The check of a COCO file against its maps: what is right passes, each kind of damage is named."""

import copy
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cityscapes_coco.decoding import to_mask, to_rle
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

import inspect_coco
import main
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.verify import Report, compare_with_published, verify_file
from tests.conftest import WriteMap

Coco = dict[str, Any]
Damage = Callable[[Coco], object]

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample"
NAME = "aachen_000000_000019"
OUTPUT = "instancesonly_filtered_gtFine_train.json"


def street() -> np.ndarray:
    """A map with a car that has a hole, a second car, a person, a group of cars, and a trailer."""
    id_map = np.full((16, 24), 7)
    id_map[2:9, 1:9] = 26000
    id_map[4:6, 3:5] = 7
    id_map[3:10, 10:15] = 26001
    id_map[1:13, 16:19] = 24000
    id_map[10:14, 2:9] = 26
    id_map[14:, 20:] = 30000
    return id_map


@pytest.fixture
def converted(datadir: Path, write_map: WriteMap) -> Coco:
    """The street, twice, and the file that the converter makes of it."""
    write_map(street())
    write_map(street(), name="aachen_000001_000019")
    assert convert(datadir) == 0
    return dict(json.loads((datadir / "annotations" / OUTPUT).read_bytes()))


def convert(datadir: Path, *options: str) -> int:
    return main.main(["--datadir", str(datadir), "--workers", "1", *options])


def verify(coco: object, datadir: Path) -> Report:
    path = datadir / "file.json"
    path.write_text(json.dumps(coco))
    return verify_file(path, datadir)


def cells(report: Report) -> dict[str, tuple[int, int, int, int, int]]:
    """The table without its empty rows: in maps, exact, inexact, lost, unexpected."""
    rows = {
        name: (count.in_maps, count.exact, count.inexact, count.lost, count.unexpected)
        for name, count in report.classes.items()
    }
    return {name: row for name, row in rows.items() if any(row)}


ALL_EXACT = {"car": (4, 4, 0, 0, 0), "person": (2, 2, 0, 0, 0)}


# What is right.


def test_our_own_file_is_all_exact(converted: Coco, datadir: Path) -> None:
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT
    assert not report.faults
    assert report.left_out == {"car group": 2, "trailer": 2}


def test_what_we_make_of_the_sample_is_all_exact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--datadir", str(SAMPLE), "--outdir", str(tmp_path), "--verify"]
    assert main.main(argv) == 0
    assert capsys.readouterr().out.count("all exact") == 3


def test_a_file_without_our_instance_ids_is_matched_by_overlap(
    converted: Coco, datadir: Path
) -> None:
    for annotation in converted["annotations"]:
        del annotation["instance_id"]
    converted["annotations"].reverse()
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT and not report.faults


def test_iscrowd_may_be_a_boolean(converted: Coco, datadir: Path) -> None:
    for annotation in converted["annotations"]:
        annotation["iscrowd"] = False
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT and not report.faults


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(np.uint16, (9, 12), elements=st.sampled_from([7, 23, 24000, 26000, 26001, 33000]))
)
def test_whatever_is_in_the_maps_our_own_file_is_all_exact(
    tmp_path_factory: pytest.TempPathFactory, id_map: np.ndarray
) -> None:
    datadir = tmp_path_factory.mktemp("any")
    write_frame(datadir, id_map)
    assert convert(datadir, "--verify") == 0


def write_frame(datadir: Path, id_map: np.ndarray) -> None:
    folder = datadir / "gtFine" / "train" / "aachen"
    folder.mkdir(parents=True)
    assert cv2.imwrite(str(folder / f"{NAME}_gtFine_instanceIds.png"), id_map)


def with_groups(coco: Coco) -> None:
    mask = np.asfortranarray(street() == 26, np.uint8)
    category = next(c["id"] for c in coco["categories"] if c["name"] == "car")
    for image in coco["images"]:
        rle = coco_mask.encode(mask)
        coco["annotations"].append(
            {
                "id": 100 + image["id"],
                "image_id": image["id"],
                "category_id": category,
                "iscrowd": 1,
                "area": int(mask.sum()),
                "bbox": coco_mask.toBbox(rle).tolist(),
                "segmentation": {"size": [16, 24], "counts": rle["counts"].decode()},
            }
        )


def test_groups_are_expected_of_a_file_that_has_any(converted: Coco, datadir: Path) -> None:
    with_groups(converted)
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT | {"car group": (2, 2, 0, 0, 0)} and not report.faults
    converted["annotations"].pop()
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT | {"car group": (2, 1, 0, 1, 0)}
    assert report.faults == {"lost": 1}


def as_rle(annotation: dict[str, Any], compressed: bool) -> None:
    rle = to_rle(annotation["segmentation"], 16, 24)
    if compressed:
        counts = rle["counts"].decode()
    else:
        pixels = coco_mask.decode(rle).ravel(order="F")
        edges = np.flatnonzero(np.diff(pixels, prepend=0)).tolist()
        counts = np.diff([0, *edges, pixels.size]).tolist()
    annotation["segmentation"] = {"size": [16, 24], "counts": counts}


@pytest.mark.parametrize("compressed", [True, False])
def test_both_kinds_of_rle_are_understood(compressed: bool, converted: Coco, datadir: Path) -> None:
    for annotation in converted["annotations"]:
        as_rle(annotation, compressed)
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT and not report.faults


@pytest.mark.parametrize(
    "remove", [lambda a: a.pop("segmentation"), lambda a: a["segmentation"].clear()]
)
@pytest.mark.parametrize("with_ids", [True, False])
def test_of_a_file_without_masks_the_boxes_are_compared(
    remove: Callable[[Any], object], with_ids: bool, converted: Coco, datadir: Path
) -> None:
    for annotation in converted["annotations"]:
        remove(annotation)
        if not with_ids:
            del annotation["instance_id"]
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT and not report.faults and report.boxes_only
    converted["annotations"][0]["bbox"][2] += 1
    report = verify(converted, datadir)
    assert report.faults == {"inexact": 1, "wrong bbox": 1}


def test_other_category_ids_and_file_names_are_understood(converted: Coco, datadir: Path) -> None:
    for category in converted["categories"]:
        category["id"] += 23
    for annotation in converted["annotations"]:
        annotation["category_id"] += 23
    for image in converted["images"]:
        del image["seg_file_name"]
        image["file_name"] = image["file_name"].rpartition("/")[2]
    report = verify(converted, datadir)
    assert cells(report) == ALL_EXACT and not report.faults


def test_several_images_may_share_a_map(converted: Coco, datadir: Path) -> None:
    """As in sets of one street in fog of several densities."""
    images, annotations = converted["images"], converted["annotations"]
    for image in copy.deepcopy(images):
        foggy = image["file_name"].replace("leftImg8bit.", "leftImg8bit_foggy_beta_0.02.")
        images.append(image | {"id": image["id"] + 10, "file_name": foggy})
    for annotation in copy.deepcopy(annotations):
        annotation["id"] += 100
        annotation["image_id"] += 10
        annotations.append(annotation)
    for image in images:
        del image["seg_file_name"]
    report = verify(converted, datadir)
    assert cells(report)["car"] == (8, 8, 0, 0, 0) and not report.faults


# What is wrong. The first annotation is person 24000 in the first image, the second car 26000.


def change(index: int, **fields: object) -> Damage:
    return lambda coco: coco["annotations"][index].update(fields)


def shift(coco: Coco) -> None:
    polygons = coco["annotations"][0]["segmentation"]
    coco["annotations"][0]["segmentation"] = [[value + 1 for value in p] for p in polygons]


def double(coco: Coco) -> None:
    coco["annotations"].append(coco["annotations"][0] | {"id": 100})


def double_without_instance_id(coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation["instance_id"]
    double(coco)


def swap_category_without_instance_id(coco: Coco) -> None:
    del coco["annotations"][0]["instance_id"]
    coco["annotations"][0]["category_id"] = 3


def lose(coco: Coco) -> None:
    del coco["annotations"][0]


def lose_image(coco: Coco) -> None:
    del coco["images"][1]
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]


def rename_category(coco: Coco) -> None:
    coco["categories"][0]["name"] = "pedestrian"


def move_away(coco: Coco) -> None:
    annotation = coco["annotations"][0]
    del annotation["instance_id"]
    annotation["segmentation"] = [[0, 0, 0, 1, 1, 1, 1, 0]]


DAMAGES: dict[str, tuple[Damage, dict[str, int], str]] = {
    "a shifted polygon": (
        shift,
        {"inexact": 1},
        f"{NAME}: annotation 1: IoU 0.4400 with person 24000",  # 2 x 11 of 36 + 36 - 22
    ),
    "a lost annotation": (lose, {"lost": 1}, f"{NAME}: person 24000, 36 pixels"),
    "a doubled annotation": (
        double,
        {"unexpected": 1, "wrong instance_id": 2},
        "annotation 100: 24000 is there 2 times",
    ),
    "a doubled one of another tool": (
        double_without_instance_id,
        {"unexpected": 1},
        "no person is there, or another annotation has it",
    ),
    "an instance_id that does not exist": (
        change(0, instance_id=24007),
        {"wrong instance_id": 1},
        "annotation 1: 24007 is not in the map",
    ),
    "an annotation where nothing is": (
        move_away,
        {"unexpected": 1, "lost": 1},
        "annotation 1: no person is there",
    ),
    "a wrong box": (
        change(0, bbox=[16, 1, 3, 11]),
        {"wrong bbox": 1},
        "annotation 1: [16, 1, 3, 11], person 24000 has [16, 1, 3, 12]",
    ),
    "a wrong area": (
        change(0, area=35),
        {"wrong area": 1},
        "annotation 1: 35, person 24000 has 36",
    ),
    "a wrong category": (
        change(0, category_id=3),
        {"wrong category": 1},
        "annotation 1: car, the map has person 24000",
    ),
    "a wrong category of another tool": (
        swap_category_without_instance_id,
        {"wrong category": 1},
        "annotation 1: car, the map has person 24000",
    ),
    "a category that does not exist": (
        change(0, category_id=99),
        {"wrong id": 1, "wrong category": 1},
        "annotation 1 has the category_id 99, which none of the categories has",
    ),
    "a class that Cityscapes does not have": (
        rename_category,
        {"wrong category": 3},
        "'pedestrian' is no class of Cityscapes",
    ),
    "a wrong iscrowd": (
        lambda coco: (with_groups(coco), change(0, iscrowd=1)(coco)),
        {"wrong iscrowd": 1},
        "annotation 1: 1, the map has person 24000",
    ),
    "an image_id that does not exist": (
        change(0, image_id=99),
        {"wrong id": 1, "lost": 1},
        "annotation 1 has the image_id 99, which none of the images has",
    ),
    "the same id twice": (change(0, id=2), {"wrong id": 1}, "annotations have the id 2 2 times"),
    "the id 0": (change(0, id=0), {"wrong id": 1}, "the id 0, which COCOeval takes for no match"),
    "a wrong image size": (
        lambda coco: coco["images"][0].update(width=23),
        {"wrong image size": 1},
        f"{NAME}: 23 x 16, the map has 24 x 16",
    ),
    "an image without a map": (
        lambda coco: coco["images"][0].update(seg_file_name="other_gtFine_instanceIds.png"),
        {"image without a map": 1, "map without an image": 1},
        "no other_gtFine_instanceIds.png",
    ),
    "a frame that is not in the file": (
        lose_image,
        {"map without an image": 1},
        "aachen_000001_000019_gtFine_instanceIds.png",
    ),
    "a polygon of two points": (
        change(0, segmentation=[[1, 1, 2, 2]]),
        {"broken segmentation": 1, "inexact": 1},
        "a polygon is not a list of at least three points",
    ),
    "an RLE of another size": (
        change(0, segmentation={"size": [24, 16], "counts": [384]}),
        {"broken segmentation": 1, "inexact": 1},
        "an RLE of size [24, 16], not [16, 24]",
    ),
    "one annotation without a mask": (
        change(0, segmentation=[]),
        {"missing field": 1, "inexact": 1},
        "no segmentation in annotations[0]",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_found_and_named(
    damage: str, converted: Coco, datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, faults, culprit = DAMAGES[damage]
    spoil(converted)
    assert verify(converted, datadir).faults == faults
    capsys.readouterr()

    argv = ["--coco_dir", str(datadir), "--json", str(datadir / "file.json"), "--verify"]
    assert inspect_coco.main(argv) == 1
    out = capsys.readouterr().out
    assert culprit in out
    for fault, number in faults.items():
        assert f"  {fault}: {number}\n" in out
    assert out.endswith("  not exact\n")


FIELDS = [
    *((None, field) for field in ("info", "licenses")),
    *(("images", field) for field in ("id", "file_name", "width", "height")),
    *(("categories", field) for field in ("id", "name")),
    *(
        ("annotations", field)
        for field in ("id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation")
    ),
]


@pytest.mark.parametrize(("part", "field"), FIELDS)
def test_each_missing_field_is_named(
    part: str | None, field: str, converted: Coco, datadir: Path
) -> None:
    del (converted[part][0] if part else converted)[field]
    report = verify(converted, datadir)
    where = f"{part}[0]" if part else "the file"
    assert f"no {field} in {where}" in report.culprits["missing field"]


def test_only_the_first_culprits_are_named_and_the_others_counted(
    converted: Coco, datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for annotation in converted["annotations"]:
        annotation["area"] += 1
    report = verify(converted, datadir)
    assert report.faults == {"wrong area": 6} and len(report.culprits["wrong area"]) == 3
    inspect_coco.main(
        ["--coco_dir", str(datadir), "--json", str(datadir / "file.json"), "--verify"]
    )
    assert "and 3 more" in capsys.readouterr().out


def test_a_map_that_cannot_be_read_does_not_hide_the_others(
    converted: Coco, datadir: Path, write_map: WriteMap
) -> None:
    write_map(street()).write_bytes(b"")
    report = verify(converted, datadir)
    assert report.faults == {"map that cannot be read": 1}
    assert report.frames == 1 and cells(report)["car"] == (2, 2, 0, 0, 0)


def test_frames_that_the_file_says_were_skipped_are_no_fault(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(street())
    write_map(street(), name="aachen_000001_000019").write_bytes(b"")
    assert convert(datadir, "--skip-bad", "--verify") == 0
    assert "skipped when the file was made: 1 frames" in capsys.readouterr().out


# How far the masks of another converter are off.


def count_independently(coco: COCO, maps: dict[int, np.ndarray]) -> dict[str, list[float]]:
    """Count in maps, exact, inexact, lost, and the sum of IoUs, mask by mask in whole frames."""
    counts: dict[str, list[float]] = {}
    for image_id, id_map in maps.items():
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        masks = {a["instance_id"]: coco.annToMask(a).astype(bool) for a in annotations}
        for value in np.unique(id_map[id_map >= 1000]).tolist():
            name = {24: "person", 26: "car"}[value // 1000]
            row = counts.setdefault(name, [0, 0, 0, 0, 0.0])
            row[0] += 1
            if value not in masks:
                row[3] += 1
                continue
            source, mask = id_map == value, masks[value]
            iou = (source & mask).sum() / (source | mask).sum()
            row[1 if (source == mask).all() else 2] += 1
            row[4] += iou if iou < 1 else 0
    return counts


@pytest.mark.parametrize("with_ids", [True, False])
def test_the_original_scripts_masks_are_judged_as_an_independent_count_judges_them(
    with_ids: bool, datadir: Path, write_map: WriteMap
) -> None:
    rng = np.random.default_rng(3)
    maps = {}
    for image_id in range(1, 11):
        id_map = np.full((40, 60), 7)
        for n in range(12):
            value = (24000 if n % 3 else 26000) + n
            (x, y), (w, h) = rng.integers(0, (56, 36)), rng.integers(1, 7, 2)
            id_map[y : y + h, x : x + w] = value
        maps[image_id] = id_map
        write_map(id_map, name=f"a_{image_id:06d}_000019")
    assert convert(datadir, "--like-original") == 0
    path = datadir / "annotations" / OUTPUT
    expected = count_independently(COCO(path), maps)
    assert all(row[2] and row[3] for row in expected.values()), "the test needs losses of each kind"

    coco = json.loads(path.read_bytes())
    if not with_ids:
        for annotation in coco["annotations"]:
            del annotation["instance_id"]
    report = verify(coco, datadir)
    for name, row in expected.items():
        count = report.classes[name]
        assert [count.in_maps, count.exact, count.inexact, count.lost] == row[:4]
        assert count.ious == pytest.approx(row[4])
        assert count.unexpected == 0
    assert report.faults.keys() <= {"inexact", "lost"}


def count_by_boxes(path: Path) -> dict[str, list[float]]:
    """The same count for the original's own output for the sample: its boxes and areas are exact,
    and tell which annotation is which."""
    coco = COCO(path)
    counts: dict[str, list[float]] = {}
    for image in coco.loadImgs(coco.getImgIds()):
        [map_path] = SAMPLE.glob(f"gtFine/*/*/{image['seg_file_name']}")
        id_map = cv2.imread(str(map_path), cv2.IMREAD_UNCHANGED)
        masks = {
            (coco.cats[a["category_id"]]["name"], *a["bbox"], a["area"]): coco.annToMask(a) == 1
            for a in coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        }
        for value in np.unique(id_map[id_map >= 1000]).tolist():
            name = next(label.name for label in LABELS if label.id == value // 1000)
            row = counts.setdefault(name, [0, 0, 0, 0, 0.0])
            source = id_map == value
            ys, xs = np.nonzero(source)
            box = (xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1)
            mask = masks.get((name, *box, source.sum()))
            row[0] += 1
            if mask is None:
                row[3] += 1
                continue
            row[1 if (source == mask).all() else 2] += 1
            row[4] += (source & mask).sum() / (source | mask).sum()
    return {name: row for name, row in counts.items() if name in category_instancesonly}


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_originals_own_output_for_the_sample_is_judged_as_an_independent_count_judges_it(
    split: str,
) -> None:
    path = ROOT / "tests" / "golden" / f"original_{split}.json"
    report = verify_file(path, SAMPLE)
    expected = count_by_boxes(path)
    assert cells(report).keys() == expected.keys()
    for name, row in expected.items():
        count = report.classes[name]
        assert [count.in_maps, count.exact, count.inexact, count.lost] == row[:4]
        assert count.ious == pytest.approx(row[4]) and count.unexpected == 0
    assert "no info in the file" in report.culprits["missing field"]


# Published totals.

VAL = {
    "person": 3399,
    "car": 4656,
    "truck": 93,
    "bus": 98,
    "train": 23,
    "motorcycle": 149,
    "bicycle": 1169,
}


def test_a_full_split_near_the_published_totals_is_no_news() -> None:
    assert compare_with_published("val", 500, VAL) == []
    assert compare_with_published("val", 500, VAL | {"car": 4700, "rider": 12345}) == []
    assert compare_with_published("train", 2975, {"person": 17_950, "train": 168}) == []


def test_a_full_split_far_from_the_published_totals_is_told() -> None:
    assert compare_with_published("val", 500, VAL | {"train": 0, "car": 2000}) == [
        "2000 car, published 4656",
        "0 train, published 23",
    ]
    assert compare_with_published("train", 2975, {"truck": 300}) == ["300 truck, published 500"]


def test_a_part_of_a_split_is_not_compared_with_the_totals() -> None:
    assert compare_with_published("val", 499, {"car": 1}) == []
    assert compare_with_published("test", 1525, {"car": 0}) == []


# How it is called.


def test_the_converter_verifies_what_it_wrote(
    datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(street())
    write_map(street(), split="val")
    assert convert(datadir, "--verify") == 0
    out = capsys.readouterr().out
    assert out.count("held against its maps (1)") == 2 and out.count("all exact") == 2
    assert convert(datadir, "--verify", "--like-original") == 1
    assert "not exact" in capsys.readouterr().out


def test_a_folder_without_the_maps_is_an_error(
    converted: Coco, datadir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = datadir / "annotations" / OUTPUT
    capsys.readouterr()
    assert inspect_coco.main(["--coco_dir", str(SAMPLE), "--json", str(path), "--verify"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {SAMPLE}: has no map of the 2 images in {path}; expected")
    empty = tmp_path / "some" / "empty"
    empty.mkdir(parents=True)
    assert inspect_coco.main(["--coco_dir", str(empty), "--json", str(path), "--verify"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {empty}: no gtFine folder in it; found")


def test_memory_does_not_grow_with_the_number_of_frames(datadir: Path, write_map: WriteMap) -> None:
    id_map = np.kron(street(), np.ones((30, 30), int))

    def peak(frames: int) -> int:
        for number in range(frames):
            write_map(id_map, name=f"a_{number:06d}_000019")
        assert convert(datadir) == 0
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


# Segmentations, which any tool may have written.


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.integers(0, 1)
    )
)
def test_a_compressed_rle_is_read_as_pycocotools_reads_it(mask: np.ndarray) -> None:
    rle = coco_mask.encode(np.asfortranarray(mask))
    height, width = mask.shape
    segmentation = {"size": [height, width], "counts": rle["counts"].decode()}
    assert (to_mask(to_rle(segmentation, height, width)) == mask).all()


BROKEN = {
    "not a list": "text",
    "no polygon": [7],
    "two points": [[1, 1, 2, 2]],
    "half a point": [[1, 1, 2, 2, 3, 3, 4]],
    "a text for a number": [[1, 1, 2, 2, 3, "3"]],
    "NaN": [[1, 1, 2, 2, 3, float("nan")]],
    "infinity": [[1, 1, 2, 2, 3, float("inf")]],
    "far away": [[1, 1, 2, 2, 3, 10**9]],
    "beyond all bounds": [[1, 1, 2, 2, 10**400, 3]],
    "points as lists": [[[1, 1], [2, 2], [3, 1], 2, 2, 3]],
    "no size": {"counts": [16]},
    "another size": {"size": [4, 5], "counts": [20]},
    "no counts": {"size": [4, 4]},
    "too few": {"size": [4, 4], "counts": [8, 7]},
    "too many": {"size": [4, 4], "counts": [8, 9]},
    "negative": {"size": [4, 4], "counts": [20, -4]},
    "fractions": {"size": [4, 4], "counts": [8.0, 8.0]},
    "an empty text": {"size": [4, 4], "counts": ""},
    "a text too short": {"size": [4, 4], "counts": "3"},
    "a text that breaks off": {"size": [4, 4], "counts": "P"},
    "a run beyond all bounds": {"size": [4, 4], "counts": "o" * 1000},
    "other characters": {"size": [4, 4], "counts": "\u00e4"},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_segmentation_is_refused(kind: str) -> None:
    """pycocotools itself would read memory that is not its own for some of these."""
    with pytest.raises(ValueError, match=r"segmentation|polygon|RLE"):
        to_rle(BROKEN[kind], 4, 4)
