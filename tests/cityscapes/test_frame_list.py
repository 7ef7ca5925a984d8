"""A part of a split, named by a list of frames."""

import hashlib
from pathlib import Path

import pytest

from main import main
from tests.conftest import OUTPUT, Capture, Coco, WriteMap, convert, load, verify

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


@pytest.mark.parametrize(
    "line",
    [
        "{0}",
        "  {0}  ",
        "{0}_leftImg8bit",
        "{0}_leftImg8bit.png",
        "{0}_gtFine_labelIds.png",
        "{0}.jpg",
        "ulm/{0}_leftImg8bit.png",
        "leftImg8bit/train/ulm/{0}_leftImg8bit.png",
        "/data/my cityscapes/leftImg8bit/train/ulm/{0}_leftImg8bit.png",
        "train\\ulm\\{0}_leftImg8bit.png",
        "leftImg8bit/train/ulm/{0}_leftImg8bit.png gtFine/train/ulm/{0}_gtFine_labelIds.png",
        "/leftImg8bit/train/ulm/{0}_leftImg8bit.png\t/gtFine/train/ulm/{0}_gtFine_labelTrainIds.png",
        "ulm/{0}.png,ulm/{0}.png",
    ],
)
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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ulm_000009_000019", "line 2: no frame of train or val: ulm_000009_000019"),
        ("ulm_0000000000019", "line 2: no frame of train or val: ulm_0000000000019"),
        (f"bonn/{NAMES[1]}.png", "line 2: no frame of train or val: bonn/"),
        (f"val/ulm/{NAMES[1]}.png", "line 2: no frame of train or val: val/ulm"),
        (f"{NAMES[1]}.png {NAMES[2]}.png", "line 2: no frame of train or val: "),
        (f"ulm/{NAMES[1]}.png ulm/{NAMES[2]}.png", "line 2: no frame of train or val: "),
        (f"ulm/ulm_9.png ulm/{NAMES[2]}.png", "line 2: no frame of train or val: "),
        (f"{NAMES[1]} {NAMES[2]}", "line 2: no frame of train or val: "),
    ],
)
def test_a_line_that_is_no_frame_is_an_error_and_nothing_is_written(
    line: str, says: str, data: Path, capsys: Capture
) -> None:
    path = write_list(data, NAMES[0], line, "nor this")
    assert main(["--datadir", str(data), "--workers", "1", "--frames", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {path}: {says}") and not (data / "annotations").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\n\n", "names no frame"), (b"\xff\xfe", "not a text file"), (b"", "empty")],
)
def test_a_list_without_names_is_an_error(
    content: bytes, says: str, data: Path, capsys: Capture
) -> None:
    path = data.parent / "list.txt"
    path.write_bytes(content)
    assert main(["--datadir", str(data), "--workers", "1", "--frames", str(path)]) == 1
    assert says in capsys.readouterr().err


def test_a_split_without_a_listed_frame_is_not_written_and_it_says_so(
    data: Path, capsys: Capture
) -> None:
    path = write_list(data, NAMES[0])
    convert(data, "--frames", path)
    assert f"{path}: names no frame of val, so val is not written" in capsys.readouterr().err
    assert [file.name for file in (data / "annotations").iterdir()] == [OUTPUT]


def test_photographs_of_frames_that_are_not_listed_are_not_without_a_map(
    data: Path, capsys: Capture
) -> None:
    for name in NAMES:
        photograph = data / "leftImg8bit" / "train" / "ulm" / f"{name}_leftImg8bit.png"
        photograph.parent.mkdir(parents=True, exist_ok=True)
        photograph.touch()
    convert(data, "--frames", write_list(data, NAMES[0]), "--splits", "train")
    assert capsys.readouterr().err == ""


def test_the_check_compares_the_number_of_frames(data: Path, capsys: Capture) -> None:
    coco = convert(data, "--frames", write_list(data, *NAMES[:2]))
    assert verify(data, coco) == 0
    coco["images"].pop()
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] == 1]
    assert verify(data, coco) == 1
    assert "frames of the list: 1\n    2 in info, 1 in the file" in capsys.readouterr().out


def test_a_whole_split_in_the_place_of_a_part_is_told_and_the_other_way_round(
    data: Path, capsys: Capture
) -> None:
    path = write_list(data, *NAMES[:2])
    convert(data, "--frames", path)
    for options, says in ([], 'frames {"number": 2, '), (["--frames", path], "frames null"):
        capsys.readouterr()
        convert(data, *options)
        err = capsys.readouterr().err
        assert "it was made with other options: " in err and says in err
    capsys.readouterr()
    convert(data, "--frames", path)
    assert "other options" not in capsys.readouterr().err
