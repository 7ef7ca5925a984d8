"""The folder of the maps, and the data folder around it, where people have them."""

import shutil
from pathlib import Path

import pytest

from cityscapes_coco import UserError, find_dataset
from main import main
from tests.cityscapes.conftest import CLEAR, MAP, build, convert, convert_splits
from tests.conftest import fail, posix_only
from tests.files import OUTPUT


@pytest.fixture
def frame(datadir: Path) -> Path:
    return build(datadir, MAP, CLEAR)


def move_into_archives(datadir: Path) -> None:
    for name in "gtFine", "leftImg8bit":
        (datadir / f"{name}_trainvaltest").mkdir()
        (datadir / name).rename(datadir / f"{name}_trainvaltest" / name)


def test_the_current_folder_may_be_the_one(frame: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for current in "gtFine", "gtFine/train", "leftImg8bit":
        monkeypatch.chdir(frame / current)
        for given in ".", "..":
            assert main(["--datadir", given]) == 0
        assert (frame / "annotations" / OUTPUT).is_file()
        shutil.rmtree(frame / "annotations")


@posix_only
def test_links_are_followed(frame: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (tmp_path / "data").symlink_to(frame)
    for name in "gtFine", "leftImg8bit":
        (linked / name).symlink_to(frame / name)
    (tmp_path / "anything").symlink_to(frame / "gtFine")
    (frame / "gtFine" / "train" / "notes").symlink_to(__file__)
    expected = convert(frame)
    for given in linked, tmp_path / "data", tmp_path / "anything":
        assert convert(given) == expected
    assert find_dataset(tmp_path / "anything").folder == frame
    (linked / "leftImg8bit").unlink()
    (linked / "leftImg8bit").symlink_to(tmp_path / "out")
    assert find_dataset(linked / "leftImg8bit").folder == linked
    # Two ways to one folder are no choice.
    move_into_archives(frame)
    (frame / "gtFine_link").symlink_to(frame / "gtFine_trainvaltest")
    assert list(convert_splits(frame)) == ["gtFine_train"]


@pytest.mark.parametrize("other", ["gtFine_other/gtFine", "berlin/gtFine"])
def test_where_there_is_a_choice_it_is_listed(other: str, frame: Path) -> None:
    move_into_archives(frame)
    shutil.copytree(frame / "gtFine_trainvaltest/gtFine", frame / other)
    [line] = fail(main, "--datadir", frame).splitlines()
    assert line.startswith(f"error: {frame}: several folders gtFine could be meant: ")
    assert str(frame / other) in line and str(frame / "gtFine_trainvaltest/gtFine") in line
    for asked_for in (frame / other).parent, frame / other:
        assert main(["--datadir", str(asked_for)]) == 0


def test_the_folder_that_was_meant_wins_over_all_others(frame: Path) -> None:
    shutil.copytree(frame / "gtFine", frame / "berlin/gtFine")
    shutil.copytree(frame / "gtFine", frame.parent / "gtFine")
    assert main(["--datadir", str(frame)]) == 0
    assert (frame / "annotations").is_dir()


def test_a_whole_archive_is_the_data_folder(datadir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = datadir / "gtFine_trainvaltest"
    build(archive, MAP)
    monkeypatch.chdir(archive)
    for given in archive / "gtFine", Path("gtFine"):
        assert find_dataset(given).folder == datadir
    build(archive, CLEAR)
    assert find_dataset(archive / "gtFine").folder == archive


def test_another_dataset_is_not_listed_to_its_end(datadir: Path, listed: list[str]) -> None:
    for number in range(1200):
        build(datadir, f"imagenet/train/n{number}/x")
    with pytest.raises(UserError, match=r"no gtFine folder in it; found imagenet"):
        find_dataset(datadir)
    assert len(listed) < 1100
