"""Classes without instances: what becomes of them, judged by a flood fill."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cityscapes_coco import Options, find_dataset, read_frames
from cityscapes_coco.check.parts import split_rle
from cityscapes_coco.check.records import Row
from cityscapes_coco.check.verify import verify_file
from cityscapes_coco.cityscapes.id_map import cut_mask, find_instances
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.convert.regions import choose_regions
from cityscapes_coco.options import Stuff, UnknownLabels
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pixels.rle import to_mask, to_rles
from tests.conftest import Capture, Coco, WriteMap, convert, verify
from tests.damage import Change, drop, repeat
from tests.files import OUTPUT, SAMPLE, load
from tests.oracle import EVALUATED, check_simple, decode, name_of, read_maps
from tests.scores.conftest import score

Mask = NDArray[np.bool_]
CHOSEN = ("green=vegetation+terrain", "road", "car")
LABELS = {7: [7], 21: [21, 22]}

MAP = [
    [21, 22, 7, 7, 26000, 7],
    [7, 7, 22, 7, 26, 7],
    [21, 0, 7, 8, 8, 33],
]


def flood(mask: Mask) -> list[Mask]:
    """Return the connected parts of a mask, in the order of their first pixels."""
    parts, left = [], {(int(y), int(x)) for y, x in np.argwhere(mask)}
    while left:
        part, near = np.zeros_like(mask), [min(left)]
        while near:
            y, x = near.pop()
            if (y, x) in left:
                left.remove((y, x))
                part[y, x] = True
                near += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        parts.append(part)
    return parts


VALUES = st.sampled_from([0, 7, 7, 8, 21, 22, 24, 26, 26000, 7003])
MAPS = arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=VALUES)


@given(MAPS, st.sampled_from(["whole", "parts"]), st.sampled_from(["error", "void"]))
# OpenCV numbers the lower part first.
@example(np.array([[0, 0, 0, 0, 7], [7, 0, 0, 0, 0]], np.uint16), "parts", "error")
def test_each_pixel_of_stuff_is_in_one_region(
    id_map: NDArray[np.uint16], stuff: Stuff, unknown: UnknownLabels
) -> None:
    options = Options(categories=CHOSEN, stuff=stuff, unknown_labels=unknown)
    chosen, _ = choose_regions(id_map, find_instances(id_map, "map.png").instances, options)
    found = []
    for region, pixels in chosen:
        x, y, width, height = region.bbox
        mask = np.zeros(id_map.shape, np.bool_)
        mask[y : y + height, x : x + width] = cut_mask(pixels, region)
        assert region.area == mask.sum() and not region.is_group
        found.append((region.value, mask.tolist()))
    expected = []
    for value, labels in LABELS.items():
        labels = labels + [7003] * (value == 7 and unknown == "error")
        mask = np.isin(id_map, labels)
        parts = flood(mask) if stuff == "parts" else [mask] * bool(mask.any())
        expected += [(value, part.tolist()) for part in parts]
    expected += [(26000, (id_map == 26000).tolist())] * bool((id_map == 26000).any())
    assert found == expected


@given(MAPS)
def test_the_check_finds_the_same_parts_by_run_lengths(id_map: NDArray[np.uint16]) -> None:
    mask = id_map == 7
    [rle] = to_rles([(mask.view(np.uint8), 0, 0)], *mask.shape)
    found = sorted(to_mask(part).tolist() for part in split_rle(rle))
    assert found == sorted(part.astype(int).tolist() for part in flood(mask))


@pytest.mark.parametrize("kind", ["polygon", "rle"])
def test_all_of_the_sample_is_exact(kind: str, tmp_path: Path, capsys: Capture) -> None:
    options = "--categories", "all", "rail track", "--segmentation", kind, "--verify"
    coco = convert(SAMPLE, "--outdir", tmp_path, *options)
    assert "\n  all exact\n" in capsys.readouterr().out
    maps, names = read_maps(SAMPLE), {c["id"]: c["name"] for c in coco["categories"]}
    assert len(names) == 20 and coco["info"]["options"]["categories"] == [*names.values()]
    values: dict[int, list[int]] = {}
    for a in coco["annotations"]:
        id_map = maps[coco["images"][a["image_id"] - 1]["seg_file_name"]]
        values.setdefault(a["image_id"], []).append(a["map_value"])
        assert (decode(a["segmentation"], *id_map.shape) == (id_map == a["map_value"])).all()
        assert a["iscrowd"] == 0
    check_simple(a["segmentation"] for a in coco["annotations"])
    for image in coco["images"]:
        there = np.unique(maps[image["seg_file_name"]]).tolist()
        wanted = [v for v in there if 7 <= v < 24 or (v >= 1000 and name_of(v) in EVALUATED)]
        assert values[image["id"]] == wanted


@pytest.fixture
def file(datadir: Path, write_map: WriteMap) -> Coco:
    """The file of one frame with two parts of green, two of road, and a car."""
    write_map(MAP)
    return convert(datadir, "--categories", *CHOSEN, "--stuff", "parts", "--verify")


def test_stuff_is_counted_apart(file: Coco, datadir: Path, capsys: Capture) -> None:
    assert file["info"]["options"]["stuff"] == "parts"
    path = datadir / "annotations" / OUTPUT
    categories = read_categories(read_coco(path))
    assert categories.stuff == {1, 2} and categories.page_colors["green"] == (107, 142, 35)
    dataset = find_dataset(datadir)
    [frame] = read_frames(dataset, "train", Options(categories=CHOSEN, stuff="parts"))
    assert [(i.map_value, i.mask.sum()) for i in frame.instances] == [
        (a["map_value"], a["area"]) for a in file["annotations"]
    ]
    convert(datadir, "--categories", *CHOSEN, "--stuff", "parts", "--min-area", "2")
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    for row in ["instances", "0"], ["stuff", "3"], ["road", "2"], ["green", "1"], ["car", "0"]:
        assert row in rows
    assert "left out, smaller than 2 pixels: 1 vegetation, 1 car\n" in out


def merge_parts(coco: Coco) -> None:
    road = [a for a in coco["annotations"] if a["map_value"] == 7]
    road[0]["segmentation"] += road[1]["segmentation"]
    coco["annotations"].remove(road[1])


def swap_values(coco: Coco) -> None:
    first, *_, last = coco["annotations"][:-1]
    first["map_value"], last["map_value"] = last["map_value"], first["map_value"]


DAMAGES: dict[str, tuple[Change, int]] = {
    "lost: 1\n": (drop("annotations", 0), 1),
    "inexact: 1\n": (merge_parts, 1),
    "unexpected: 1\n": (repeat("annotations"), 1),
    "wrong map_value: 2\n": (swap_values, 3),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_the_check_names_wrong_parts(says: str, file: Coco, datadir: Path, capsys: Capture) -> None:
    change, code = DAMAGES[says]
    change(file)
    capsys.readouterr()
    assert verify(datadir, file) == code
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["rle", "none"])
def test_a_thousand_parts_are_checked_in_little_memory(
    kind: str, datadir: Path, write_map: WriteMap
) -> None:
    noise = np.full((60, 80), 7)
    noise[::2, ::2] = 8
    write_map(noise)
    options = "--categories", "road", "sidewalk", "--stuff", "parts", "--segmentation", kind
    assert len(convert(datadir, *options)["annotations"]) == 1201
    tracemalloc.start()
    try:
        report = verify_file(datadir / "annotations" / OUTPUT, datadir)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.rows[Row("sidewalk", False)].exact == 1200 and report.exit_code == 0
    assert peak < 10e6


def test_stuff_is_scored_by_coco_and_not_by_cityscapes(tmp_path: Path, capsys: Capture) -> None:
    """The truth as results finds everything."""
    convert(SAMPLE, "--outdir", tmp_path, "--categories", "road", "car", "--segmentation", "rle")
    path = tmp_path / OUTPUT.replace("train", "val")
    results = [a | {"score": 1} for a in load(path)["annotations"]]
    scores = score(tmp_path, path, results)
    found = {name: each["mask"]["ap"] for name, each in scores["coco"]["classes"].items()}
    assert found == {"road": 1, "car": 1}
    assert scores["cityscapes"]["classes"].keys() == {"car"}
    assert "no class that Cityscapes evaluates: road\n" in capsys.readouterr().out
