"""A split as a whole: maps of another encoding, empty frames, and what stands in the place of a
file; said by the converter and by the check alike."""

from pathlib import Path

import numpy as np
import pytest

import inspect_coco
from main import main
from tests.conftest import Capture, WriteMap, fail, run, verify
from tests.conftest import convert as convert_only
from tests.conftest import convert_and_verify as convert
from tests.files import OUTPUT, PANOPTIC, load

NAME = "aachen_000001_000019"
TRAIN_IDS = [[11000, 12000], [13000, 13001]]
NEVER = "that Cityscapes never writes: 1"


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("values", [(11000, 12000, 13000, 13001), (26 * 256 + 1, 26 * 256 + 2)])
def test_a_split_in_another_encoding_is_refused_with_the_remedy(
    values: tuple[int, ...], split: str, datadir: Path, write_map: WriteMap
) -> None:
    path = datadir / "annotations" / OUTPUT.replace("train", split)
    write_map(np.full((1, len(values)), 7), split)
    assert main(["--datadir", str(datadir)]) == 0
    earlier = path.read_bytes()
    write_map([values], split)
    _, line = fail(main, "--datadir", datadir).splitlines()
    assert line.startswith(f"error: {datadir / 'gtFine' / split}: no map has an instance; ")
    for part in str(values), "train ids", "simulator", "KITTI", "resized", "_instanceIds.png":
        assert part in line
    assert path.read_bytes() == earlier
    argv = "--coco_dir", datadir, "--split", split, "--verify"
    code, out, _ = run(inspect_coco.main, *argv)
    assert code == 1 and "maps without any instance: 1\n" in out
    assert f"map with values {NEVER}\n" in out


def test_a_frame_of_train_ids_is_named(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map()
    name = write_map(TRAIN_IDS, name=NAME).name
    coco = convert_only(datadir, "--verify")
    out, err = capsys.readouterr()
    warning = f"maps with values {NEVER} (11000, 12000, 13000, 13001), such as {name}; likely train"
    assert f"{datadir / 'gtFine' / 'train'}: {warning}" in err
    assert f"  maps with values {NEVER}\n" in out and coco["info"]["foreign"] == [name]
    assert f"  map with values {NEVER}\n    {NAME}: 11000, 12000, 13000, 13001\n" in out
    assert out.endswith("  all exact\n")


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_without_instances_is_noted(split: str, datadir: Path, write_map: WriteMap) -> None:
    """Each is checked, as the dummy maps of the real test split."""
    write_map([[1, 2, 3]], split)
    for options in [], ["--empty-frames", "drop"]:
        code, out, err = run(main, "--datadir", datadir, "--verify", *options)
        assert code == 0 and out.endswith("  all exact\n") and out.count("its maps (1)") == 1
        told = "no map has an instance of any class; are these the instanceIds maps?"
        assert (told in err) == ("maps without any instance" in out) == (split == "train")


# As in ApolloScape, where 33 is a car and 36 a person.
OTHER_TABLE = [[33000, 33001, 36000], [7, 40, 36]]


def test_labels_of_another_table_are_not_to_be_skipped(datadir: Path, write_map: WriteMap) -> None:
    write_map()
    write_map(OTHER_TABLE, name=NAME)
    for option in [], ["--skip-bad"]:
        err = fail(main, "--datadir", datadir, *option)
        [error] = [line for line in err.splitlines() if line.startswith("error: ")]
        assert "does not have, in 1 of 2 maps (36, 40, 36000), such as " + NAME in error
        for part in "ApolloScape", "KITTI-360", "255", "--unknown-labels void":
            assert part in error
        assert "skip" not in err and "cannot be read" not in err
    assert not (datadir / "annotations" / OUTPUT).exists()


def test_unknown_labels_can_be_void(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    """KITTI-360 tells buildings apart, 11001, and has labels of its own, 37; 255 is void."""
    values = [[26000, 26000, 11001, 37], [24001, 255, 65535, 11]]
    name = write_map(values).name
    coco = convert(datadir, "--unknown-labels", "void", "--panoptic")
    out, err = capsys.readouterr()
    assert [a["map_value"] for a in coco["annotations"]] == [24001, 26000]
    assert coco["info"]["options"]["unknown_labels"] == "void"
    assert coco["info"]["unknown"] == coco["info"]["foreign"] == [name]
    assert "  maps with unknown labels, read as void: 1\n" in out
    assert out.count("all exact") == 3 and "never writes" not in err
    panoptic = load(datadir / "annotations" / PANOPTIC)
    [annotation] = panoptic["annotations"]
    assert [segment["id"] for segment in annotation["segments_info"]] == [11, 24001, 26000]
    # Read as a file without the option, the check says so.
    del coco["info"]["options"]["unknown_labels"]
    verify(datadir, coco)
    assert f"map with values {NEVER}\n" in capsys.readouterr().out


def test_a_full_class_makes_a_bad_map(datadir: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map()
    coco = convert_only(datadir)
    write_map(np.arange(24000, 25001).reshape(7, 143))
    assert "holds all 1,000 numbers of person" in fail(main, "--datadir", datadir)
    assert verify(datadir, coco) == 1
    assert "map with all 1,000 numbers of a class: 1" in capsys.readouterr().out


PAGE = "a web page, perhaps of a login, not the"
INSTEAD = {
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": "a pointer of Git LFS, not",
    b"\n<!DOCTYPE html>\n<title>Login</title>": PAGE,
    b"<html><body>404": PAGE,
    b"": "an empty file; get it again",
}


@pytest.mark.parametrize("content", INSTEAD)
def test_what_is_no_map_at_all_is_told(content: bytes, datadir: Path, write_map: WriteMap) -> None:
    path = write_map()
    path.write_bytes(content)
    _, line, _ = fail(main, "--datadir", datadir).splitlines()
    assert line.startswith(f"{path}: {INSTEAD[content]}")
    err = fail(inspect_coco.main, "--coco_dir", datadir, "--coco", path)
    assert err.startswith(f"error: {path}: {INSTEAD[content]}")


NOBODY = [[26000, 25], [7, 7]]


@pytest.fixture
def some_empty(datadir: Path, write_map: WriteMap) -> Path:
    """Four frames: a person; none but a car and a group of riders; nothing; a rider."""
    for number, values in enumerate([[[24000]], NOBODY, [[7]], [[25000]]]):
        write_map(values, name=f"a_{number:06d}_000019")
    return datadir


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ([], [0, 1, 3]),
        (["--categories", "person"], [0]),
        (["--categories", "p=person+rider"], [0, 3]),
        (["--categories", "p=person+rider", "--crowd", "keep"], [0, 1, 3]),
        (["--min-area", "2"], []),
        (["--segmentation", "none", "--categories", "car"], [1]),
    ],
)
def test_frames_without_an_annotation_are_left_out_and_counted(
    options: list[str], kept: list[int], some_empty: Path, capsys: Capture
) -> None:

    def counts() -> list[str]:
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if "left out, " in line and "frames" not in line]

    assert len(convert(some_empty, *options)["images"]) == 4
    all_counts = counts()
    coco = convert(some_empty, "--empty-frames", "drop", *options)
    names = [image["seg_file_name"][:8] for image in coco["images"]]
    assert names == [f"a_{number:06d}" for number in kept]
    assert [image["id"] for image in coco["images"]] == [*range(1, len(kept) + 1)]
    assert {a["image_id"] for a in coco["annotations"]} == {*range(1, len(kept) + 1)}
    assert coco["info"]["options"]["empty_frames"] == "drop"
    out, err = capsys.readouterr()
    assert f"left out, frames without an instance of these classes: {4 - len(kept)}\n" in out
    assert all(line in out for line in all_counts) and all_counts
    assert ("holds no image, as --empty-frames drop leaves out all" in err) == (not kept)


def test_the_check_holds_dropped_frames_to_be_empty(some_empty: Path, capsys: Capture) -> None:
    coco = convert(some_empty, "--empty-frames", "drop", "--categories", "person", "rider")
    coco["images"].pop()
    coco["annotations"].pop()
    assert verify(some_empty, coco) == 1
    assert "a_000003_000019: rider 25000, 1 pixels" in capsys.readouterr().out
    coco["info"]["options"]["empty_frames"] = "keep"
    assert verify(some_empty, coco) == 1
    assert "map without an image: 3" in capsys.readouterr().out


def test_skipped_frames_are_told(some_empty: Path, write_map: WriteMap, capsys: Capture) -> None:
    write_map(name="a_000000_000019").write_bytes(b"")
    convert(some_empty, "--empty-frames", "drop", "--skip-bad")
    out = capsys.readouterr().out
    assert "left out, frames whose map cannot be read: 1" in out
    assert "skipped when the file was made: 1 frames" in out
    # Even if nothing is left: the split could be read.
    options = ["--empty-frames", "drop", "--skip-bad", "--categories", "bus"]
    assert convert(some_empty, *options)["images"] == []


def test_skip_bad_needs_a_good_map(datadir: Path, write_map: WriteMap) -> None:
    write_map().write_bytes(b"")
    *_, line = fail(main, "--datadir", datadir, "--skip-bad").splitlines()
    assert line.endswith("1 of 1 maps cannot be read, so no file is written; mend them")
