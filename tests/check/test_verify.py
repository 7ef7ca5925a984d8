"""A whole file: its images and the frames of a split, the verdict, and how both programs check."""

import copy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inspect_coco
import main
from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.cli.tables import describe_check
from cityscapes_coco.run.workers import Map
from tests.check.conftest import NAME, OTHER, Damages, Spoil, assert_found, cells, change, drop
from tests.conftest import (
    OUTPUT,
    PANOPTIC,
    SAMPLE,
    Capture,
    Change,
    Coco,
    WriteMap,
    convert,
    load,
    save_map,
    street,
    touch,
    write_json,
)

# Images and frames.


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
    report = verify_file(write_json(datadir / "file.json", coco), datadir)
    assert report.faults == faults and not report.imageless


def test_frames_that_the_file_says_were_skipped_are_no_fault(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map(street())
    write_map(street(), name=OTHER).write_bytes(b"")
    convert(datadir, "--skip-bad", "--verify")
    assert "skipped when the file was made: 1 frames" in capsys.readouterr().out


def lose_image(coco: Coco) -> None:
    del coco["images"][1]
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]


def swap_photographs(coco: Coco) -> None:
    first, second = coco["images"]
    first["file_name"], second["file_name"] = second["file_name"], first["file_name"]


DAMAGES: Damages = {
    f"{OTHER}_gtFine_instanceIds.png": ("map without an image 1", lose_image),
    "no other.png": (
        "image without a map 1, map without an image 1",
        change("images", 0, seg_file_name="other.png"),
    ),
    f"{NAME}_leftImg8bit.png, the map is {OTHER}_gtFine_instanceIds.png": (
        "photograph of another frame 2",
        swap_photographs,
    ),
}


@pytest.mark.parametrize("culprit", DAMAGES)
def test_images_without_their_frame_and_frames_without_their_image_are_named(
    culprit: str, spoil: Spoil
) -> None:
    faults, damage = DAMAGES[culprit]
    assert_found(spoil(damage), faults, culprit)


def test_a_pattern_longer_than_any_name_hides_no_image(spoil: Spoil, datadir: Path) -> None:
    """Such a pattern is foreign, and may take hours to match."""
    for name in NAME, OTHER:
        touch(datadir / f"leftImg8bit/train/aachen/{name}_leftImg8bit.png")
    spoil(change("info", "options", images=["x" * 256]))
    assert spoil(lose_image).faults == {"map without an image": 1}


def test_each_photograph_of_a_frame_is_missed_and_its_size_compared(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map(street())
    for beta, size in ("0.01", (24, 16)), ("0.02", (16, 24)):
        path = datadir / f"leftImg8bit_foggy/train/aachen/{NAME}_leftImg8bit_foggy_beta_{beta}.png"
        touch(path)
        Image.new("RGB", size).save(path)
    assert main.main(["--datadir", str(datadir), "--images", "leftImg8bit_foggy"]) == 0
    [file] = (datadir / "annotations").iterdir()
    coco = load(file)
    other_size = {
        "photograph of another size than its map": [f"{path}: 16 x 24, the map has 24 x 16"]
    }
    for rename in change(), name_as_windows_does:
        rename(coco)
        report = verify_file(write_json(file, coco), datadir)
        assert report.culprits == other_size and report.exit_code == 0
    lose_image(coco)
    report = verify_file(write_json(file, coco), datadir)
    assert report.faults == {"map without all its images": 1} and report.exit_code == 1


def use_numbers(coco: Coco) -> None:
    numbers = {image["id"]: number for number, image in enumerate(coco["images"])}
    for image in coco["images"]:
        image["id"] = numbers[image["id"]]
    for annotation in coco["annotations"]:
        annotation["image_id"] = numbers[annotation["image_id"]]


def leave_out_what_the_official_tool_lacks(coco: Coco) -> None:
    del coco["info"], coco["licenses"]
    for image in coco["images"]:
        image["file_name"] = f"{image['id']}_gtFine_leftImg8bit.png"
    coco["annotations"].reverse()


def swap_segments(coco: Coco) -> None:
    """The maps are alike, so that nothing but the names tells which segments are of which."""
    first, second = coco["annotations"]
    first["image_id"], second["image_id"] = second["image_id"], first["image_id"]


@pytest.mark.parametrize("change", [use_numbers, leave_out_what_the_official_tool_lacks])
def test_panoptic_files_of_other_tools_are_understood(change: Change, spoil: Spoil) -> None:
    assert not spoil(change, PANOPTIC).faults
    assert spoil(swap_segments, PANOPTIC).faults == {"photograph of another frame": 2}


def test_a_png_file_elsewhere_is_no_png_file(spoil: Spoil) -> None:
    report = spoil(change(file_name="../elsewhere.png"), PANOPTIC)
    assert_found(report, "image without a map 1, map without an image 1", "no elsewhere.png")


def test_only_the_first_culprits_are_named_and_the_others_counted(spoil: Spoil) -> None:
    def enlarge(coco: Coco) -> None:
        for annotation in coco["annotations"]:
            annotation["area"] += 1

    report = spoil(enlarge)
    assert report.faults == {"wrong area": 8} and len(report.culprits["wrong area"]) == 3
    assert "and 5 more" in describe_check(report)


def test_the_mean_iou_is_of_the_inexact(spoil: Spoil) -> None:
    """Half of one person is there, and all of the other."""
    report = spoil(change(segmentation=[[16, 1, 19, 1, 19, 7, 16, 7]]))
    assert ["person", "2", "1", "1", "0.5000", "0", "0"] in map(
        str.split, describe_check(report).splitlines()
    )


# How it is called: the verdict, and what spoils the file of train and that of val.
VERDICTS: dict[int, tuple[str, Change, Change]] = {
    0: ("all exact", change(), change()),
    1: ("not exact", drop("annotations", 0), drop("info")),
    3: ("all that is there is exact; fields are missing or wrong", drop("licenses"), change()),
}


@pytest.mark.parametrize("code", VERDICTS)
def test_both_programs_end_with_the_verdict_and_its_exit_code(
    code: int, datadir: Path, write_map: WriteMap, monkeypatch: pytest.MonkeyPatch, capsys: Capture
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
        assert main.main(["--datadir", str(datadir), "--workers", "2", "--verify"]) == code
    out = capsys.readouterr().out
    assert out.count("held against its maps (1)") == 2 and f"  {verdict}\n" in out
    assert inspect_coco.main(["--coco_dir", str(datadir), "--verify"]) == code
    assert capsys.readouterr().out.endswith(f"  {verdict}\n")


def test_both_programs_check_panoptic_files(
    annotations: Path, datadir: Path, capsys: Capture
) -> None:
    assert inspect_coco.main(["--coco_dir", str(datadir), "--panoptic", "--verify"]) == 0
    assert f"{annotations / PANOPTIC}, held against its maps (2)" in capsys.readouterr().out
    assert main.main(["--datadir", str(datadir), "--panoptic", "--verify", "--workers", "2"]) == 0
    assert capsys.readouterr().out.count("\n  all exact\n") == 2


def test_a_folder_without_the_maps_is_named(
    annotations: Path, tmp_path: Path, capsys: Capture
) -> None:
    path, empty = annotations / OUTPUT, tmp_path / "empty"
    empty.mkdir()
    for folder, says in (
        (SAMPLE, f"has no map of the 2 images in {path}; expected"),
        (empty, "no gtFine folder in it; found"),
    ):
        assert inspect_coco.main(["--coco_dir", str(folder), "--coco", str(path), "--verify"]) == 1
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
