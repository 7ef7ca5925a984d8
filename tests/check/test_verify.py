"""A whole file: its images and the frames of a split, the verdict, and how both programs check."""

import copy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inspect_coco
from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.cli.tables import describe_check
from cityscapes_coco.run.workers import Map
from main import main
from tests.check.conftest import NAME, OTHER, Spoil, assert_found, cells
from tests.conftest import Coco, WriteMap, convert, fail, run, save_map, street
from tests.damage import Change, Damages, change, drop, each, swap
from tests.files import OUTPUT, PANOPTIC, SAMPLE, load, touch, write_json


def test_several_images_may_share_a_map(spoil: Spoil) -> None:
    def add_fog(coco: Coco) -> None:
        """As in sets of one street in fog of several densities."""
        for image in copy.deepcopy(coco["images"]):
            foggy = image["file_name"].replace("leftImg8bit.", "leftImg8bit_foggy_beta_0.02.")
            coco["images"].append(image | {"id": image["id"] + 10, "file_name": foggy})
        for annotation in copy.deepcopy(coco["annotations"]):
            ids = {"id": annotation["id"] + 100, "image_id": annotation["image_id"] + 10}
            coco["annotations"].append(annotation | ids)
        for image in coco["images"]:
            del image["seg_file_name"]

    report = spoil(add_fog)
    assert cells(report)["car"] == (8, 8, 0, 0, 0) and not report.faults


def name_as_windows_does(coco: Coco) -> None:
    for image in coco["images"]:
        image["file_name"] = image["file_name"].replace("/", "\\")
        image["seg_file_name"] = f"aachen\\{image['seg_file_name']}"


def cut_name(folders: str) -> Change:
    name = f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png"
    return change("images", 0, file_name=name.replace(folders, ""))


swap_images = each("annotations", lambda a: a.update(image_id=3 - a["image_id"]))
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
    report = verify_file(write_json(datadir / "file.json", coco), datadir)
    assert report.faults == faults and not report.imageless


def lose_image(coco: Coco) -> None:
    del coco["images"][1]
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]


NEITHER = "image without a map 1, map without an image 1"
DAMAGES: Damages = {
    f"{OTHER}_gtFine_instanceIds.png": ("map without an image 1", lose_image),
    "no other.png": (NEITHER, change("images", 0, seg_file_name="other.png")),
    f"the map is {OTHER}_gtFine_": ("photograph of another frame 2", swap("images", "file_name")),
}


@pytest.mark.parametrize("culprit", DAMAGES)
def test_images_and_frames_without_each_other_are_named(culprit: str, spoil: Spoil) -> None:
    faults, damage = DAMAGES[culprit]
    assert_found(spoil(damage), faults, culprit)


def test_a_pattern_longer_than_any_name_hides_no_image(spoil: Spoil, datadir: Path) -> None:
    """Such a pattern is foreign, and may take hours to match."""
    for name in NAME, OTHER:
        touch(datadir / f"leftImg8bit/train/aachen/{name}_leftImg8bit.png")
    spoil(change("info", "options", images=["x" * 256]))
    assert spoil(lose_image).faults == {"map without an image": 1}


def test_a_photograph_is_missed_or_its_size_compared(datadir: Path, write_map: WriteMap) -> None:
    write_map(street())
    for beta, size in ("0.01", (24, 16)), ("0.02", (16, 24)):
        path = datadir / f"leftImg8bit_foggy/train/aachen/{NAME}_leftImg8bit_foggy_beta_{beta}.png"
        Image.new("RGB", size).save(touch(path))
    assert main(["--datadir", str(datadir), "--images", "leftImg8bit_foggy"]) == 0
    [file] = (datadir / "annotations").iterdir()
    coco = load(file)
    told = [f"{path}: 16 x 24, the map has 24 x 16"]
    for rename in change(), name_as_windows_does:
        rename(coco)
        report = verify_file(write_json(file, coco), datadir)
        assert report.culprits == {"photograph of another size than its map": told}
        assert report.exit_code == 0
    lose_image(coco)
    report = verify_file(write_json(file, coco), datadir)
    assert report.faults == {"map without all its images": 1} and report.exit_code == 1


def use_numbers(coco: Coco) -> None:
    numbers = {image["id"]: number for number, image in enumerate(coco["images"])}
    each("images", lambda image: image.update(id=numbers[image["id"]]))(coco)
    each("annotations", lambda a: a.update(image_id=numbers[a["image_id"]]))(coco)


def leave_out_what_the_official_tool_lacks(coco: Coco) -> None:
    del coco["info"], coco["licenses"]
    for image in coco["images"]:
        image["file_name"] = f"{image['id']}_gtFine_leftImg8bit.png"
    coco["annotations"].reverse()


@pytest.mark.parametrize("change", [use_numbers, leave_out_what_the_official_tool_lacks])
def test_panoptic_files_of_other_tools_are_understood(change: Change, spoil: Spoil) -> None:
    assert not spoil(change, PANOPTIC).faults
    # The maps are alike, so that nothing but the names tells which segments are of which.
    report = spoil(swap("annotations", "image_id"), PANOPTIC)
    assert report.faults == {"photograph of another frame": 2}


def test_a_png_file_elsewhere_is_no_png_file(spoil: Spoil) -> None:
    report = spoil(change(file_name="../elsewhere.png"), PANOPTIC)
    assert_found(report, NEITHER, "no elsewhere.png")


def test_the_mean_iou_is_of_the_inexact(spoil: Spoil) -> None:
    """Half of one person is there, and all of the other."""
    text = describe_check(spoil(change(segmentation=[[16, 1, 19, 1, 19, 7, 16, 7]])))
    assert "person 2 1 1 0.5000 0 0" in [" ".join(line.split()) for line in text.splitlines()]


# How it is called: the verdict, and what spoils the file of train and that of val.
VERDICTS: dict[int, tuple[str, Change, Change]] = {
    0: ("all exact", change(), change()),
    1: ("not exact", drop("annotations", 0), drop("info")),
    3: ("all that is there is exact; fields are missing or wrong", drop("licenses"), change()),
}


@pytest.mark.parametrize("code", VERDICTS)
def test_both_programs_end_with_the_verdict_and_its_exit_code(
    code: int, datadir: Path, write_map: WriteMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict, *spoil = VERDICTS[code]

    def verify_spoilt(path: Path, datadir: Path, imagedir: None, run: Map) -> Report:
        coco = load(path)
        spoil["val" in path.stem](coco)
        return verify_file(write_json(path, coco), datadir, run=run)

    write_map(street())
    write_map(street(), split="val")
    with monkeypatch.context() as patch:
        patch.setattr("cityscapes_coco.check.verify.verify_file", verify_spoilt)
        done, out, _ = run(main, "--datadir", datadir, "--workers", 2, "--verify")
    assert done == code
    assert out.count("compared with its maps (1)") == 2 and f"  {verdict}\n" in out
    done, out, _ = run(inspect_coco.main, "--coco_dir", datadir, "--verify")
    assert done == code and out.endswith(f"  {verdict}\n")


def test_a_folder_without_maps_is_named(annotations: Path, tmp_path: Path) -> None:
    path, empty = annotations / OUTPUT, tmp_path / "empty"
    empty.mkdir()
    none = f"has no map of the 2 images in {path}; expected"
    for folder, says in (SAMPLE, none), (empty, "no gtFine folder in it; found"):
        err = fail(inspect_coco.main, "--coco_dir", folder, "--coco", path, "--verify")
        assert err.startswith(f"error: {folder}: {says}")


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
