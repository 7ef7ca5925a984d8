"""What docs/errors.md promises when something is wrong: each fault is made for real.

A fault in the data is one line on standard error and exit code 1; the earlier file stays as it was,
and nothing else is left in the folder.
"""

import os
import shutil
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest

# Imported late, these could not be read as another user.
import cityscapes_coco.check.verify
import cityscapes_coco.run.workers  # noqa: F401
from cityscapes_coco.errors import one_line
from main import main
from tests.conftest import STREET, WriteMap, convert, fail, on_posix, posix_only, run, run_script
from tests.damage import Chunk, encode_png, join_chunks
from tests.files import OUTPUT, load
from tests.oracle import check_exact, read_maps

NOBODY = 65534

Spoil = Callable[[Path], object]


HEADER, PIXELS, END = encode_png(np.array(STREET))


def write(*chunks: Chunk) -> Spoil:
    return lambda path: path.write_bytes(join_chunks(chunks))


def write_array(values: object, dtype: type, suffix: str = ".png") -> Spoil:
    def write(path: Path) -> None:
        path.write_bytes(cv2.imencode(suffix, np.array(values, dtype))[1].tobytes())

    return write


def instead(make: Spoil) -> Spoil:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def rename_to_bytes(path: Path) -> None:
    path.rename(os.fsdecode(os.fsencode(path).replace(b"a_000001", b"a_\xff\xfe")))


BAD_MAPS: dict[str, Spoil] = {
    "damaged PNG": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    # A chunk that steers a terminal.
    "without a": write(HEADER, (b"a\x1b[m", b""), PIXELS, END),
    "not a PNG": write_array([[7] * 8] * 8, np.uint8, ".jpg"),
    "1 channel(s) of 8 bits": write_array([[7]], np.uint8),
    "3 channel(s) of 16 bits": write_array([[[7, 7, 7]]], np.uint16),
    "cannot be read: ": instead(Path.mkdir),
}
# What Windows does not have.
BAD_POSIX_MAPS: dict[str, Spoil] = {
    "No such file": instead(lambda path: path.symlink_to("nowhere")),
    "Too many levels": instead(lambda path: path.symlink_to(path)),
    "cannot be read: not a file": instead(lambda path: os.mkfifo(path)),
    "not a file": instead(lambda path: path.symlink_to("/dev/zero")),
    "cannot be read: Permission denied": lambda path: path.chmod(0),
    "its name is not valid UTF-8": rename_to_bytes,
}


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that every user may enter; pytest closes its own whenever it starts."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the powers of root, to whom everything is permitted."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("says", [*BAD_MAPS, *on_posix(BAD_POSIX_MAPS)])
def test_a_bad_map_fails_its_split(says: str, datadir: Path, write_map: WriteMap) -> None:
    good = write_map(name="a_000000_000000")
    bad = write_map(name="a_000001_000000")
    outdir = datadir / "annotations"
    convert(datadir)
    old = (outdir / OUTPUT).read_bytes()
    outdir.chmod(0o777)
    (outdir / OUTPUT).chmod(0o666)
    (BAD_MAPS | BAD_POSIX_MAPS)[says](bad)
    [bad] = set(good.parent.iterdir()) - {good}

    with as_nobody():
        code, out, err = run(main, "--datadir", datadir)
    warning, line, error = err.splitlines()
    assert code == 1 and out == "" and "maps whose image is not here: 2" in warning
    line, told, end = line.rpartition("; train will not be written")
    assert line.startswith(f"{one_line(bad)}: ") and says in line and line.isprintable()
    assert told and end == ""
    assert error.startswith(f"error: {bad.parents[1]}: 1 of 2 maps cannot be read")
    assert (outdir / OUTPUT).read_bytes() == old and listed(outdir) == [OUTPUT]

    with as_nobody():
        code, out, err = run(main, "--datadir", datadir, "--skip-bad")
    assert code == 0 and err.splitlines() == [warning, line]
    assert "left out, frames whose map cannot be read: 1" in out
    coco = load(outdir / OUTPUT)
    assert [image["seg_file_name"] for image in coco["images"]] == [good.name]
    assert coco["info"]["skipped"] == [one_line(bad.name)]
    assert listed(outdir) == [OUTPUT]


def test_an_absurd_header_takes_no_memory(datadir: Path, write_map: WriteMap) -> None:
    """In two gigabytes there is room for neither 60,000 x 60,000 values nor a tenth of them."""
    resource = pytest.importorskip("resource", reason="needs POSIX")
    header = b"IHDR", struct.pack(">II", 60_000, 6_000) + HEADER[1][8:]
    write_map().write_bytes(join_chunks([header, PIXELS, END]))
    process = run_script(
        "main.py", "--datadir", datadir, "--workers", 1,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )  # fmt: skip
    assert process.returncode == 1 and "claims 60000 x 6000 pixels" in process.stderr


@posix_only
@pytest.mark.parametrize("link", ["nowhere", "aachen"])
@pytest.mark.parametrize("where", ["gtFine/train/aachen", "gtFine/train"])
def test_a_dead_link_is_an_error(link: str, where: str, datadir: Path, write_map: WriteMap) -> None:
    """It may lead to a share that has dropped: its frames must not be missing without a word."""
    write_map(split="val", name="b_000000_000000")
    write_map(name="b_000000_000000")
    path = datadir / where
    if path.exists():
        shutil.rmtree(path)
    path.symlink_to(link if link == "nowhere" else path.name)
    err = fail(main, "--datadir", datadir)
    [line] = [line for line in err.splitlines() if "error: " in line]
    assert line.startswith(f"error: {path}: ") and "link" in line


def write_link(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


def rename(stem: str) -> Spoil:
    return lambda path: path.rename(path.with_name(stem + "_gtFine_instanceIds.png"))


GOOD_MAPS: dict[str, Spoil] = {
    "1 x 1": write_array([[26000]], np.uint16),
    "one pixel high": write_array([[26000, 7, 26000, 26001]], np.uint16),
    "another size than its neighbours": write_array([[26000, 7]] * 9, np.uint16),
    "spaces in the name": rename(" a b "),
    "umlauts in the name": rename("Zürich_ß_東京"),
    "an animation that is none": write(HEADER, (b"acTL", bytes(8)), PIXELS, END),
}
GOOD_POSIX_MAPS: dict[str, Spoil] = {
    "a link to a file elsewhere": write_link,
    "a line break in the name": rename("a\nerror: b\r"),
    "control characters in the name": rename("\x1b[31m\x07\u202e"),
    "quotes in the name": rename("\"a'bc$d{e}%f"),
    "250 characters in the name": rename("a" * (250 - len("_gtFine_instanceIds.png"))),
}


@pytest.mark.parametrize("kind", [*GOOD_MAPS, *on_posix(GOOD_POSIX_MAPS)])
def test_an_unusual_map_is_converted_exactly(kind: str, datadir: Path, write_map: WriteMap) -> None:
    write_map(name="a_000000_000000")
    (GOOD_MAPS | GOOD_POSIX_MAPS)[kind](write_map(name="a_000001_000000"))
    code, out, err = run(main, "--datadir", datadir, "--verify")
    assert code == 0 and "all exact" in out and "its maps (2)" in out
    assert len(err.splitlines()) == 1 and "maps whose image is not here: 2" in err
    assert all(line.isprintable() for line in (out + err).splitlines())
    coco = load(datadir / "annotations" / OUTPUT)
    assert len(coco["images"]) == 2
    check_exact(coco, read_maps(datadir))


@pytest.mark.parametrize("segmentation", ["polygon", "rle"])
def test_noise_takes_little_memory(segmentation: str, datadir: Path, write_map: WriteMap) -> None:
    """A map of two million pixels may take 1 GB: 500 bytes a pixel. All masks at once would take
    1,000, as each of 999 instances reaches from edge to edge."""
    values = np.random.default_rng(0).integers(26000, 26999, (128, 128))
    write_map(values)
    tracemalloc.start()
    try:
        coco = convert(datadir, "--segmentation", segmentation)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500 * values.size
    assert len(check_exact(coco, read_maps(datadir))) == 999


def put_a_pipe(outdir: Path) -> None:
    outdir.mkdir()
    os.mkfifo(outdir / OUTPUT)


OUTPUTS: dict[str, tuple[Spoil, str]] = {
    "a file in its place": (Path.touch, "File exists"),
    "a folder": (lambda outdir: (outdir / OUTPUT).mkdir(parents=True), "Is a directory"),
    "read-only": (lambda outdir: outdir.mkdir(0o555), "Permission denied"),
    "a pipe": (put_a_pipe, "not a file"),
    "a dangling link": (lambda outdir: outdir.symlink_to("nowhere/at/all"), "File exists"),
    "a link that loops": (lambda outdir: outdir.symlink_to(outdir), ""),
}


@posix_only
@pytest.mark.parametrize("fault", OUTPUTS)
def test_an_output_that_cannot_be_written_is_named(fault: str, frame: Path) -> None:
    spoil, says = OUTPUTS[fault]
    outdir = frame / "annotations"
    spoil(outdir)
    frame.chmod(0o777)
    before = sorted(str(path) for path in frame.rglob("*"))
    with as_nobody():
        _, line = fail(main, "--datadir", frame).splitlines()
    assert line.startswith(f"error: {outdir}") and f"cannot be written: {says}" in line
    assert sorted(str(path) for path in frame.rglob("*")) == before
