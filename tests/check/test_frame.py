"""One image and its map: what is right passes, and each kind of damage is found and named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cityscapes_coco.check.verify import verify_file
from cityscapes_coco.run.workers import start_workers
from tests import oracle
from tests.check.conftest import ALL_EXACT, NAME, Spoil, assert_found, cells
from tests.conftest import Coco, WriteMap, annotate, street
from tests.damage import SEGMENTS, Change, Damages, both, change, drop, each, find
from tests.files import OUTPUT, PANOPTIC, ROOT, SAMPLE, load


def test_our_own_files_are_all_exact(spoil: Spoil) -> None:
    report = spoil()
    assert report.frames == 2 and cells(report) == ALL_EXACT and not report.faults
    assert report.left_out == {"car group": 2, "trailer": 2, "trailer group": 2}
    # In the panoptic files, void is none of them.
    report = spoil(name=PANOPTIC)
    assert cells(report) == ALL_EXACT | {"road": (2, 2, 0, 0, 0), "car group": (2, 2, 0, 0, 0)}
    assert report.frames == 2 and not report.faults and not report.left_out


def add_groups(coco: Coco) -> None:
    category = next(c["id"] for c in coco["categories"] if c["name"] == "car")
    for image in coco["images"]:
        ids = {"id": 100 + image["id"], "image_id": image["id"], "category_id": category}
        coco["annotations"].append(annotate(street() == 26, iscrowd=1, **ids))


def test_groups_are_expected_of_a_file_that_has_any(spoil: Spoil) -> None:
    report = spoil(add_groups)
    assert cells(report) == ALL_EXACT | {"car group": (2, 2, 0, 0, 0)} and not report.faults
    report = spoil(drop("annotations", -1))
    assert cells(report) == ALL_EXACT | {"car group": (2, 1, 0, 1, 0)}
    assert report.faults == {"lost": 1}


drop_values = each("annotations", lambda annotation: annotation.pop("map_value"))
drop_map_values = both(drop_values, lambda coco: coco["annotations"].reverse())


def use_rle(encode: Callable[[NDArray[np.bool_]], object]) -> Change:
    def change(annotation: Coco) -> None:
        mask = oracle.decode(annotation["segmentation"], 16, 24)
        annotation["segmentation"] = {"size": [16, 24], "counts": encode(mask)}

    return each("annotations", change)


def use_other_ids_and_names(coco: Coco) -> None:
    each("categories", lambda category: category.update(id=category["id"] + 23))(coco)
    each("annotations", lambda a: a.update(category_id=a["category_id"] + 23))(coco)
    for image in coco["images"]:
        del image["seg_file_name"]
        image["file_name"] = image["file_name"].rpartition("/")[2]


@pytest.mark.parametrize(
    "change",
    [
        *(drop_map_values, use_other_ids_and_names, use_rle(oracle.count_runs)),
        use_rle(lambda mask: oracle.encode(mask)["counts"]),
        each("annotations", lambda annotation: annotation.update(iscrowd=False)),
    ],
)
def test_the_ways_of_other_tools_are_understood(change: Change, spoil: Spoil) -> None:
    report = spoil(change)
    assert cells(report) == ALL_EXACT and not report.faults


@pytest.mark.parametrize("empty", [None, []])
@pytest.mark.parametrize("with_values", [True, False])
def test_without_masks_boxes_are_compared(empty: object, with_values: bool, spoil: Spoil) -> None:
    drop_masks = each("annotations", lambda annotation: annotation.update(segmentation=empty))
    report = spoil(drop_masks if with_values else both(drop_masks, drop_map_values))
    assert cells(report) == ALL_EXACT and not report.faults and report.boxes_only
    widen = change(bbox=[0, 0, 99, 1])
    assert spoil(widen).faults == {"inexact": 1, "wrong bbox": 1}
    assert not spoil(lambda coco: coco["annotations"].clear()).boxes_only


def shift(coco: Coco) -> None:
    """Of the person, 2 x 11 pixels of 36 + 36 - 22 are common then."""
    polygons = coco["annotations"][0]["segmentation"]
    coco["annotations"][0]["segmentation"] = [[value + 1 for value in p] for p in polygons]


def double(coco: Coco) -> None:
    coco["annotations"].append(coco["annotations"][0] | {"id": 100})


def add_segment(coco: Coco) -> None:
    find(coco, *SEGMENTS).append(find(coco, *SEGMENTS, -1) | {"id": 33001})


no_value = drop("annotations", 0, "map_value")
empty = change(segmentation={"size": [16, 24], "counts": [16 * 24]})  # so that the box tells
move = change(segmentation=[[0, 0, 0, 1, 1, 1, 1, 0]])
shrink = change(segmentation=[[16, 1, 18, 1, 18, 9, 16, 9]], category_id=3)  # less than half
DAMAGES: Damages = {
    f"{NAME}: annotation 1: IoU 0.4400 with person 24000": ("inexact 1", shift),
    f"{NAME}: person 24000, 36 pixels": ("lost 1", drop("annotations", 0)),
    "100: 24000 is there 2 times": ("wrong map_value 2, unexpected 1", double),
    "no bicycle is there, or another": ("unexpected 1", both(drop_map_values, double)),
    "1: 24007 is not in the map": ("wrong map_value 1", change(map_value=24007)),
    "annotation 1: no person is there": ("unexpected 1, lost 1", both(no_value, move)),
    "IoU 0.0000 with person 24000": ("inexact 1", both(no_value, empty)),
    "annotation 1: no car is there": ("unexpected 1, lost 1", both(no_value, shrink)),
    "11], person 24000 has [16, 1, 3, 12]": ("wrong bbox 1", change(bbox=[16, 1, 3, 11])),
    "annotation 1: 35, person 24000 has 36": ("wrong area 1", change(area=35)),
    "1: car, the map has person 24000": ("wrong category 1", change(category_id=3)),
    "car, the map has person": ("wrong category 1", both(no_value, change(category_id=3))),
    "1: 1, the map has person 24000": ("wrong iscrowd 1", both(add_groups, change(iscrowd=1))),
    "23 x 16, the map has 24 x 16": ("wrong image size 1", change("images", 0, width=23)),
    f"{NAME}: annotation 1: segmentation[0][5] should be a number, not a text": (
        "broken segmentation 1, inexact 1",
        change(segmentation=[[1, 1, 2, 2, 3, "3"]]),
    ),
}


ROAD, GROUP = (*SEGMENTS, 0), (*SEGMENTS, 1)
PANOPTIC_DAMAGES: Damages = {
    "segment 7: 1, road 7 has 206": ("wrong area 1", change(*ROAD, area=1)),
    "1], road 7 has [0, 0, 24, 16]": ("wrong bbox 1", change(*ROAD, bbox=[0, 0, 1, 1])),
    "26: 0, the map has car group 26": ("wrong iscrowd 1", change(*GROUP, iscrowd=0)),
    "26: 2, the map has car group 26": ("wrong iscrowd 1", change(*GROUP, iscrowd=2)),
    "7: 1, the map has road 7": ("wrong iscrowd 1", change(*ROAD, iscrowd=1)),
    "sidewalk, the map has road 7": ("wrong category 1", change(*ROAD, category_id=8)),
    "7 x 16, the map has 24 x 16": ("wrong image size 1", change("images", 0, width=7)),
    f"{NAME}: 33000, 16 pixels": ("pixels of no segment 1, lost 1", drop(*SEGMENTS, -1)),
    f"{NAME}: segment 33001: 33001 is not in the map": (
        "segment without pixels 1, wrong map_value 1, unexpected 1",
        add_segment,
    ),
}


@pytest.mark.parametrize("culprit", [*DAMAGES, *PANOPTIC_DAMAGES])
def test_each_kind_of_damage_is_found_and_named(culprit: str, spoil: Spoil) -> None:
    faults, damage = (DAMAGES | PANOPTIC_DAMAGES)[culprit]
    report = spoil(damage, PANOPTIC if culprit in PANOPTIC_DAMAGES else OUTPUT)
    assert_found(report, faults, culprit)


def paint(*pixel: int) -> Callable[[Path], None]:
    """Change one pixel of the PNG file, on the road."""

    def change(png: Path) -> None:
        pixels = street_colors()
        pixels[0, 0] = pixel
        Image.fromarray(pixels).save(png)

    return change


def save_as(mode: str) -> Callable[[Path], None]:
    return lambda png: Image.fromarray(street_colors()).convert(mode).save(png)


def street_colors() -> NDArray[np.uint8]:
    """The street as a PNG file has it, without what is void."""
    ids = np.where(np.isin(street() // 1000, [30]) | (street() == 30), 0, street())
    return np.stack((ids % 256, ids // 256, 0 * ids), axis=2).astype(np.uint8)


def flip_a_bit_of_the_checksum(png: Path) -> None:
    """Change the checksum of the chunk with the pixels, which Pillow does not look at."""
    content = bytearray(png.read_bytes())
    content[-13] ^= 1
    png.write_bytes(content)


BROKEN = "PNG file that cannot be read 1, inexact 6"
DAMAGED_PNGS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "7: IoU 0.9951 with road 7": ("inexact 1", paint(0, 0, 0)),
    "26000: IoU 0.9811 with car 26000": ("inexact 2", paint(26000 % 256, 26000 // 256, 0)),
    "65543, 1 pixels": ("pixels of no segment 1, inexact 1", paint(7, 0, 1)),
    "cannot be read: No such file": (BROKEN, Path.unlink),
    "not a PNG file": (BROKEN, lambda png: png.write_bytes(b"no PNG")),
    "(cut off)": (BROKEN, lambda png: png.write_bytes(png.read_bytes()[:-30])),
    "(wrong checksum of IDAT)": (BROKEN, flip_a_bit_of_the_checksum),
    "has 1 channel(s)": (BROKEN, save_as("L")),
    "has 1 channel(s) of 8 bits": (BROKEN, save_as("P")),
    "has 4 channel(s)": (BROKEN, save_as("RGBA")),
    "has 9 x 9 pixels": (BROKEN, lambda png: Image.new("RGB", (9, 9)).save(png)),
}


@pytest.mark.parametrize("culprit", DAMAGED_PNGS)
def test_damage_of_a_png_file_is_named(culprit: str, spoil: Spoil, annotations: Path) -> None:
    faults, damage = DAMAGED_PNGS[culprit]
    damage(annotations / PANOPTIC.removesuffix(".json") / f"{NAME}_gtFine_panoptic.png")
    report = spoil(name=PANOPTIC)
    assert_found(report, faults, culprit)
    # The other frame is all right.
    assert 6 <= sum(tally.exact for tally in report.rows.values()) < 12
    assert all(NAME in line for lines in report.culprits.values() for line in lines)


def test_a_map_that_cannot_be_read_hides_no_other(spoil: Spoil, write_map: WriteMap) -> None:
    write_map().write_bytes(b"")
    report = spoil()
    assert report.faults == {"map that cannot be read": 1}
    assert report.frames == 1 and cells(report)["car"] == (2, 2, 0, 0, 0)


def test_foreign_values_are_no_instances(spoil: Spoil, write_map: WriteMap) -> None:
    id_map = street()
    id_map[0, :2] = 1000, 11003
    write_map(id_map)
    report = spoil()
    kind = "map with values that Cityscapes never writes"
    assert report.culprits == {kind: [f"{NAME}: 1000, 11003"]}
    assert report.exit_code == 0 and report.instances == 2 * 5
    assert spoil(name=PANOPTIC).instances == 2 * 4


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


def test_the_originals_own_output_is_judged_so_in_one_process_and_in_several() -> None:
    path = ROOT / "tests" / "golden" / "original_val.json"
    report = verify_file(path, SAMPLE)
    expected = count_independently(load(path), oracle.read_maps(SAMPLE))
    assert {row.name for row in report.rows} == expected.keys()
    for row, tally in report.rows.items():
        found = [tally.in_maps, tally.exact, tally.inexact, tally.lost, tally.ious]
        assert found == pytest.approx(expected[row.name]) and tally.unexpected == 0
    assert "no info in the file" in report.culprits["missing field"]
    with start_workers(2) as run:
        assert verify_file(path, SAMPLE, run=run) == report
