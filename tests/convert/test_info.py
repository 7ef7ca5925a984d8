"""What `info` says, and what is said of an earlier file that is replaced."""

from pathlib import Path

import pytest

import inspect_coco
from tests.conftest import Capture, convert
from tests.files import OUTPUT, PANOPTIC, load, write_json


@pytest.mark.parametrize("name", [OUTPUT, PANOPTIC])
def test_each_file_states_its_split_unless_it_is_old(name: str, frame: Path) -> None:
    convert(frame, "--panoptic")
    path = frame / "annotations" / name
    coco = load(path)
    assert coco["info"].pop("split") == "train"
    write_json(path, coco)
    assert inspect_coco.main(["--coco_dir", str(frame), "--coco", str(path), "--verify"]) == 0


def test_a_file_of_other_options_is_overwritten_with_a_word(frame: Path, capsys: Capture) -> None:
    path = frame / "annotations" / OUTPUT

    def news(*options: str) -> list[str]:
        capsys.readouterr()
        convert(frame, *options)
        return [line for line in capsys.readouterr().err.splitlines() if "not here" not in line]

    assert news("--categories", "car") == []
    assert news("--categories", "car", "--skip-bad") == []
    [line] = news()
    told = "will be overwritten; it was made with other options:"
    assert line == f'{path}: {told} categories ["car"]'
    assert len(load(path)["categories"]) == 8
    [line] = news("--crowd", "keep", "--min-area", "3")
    assert line.endswith('it was made with other options: crowd "drop", min_area 0')


def test_options_that_only_one_version_has_are_no_difference(frame: Path, capsys: Capture) -> None:
    path = frame / "annotations" / OUTPUT
    coco = convert(frame)
    del coco["info"]["options"]["empty_frames"]
    coco["info"]["options"]["of_another_version"] = 1
    write_json(path, coco)
    capsys.readouterr()
    convert(frame)
    assert "overwritten" not in capsys.readouterr().err


def test_a_foreign_file_is_overwritten(frame: Path, capsys: Capture) -> None:
    path = frame / "annotations" / OUTPUT
    path.parent.mkdir()
    for content in b"", b"\xff", b'{"images": []}', b'{"info":{"options":[1':
        path.write_bytes(content)
        convert(frame)
        told = f"{path}: will be overwritten; it was made by another program"
        assert told in capsys.readouterr().err


def test_options_that_count_for_panoptic_files_are_named(frame: Path, capsys: Capture) -> None:
    convert(frame, "--panoptic")
    capsys.readouterr()
    convert(frame, "--panoptic", "--file-names", "base", "--min-area", "7")
    told = [line for line in capsys.readouterr().err.splitlines() if PANOPTIC in line]
    assert len(told) == 1 and told[0].endswith('with other options: file_names "datadir"')
