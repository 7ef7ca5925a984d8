"""Panoptic files are whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from main import main
from tests.conftest import (
    PANOPTIC,
    STREET,
    Capture,
    WriteMap,
    convert,
    load,
    posix_only,
    read_folder,
    touch,
)

NAME = "aachen_000000_000019"
FOLDER = PANOPTIC.removesuffix(".json")


@pytest.fixture
def earlier(datadir: Path, write_map: WriteMap) -> dict[str, bytes]:
    """A folder of earlier output, of one map that is another one now."""
    write_map([[26000, 7]])
    convert(datadir, "--panoptic")
    write_map()
    return read_folder(datadir / "annotations")


def test_a_later_run_replaces_both(datadir: Path, earlier: dict[str, bytes]) -> None:
    touch(datadir / "annotations" / FOLDER / "b_gtFine_panoptic.png")
    convert(datadir, "--panoptic", "--verify")
    later = read_folder(datadir / "annotations")
    assert set(later) == set(earlier)
    assert all(later[name] != earlier[name] for name in earlier)


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_bad_map_the_earlier_files_are_there_and_nothing_else(
    workers: int, datadir: Path, earlier: dict[str, bytes], write_map: WriteMap, capsys: Capture
) -> None:
    write_map([[999]], name="b_000000_000000")
    argv = ["--datadir", str(datadir), "--workers", str(workers), "--panoptic"]
    assert main(argv) == 1
    assert read_folder(datadir / "annotations") == earlier
    assert main([*argv, "--skip-bad", "--verify"]) == 0
    coco = load(datadir / "annotations" / PANOPTIC)
    assert [image["id"] for image in coco["images"]] == [NAME]
    assert coco["info"]["skipped"] == ["b_000000_000000_gtFine_instanceIds.png"]


CARS = [[26000 + number for number in range(40)]]  # the file of instances is the largest


@posix_only
@pytest.mark.parametrize(
    ("most", "values"),
    [*((most, STREET) for most in (100, 900, 1500, 2200)), (6000, CARS)],
)
def test_on_a_disk_that_takes_no_more_the_earlier_files_stay(
    most: int,
    values: object,
    datadir: Path,
    earlier: dict[str, bytes],
    write_map: WriteMap,
    capsys: Capture,
) -> None:
    """Wherever the writing breaks off, one line names the file."""
    import resource

    write_map(values)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        code = main(["--datadir", str(datadir), "--workers", "1", "--panoptic"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    line = capsys.readouterr().err.splitlines()[-1]
    assert code == 1 and "cannot be written: File too large; choose a folder" in line
    assert line.startswith(f"error: {datadir / 'annotations'}{os.sep}")
    assert read_folder(datadir / "annotations") == earlier


def put_a_file(folder: Path) -> None:
    touch(folder)


def put_a_note_into_it(folder: Path) -> None:
    touch(folder / "notes.txt")


def put_a_folder_into_it(folder: Path) -> None:
    (folder / "more").mkdir(parents=True)


def put_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(parents=True)
    folder.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("put", "says"),
    [
        (put_a_file, "not a folder"),
        (put_a_link, "not a folder"),
        (put_a_folder_into_it, "holds more than panoptic maps: more; move it away, or"),
        (put_a_note_into_it, "holds more than panoptic maps: notes.txt; move it away, or"),
    ],
)
def test_what_is_no_folder_of_panoptic_maps_is_not_replaced(
    put: Callable[[Path], None], says: str, datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map()
    outdir = datadir / "annotations"
    put(outdir / FOLDER)
    before = sorted(outdir.rglob("*"))
    assert main(["--datadir", str(datadir), "--workers", "1", "--panoptic"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: {outdir / FOLDER}: ") and says in line
    assert sorted(outdir.rglob("*")) == before


def test_what_the_system_puts_into_the_folder_is_replaced(
    datadir: Path, earlier: dict[str, bytes]
) -> None:
    touch(datadir / "annotations" / FOLDER / ".DS_Store")
    touch(datadir / "annotations" / FOLDER / "Thumbs.db")
    convert(datadir, "--panoptic")
    assert set(read_folder(datadir / "annotations")) == set(earlier)
