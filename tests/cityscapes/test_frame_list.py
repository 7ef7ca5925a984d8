"""A part of a split, named by a list of frames."""

import hashlib
from pathlib import Path

import pytest

from main import main
from tests.conftest import Capture, Coco, WriteMap, convert, fail, verify
from tests.files import OUTPUT, load, touch

NAMES = [f"ulm_{number:06d}_000019" for number in range(4)]


@pytest.fixture
def data(datadir: Path, write_map: WriteMap) -> Path:
    for name in NAMES:
        write_map(name=name)
    write_map(split="val", name="bonn_000000_000019")
    return datadir


def write_list(data: Path, *lines: str, end: str = "\n") -> Path:
    path = data.parent / "list.txt"
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def shown(coco: Coco) -> list[str]:
    return [image["seg_file_name"].partition("_gtFine")[0] for image in coco["images"]]


LINES = [
    *("{0}", "  {0}  ", "{0}_leftImg8bit", "{0}_leftImg8bit.png", "{0}_gtFine_labelIds.png"),
    *("{0}.jpg", "ulm/{0}_leftImg8bit.png", "leftImg8bit/train/ulm/{0}_leftImg8bit.png"),
    "/data/my cityscapes/leftImg8bit/train/ulm/{0}_leftImg8bit.png",
    *("train\\ulm\\{0}_leftImg8bit.png", "ulm/{0}.png,ulm/{0}.png"),
    "leftImg8bit/train/ulm/{0}_leftImg8bit.png gtFine/train/ulm/{0}_gtFine_labelIds.png",
    "/leftImg8bit/train/ulm/{0}_leftImg8bit.png\t/gtFine/train/ulm/{0}_gtFine_labelTrainIds.png",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_names_a_frame_by_any_of_its_files(line: str, end: str, data: Path) -> None:
    path = write_list(data, line.format(NAMES[2]), "", line.format(NAMES[0]), end=end)
    coco = convert(data, "--frames", path)
    assert shown(coco) == [NAMES[0], NAMES[2]]


def test_the_file_says_how_many_frames_were_listed_and_names_no_path(data: Path) -> None:
    whole = convert(data)
    assert "frames" not in whole["info"]["options"]
    path = write_list(data, NAMES[3], NAMES[1])
    coco = convert(data, "--frames", path, "--verify", "--panoptic")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert coco["info"]["options"]["frames"] == {"number": 2, "sha256": sha256}
    assert str(data.parent) not in (data / "annotations" / OUTPUT).read_text()
    panoptic = load(data / "annotations" / "cityscapes_panoptic_train.json")
    assert panoptic["info"]["options"]["frames"] == {"number": 2, "sha256": sha256}
    # Apart from the ids, these are records of the whole file.
    assert [a["segmentation"] for a in coco["annotations"]] == [
        a["segmentation"] for a in whole["annotations"][2:4] + whole["annotations"][6:]
    ]


NO_FRAME = "line 2: no frame of train or val: "
BAD_LISTS = {
    f"{NAMES[0]}\n{line}\nnor this": NO_FRAME + line[:10]
    for line in (
        *("ulm_000009_000019", "ulm_0000000000019", f"bonn/{NAMES[1]}.png", f"val/ulm/{NAMES[1]}"),
        *(f"{NAMES[1]}.png {NAMES[2]}.png", f"ulm/{NAMES[1]}.png ulm/{NAMES[2]}.png"),
        *(f"ulm/ulm_9.png ulm/{NAMES[2]}.png", f"{NAMES[1]} {NAMES[2]}"),
    )
}
BAD_LISTS |= {"\n\n": "names no frame", "\udcff\udcfe": "not a text file", "": "empty"}


@pytest.mark.parametrize("content", BAD_LISTS)
def test_a_line_that_is_no_frame_is_an_error(content: str, data: Path) -> None:
    path = data.parent / "list.txt"
    path.write_bytes(content.encode(errors="surrogateescape"))
    err = fail(main, "--datadir", data, "--frames", path)
    assert err.startswith(f"error: {path}: ") and BAD_LISTS[content] in err
    assert not (data / "annotations").exists()


def test_a_split_without_a_listed_frame_is_not_written(data: Path, capsys: Capture) -> None:
    path = write_list(data, NAMES[0])
    convert(data, "--frames", path)
    assert f"{path}: names no frame of val, so val is not written" in capsys.readouterr().err
    assert [file.name for file in (data / "annotations").iterdir()] == [OUTPUT]


def test_photographs_of_other_frames_are_not_without_a_map(data: Path, capsys: Capture) -> None:
    for name in NAMES:
        touch(data / f"leftImg8bit/train/ulm/{name}_leftImg8bit.png")
    convert(data, "--frames", write_list(data, NAMES[0]), "--splits", "train")
    assert capsys.readouterr().err == ""


def test_the_check_compares_the_number_of_frames(data: Path, capsys: Capture) -> None:
    coco = convert(data, "--frames", write_list(data, *NAMES[:2]))
    assert verify(data, coco) == 0
    coco["images"].pop()
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]
    assert verify(data, coco) == 1
    assert "frames of the list: 1\n    2 in info, 1 in the file" in capsys.readouterr().out


def test_a_split_in_place_of_a_part_is_told_and_vice_versa(data: Path, capsys: Capture) -> None:
    of_part = ["--frames", write_list(data, *NAMES[:2])]
    told = "it was made with other options: "
    for options, says in (of_part, ""), ([], 'frames {"number": 2, '), (of_part, "frames null"):
        convert(data, *options)
        err = capsys.readouterr().err
        assert told in err and says in err if says else told not in err
    convert(data, *of_part)
    assert told not in capsys.readouterr().err
