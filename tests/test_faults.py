"""What is promised when something is wrong: one row per fault, each made for real.

A fault of the data is one line on standard error and exit code 1; what was written earlier stays as
it was, nothing else is left in the folder, and the end comes soon.
"""

import fcntl
import json
import multiprocessing
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cityscapes_coco.files import replacing
from PIL import Image

# Imported late, they could not be read as another user.
import cityscapes_coco.verify
import cityscapes_coco.workers  # noqa: F401
from cityscapes_coco.convert import Options, convert_split
from cityscapes_coco.dataset import LAYOUTS, find_dataset
from cityscapes_coco.errors import one_line
from inspect_coco import main as inspect
from main import main
from tests.conftest import WriteMap
from tests.fuzz import encode_png, join_chunks
from tests.kill import WAYS, kill

ROOT = Path(__file__).parent.parent
OUTPUT = "instancesonly_filtered_gtFine_train.json"
STREET = [[23, 23, 23, 26001], [26000, 7, 24, 24], [26000, 26000, 7, 29000]]
SOON = 20  # seconds
NOBODY = 65534

Spoil = Callable[[Path], object]


# A map that cannot be read.


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    path.write_bytes(data)


def claim(width: int, height: int) -> Spoil:
    """Change the header, checksum included."""

    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        path.write_bytes(data)

    return change


def spoil_pixels(path: Path) -> None:
    """Damage what is compressed, under checksums that are right."""
    header, (_, pixels), end = encode_png(np.array(STREET))
    path.write_bytes(join_chunks([header, (b"IDAT", pixels[:-1] + b"\0"), end]))


def write_array(values: object, dtype: type, suffix: str = ".png") -> Spoil:
    def write(path: Path) -> None:
        path.write_bytes(cv2.imencode(suffix, np.array(values, dtype))[1].tobytes())

    return write


def write_palette(path: Path) -> None:
    Image.new("P", (4, 3)).save(path)


def instead(make: Spoil) -> Spoil:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def rename_to_bytes(path: Path) -> None:
    path.rename(os.fsdecode(os.fsencode(path).replace(b"a_000001", b"a_\xff\xfe")))


BAD_MAPS: dict[str, tuple[Spoil, str]] = {
    "truncated": (cut, "damaged PNG"),
    "empty": (lambda path: path.write_bytes(b""), "not a PNG"),
    "a wrong checksum": (flip_a_bit, "damaged PNG"),
    "too few pixels": (claim(4, 1000), "damaged PNG"),
    "damaged under right checksums": (spoil_pixels, "damaged PNG"),
    "60,000 x 60,000": (claim(60_000, 60_000), "claims 60000 x 60000 pixels"),
    "no pixel": (claim(0, 3), "damaged PNG"),
    "a JPEG": (write_array([[7] * 8] * 8, np.uint8, ".jpg"), "not a PNG"),
    "32 bits": (write_array([[7]], np.int32, ".tiff"), "not a PNG"),
    "8 bits": (write_array([[7]], np.uint8), "1 channel(s) of 8 bits"),
    "RGB": (write_array([[[7, 7, 7]]], np.uint8), "3 channel(s) of 8 bits"),
    "RGBA": (write_array([[[7, 7, 7, 7]]], np.uint8), "4 channel(s) of 8 bits"),
    "16 bits RGB": (write_array([[[7, 7, 7]]], np.uint16), "3 channel(s) of 16 bits"),
    "a palette": (write_palette, "channel(s) of 8 bits"),
    "a label that does not exist": (write_array([[34000]], np.uint16), "the value 34000"),
    "65535": (write_array([[65535]], np.uint16), "the value 65535"),
    "a folder": (instead(Path.mkdir), "cannot be read: Is a directory"),
    "a dangling link": (instead(lambda path: path.symlink_to("nowhere")), "No such file"),
    "a link that loops": (instead(lambda path: path.symlink_to(path)), "Too many levels"),
    "a pipe": (instead(os.mkfifo), "cannot be read: not a file"),
    "an endless device": (instead(lambda path: path.symlink_to("/dev/zero")), "not a file"),
    "no permission": (lambda path: path.chmod(0), "cannot be read: Permission denied"),
    "a name that is not UTF-8": (rename_to_bytes, "its name is not valid UTF-8"),
}


@pytest.fixture
def anybodys(tmp_path: Path) -> None:
    """Let every user into pytest's temporary folders, which it closes when it starts next."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the powers of root, to whom everything is permitted."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("anybodys")
@pytest.mark.parametrize("fault", BAD_MAPS)
def test_a_bad_map_fails_its_split_in_one_line_and_keeps_the_old_file(
    fault: str, datadir: Path, write_map: WriteMap, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, says = BAD_MAPS[fault]
    good = write_map(STREET, name="a_000000_000000")
    bad = write_map(STREET, name="a_000001_000000")
    outdir = datadir / "annotations"
    where = ["--datadir", str(datadir), "--workers", "1"]
    assert main(where) == 0
    old = (outdir / OUTPUT).read_bytes()
    outdir.chmod(0o777)
    (outdir / OUTPUT).chmod(0o666)
    spoil(bad)
    [bad] = set(good.parent.iterdir()) - {good}
    shown = one_line(bad)
    capfd.readouterr()

    start = time.monotonic()
    with as_nobody():
        assert main(where) == 1
    out, err = capfd.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("libpng")]
    assert lines[-2].startswith(f"{shown}: ") and says in lines[-2]
    assert lines[-1].startswith(f"error: {bad.parents[1]}: 1 of 2 maps cannot be read")
    assert all(line.isprintable() for line in lines)
    assert (outdir / OUTPUT).read_bytes() == old and listed(outdir) == [OUTPUT]

    with as_nobody():
        assert main([*where, "--skip-bad"]) == 0
    out, err = capfd.readouterr()
    assert f"{shown}: " in err and says in err
    assert "left out, frames whose map cannot be read: 1" in out
    coco = json.loads((outdir / OUTPUT).read_bytes())
    assert [image["seg_file_name"] for image in coco["images"]] == [good.name]
    assert coco["info"]["skipped"] == [one_line(bad.name)]
    assert listed(outdir) == [OUTPUT]
    assert time.monotonic() - start < SOON


def test_a_map_truncated_at_any_byte_is_damaged(
    datadir: Path, write_map: WriteMap, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_map(STREET)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
        assert f"{path}: " in capfd.readouterr().err
    assert not listed(datadir / "annotations")


def test_an_absurd_header_takes_no_memory(datadir: Path, write_map: WriteMap) -> None:
    """In two gigabytes there is room for neither 60,000 x 60,000 values nor a tenth of them."""
    claim(60_000, 6_000)(write_map(STREET))
    process = run_limited(resource.RLIMIT_AS, 2 << 30, datadir)
    assert process.returncode == 1 and "claims 60000 x 6000 pixels" in process.stderr


def test_a_map_that_vanishes_after_it_was_listed_is_named(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map(STREET, name="a_000000_000000")
    path = write_map(STREET, name="a_000001_000000")
    said = []

    def report(message: str) -> None:
        # The first message is about photographs that are missing, and comes before any map is read.
        path.unlink(missing_ok=True)
        said.append(message)

    dataset = find_dataset(datadir, LAYOUTS["gtFine"])
    summary = convert_split(dataset, "train", datadir / "out", Options(skip_bad=True), report)
    assert summary.images == 1 and summary.skipped == [path.name]
    assert said[-1] == f"{path}: cannot be read: No such file or directory"


@pytest.mark.parametrize("link", ["nowhere", "aachen"])
@pytest.mark.parametrize("where", ["gtFine/train/aachen", "gtFine/train"])
def test_a_link_that_leads_nowhere_is_no_empty_folder(
    link: str, where: str, datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may lead to a share that has dropped: its frames must not be missing without a word."""
    write_map(STREET, split="val", name="b_000000_000000")
    write_map(STREET, name="b_000000_000000")
    path = datadir / where
    if path.exists():
        shutil.rmtree(path)
    path.symlink_to(link if link == "nowhere" else path.name)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    [line] = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert line.startswith(f"error: {path}: ") and "link" in line


# A map that is unusual, and all the same becomes an exact result.


def write_interlaced(path: Path) -> None:
    path.write_bytes(join_chunks(encode_png(np.array(STREET), interlaced=True)))


def write_link(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


def rename(stem: str) -> Spoil:
    return lambda path: path.rename(path.with_name(stem + "_gtFine_instanceIds.png"))


def write_5000_instances(path: Path) -> None:
    classes = np.repeat([24, 25, 26, 27, 28], 1000)
    values = (classes * 1000 + np.tile(np.arange(1000), 5)).reshape(50, 100)
    cv2.imwrite(str(path), np.kron(values, np.ones((3, 3))).astype(np.uint16))


GOOD_MAPS: dict[str, Spoil] = {
    "interlaced": write_interlaced,
    "1 x 1": write_array([[26000]], np.uint16),
    "one pixel high": write_array([[26000, 7, 26000, 26001]], np.uint16),
    "another size than its neighbours": write_array([[26000, 7]] * 9, np.uint16),
    "5,000 instances": write_5000_instances,
    "a link to a file elsewhere": write_link,
    "spaces in the name": rename(" a b "),
    "umlauts in the name": rename("Zürich_ß_東京"),
    "a line break in the name": rename("a\nerror: b\r"),
    "control characters in the name": rename("\x1b[31m\x07\u202e"),
    "quotes in the name": rename("\"a'b\\c$d{e}%f"),
    "250 characters in the name": rename("a" * (250 - len("_gtFine_instanceIds.png"))),
}


@pytest.mark.parametrize("kind", GOOD_MAPS)
def test_an_unusual_map_is_converted_exactly(
    kind: str, datadir: Path, write_map: WriteMap, capfd: pytest.CaptureFixture[str]
) -> None:
    write_map(STREET, name="a_000000_000000")
    GOOD_MAPS[kind](write_map(STREET, name="a_000001_000000"))
    assert main(["--datadir", str(datadir), "--workers", "1", "--verify"]) == 0
    out, err = capfd.readouterr()
    assert "all exact" in out and "its maps (2)" in out
    assert all(line.isprintable() for line in (out + err).splitlines())
    coco = json.loads((datadir / "annotations" / OUTPUT).read_bytes())
    assert len(coco["images"]) == 2


# An output that cannot be written.


def run(datadir: Path, *options: object, **how: Any) -> "subprocess.CompletedProcess[str]":
    """Run the program as its user does."""
    return subprocess.run(
        [sys.executable, ROOT / "main.py", "--datadir", datadir, "--workers", "1", *options],
        **{"capture_output": True, "text": True, "timeout": SOON, **how},
    )


def run_limited(what: int, limit: int, datadir: Path) -> "subprocess.CompletedProcess[str]":
    return run(datadir, preexec_fn=lambda: resource.setrlimit(what, (limit, limit)))


def read_only(outdir: Path) -> None:
    outdir.mkdir(exist_ok=True)
    outdir.chmod(0o555)


OUTPUTS: dict[str, tuple[Spoil, str]] = {
    "a file in its place": (lambda outdir: outdir.touch(), "File exists"),
    "a folder in the file's place": (
        lambda outdir: (outdir / OUTPUT).mkdir(parents=True),
        "Is a directory",
    ),
    "read-only": (read_only, "Permission denied"),
    "a dangling link": (lambda outdir: outdir.symlink_to("nowhere/at/all"), "File exists"),
    "a link that loops": (lambda outdir: outdir.symlink_to(outdir), ""),
}


@pytest.mark.usefixtures("anybodys")
@pytest.mark.parametrize("fault", OUTPUTS)
def test_an_output_that_cannot_be_written_is_named(
    fault: str, datadir: Path, write_map: WriteMap, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, says = OUTPUTS[fault]
    write_map(STREET)
    outdir = datadir / "annotations"
    spoil(outdir)
    datadir.chmod(0o777)
    before = sorted(str(path) for path in datadir.rglob("*"))
    with as_nobody():
        assert main(["--datadir", str(datadir), "--workers", "1"]) == 1
    [line] = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith(f"error: {outdir}") and f"cannot be written: {says}" in line
    assert sorted(str(path) for path in datadir.rglob("*")) == before


def test_an_earlier_file_survives_a_limit_on_the_size_of_files(
    datadir: Path, write_map: WriteMap
) -> None:
    write_map(STREET)
    outdir = datadir / "annotations"
    outdir.mkdir()
    (outdir / OUTPUT).write_bytes(b"an earlier file")
    process = run_limited(resource.RLIMIT_FSIZE, 500, datadir)
    assert process.returncode == 1
    [line] = process.stderr.splitlines()[-1:]
    assert line.startswith(f"error: {outdir / OUTPUT}: cannot be written: File too large")
    assert (outdir / OUTPUT).read_bytes() == b"an earlier file" and listed(outdir) == [OUTPUT]


def test_an_earlier_file_survives_a_full_disk(datadir: Path, write_map: WriteMap) -> None:
    write_map(np.arange(26000, 26400).reshape(20, 20))
    outdir = datadir / "annotations"
    outdir.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", outdir], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        (outdir / OUTPUT).write_bytes(b"an earlier file")
        process = run(datadir)
        assert process.returncode == 1
        [line] = process.stderr.splitlines()[-1:]
        assert "cannot be written: No space left on device" in line
        assert (outdir / OUTPUT).read_bytes() == b"an earlier file" and listed(outdir) == [OUTPUT]
    finally:
        subprocess.run(["umount", outdir], check=True)


def test_two_runs_into_one_folder_both_end_well(datadir: Path, write_map: WriteMap) -> None:
    for number in range(20):
        write_map(STREET, name=f"a_{number:06d}_000000")
    command = [sys.executable, ROOT / "main.py", "--datadir", datadir, "--workers", "2"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(SOON) for process in both] == [0, 0]
    outdir = datadir / "annotations"
    assert listed(outdir) == [OUTPUT]
    assert len(json.loads((outdir / OUTPUT).read_bytes())["images"]) == 20


def test_where_files_need_names_a_failed_draft_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems, and systems, have no files without a name."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "file"
    with replacing(path) as file:
        file.write(b"whole")
        assert len(listed(tmp_path)) == 1
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert listed(tmp_path) == ["file"] and path.read_bytes() == b"whole"


# The machine, the terminal, and whoever ends the program.


def test_out_of_memory_in_a_worker_is_one_line(
    datadir: Path, write_map: WriteMap, capfd: pytest.CaptureFixture[str]
) -> None:
    if not sys.platform.startswith("linux") or multiprocessing.get_start_method() != "fork":
        pytest.skip("needs a system where forked processes inherit a limit of their memory")
    write_map(np.zeros((8000, 8000)))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 90_000_000, limits[1]))
    try:
        code = main(["--datadir", str(datadir), "--workers", "2"])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    lines = capfd.readouterr().err.splitlines()
    assert code == 1 and lines[-1].startswith(f"error: {datadir}: ")
    assert "out of memory" in lines[-1] or "a worker process died" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    assert not listed(datadir / "annotations")


STREAMS = [
    ("| true", 141, ""),
    ("2>&1 | true", 141, ""),
    (">&-", 0, ""),
    ("2>&-", 0, ""),
    (">/dev/full", 1, "standard output: No space left on device"),
    ("| cat", 0, ""),
]


@pytest.mark.parametrize("program", ["main.py", "inspect_coco.py"])
@pytest.mark.parametrize(("redirection", "code", "says"), STREAMS)
def test_an_output_that_is_closed_or_full_is_no_traceback(
    program: str, redirection: str, code: int, says: str, datadir: Path, write_map: WriteMap
) -> None:
    write_map(STREET)
    if program == "inspect_coco.py":
        assert main(["--datadir", str(datadir), "--workers", "1"]) == 0
        command = f"{program} --coco_dir {datadir} --num_examples 0"
    else:
        command = f"{program} --datadir {datadir} --workers 1"
    # So that the reader has gone when the program writes, it starts a little later.
    process = subprocess.run(
        ["bash", "-c", f"(sleep 0.1; exec {sys.executable} {command}) {redirection}; echo"
         " ${PIPESTATUS[0]}"],
        cwd=ROOT, capture_output=True, text=True, timeout=SOON,
    )  # fmt: skip
    assert process.stdout.splitlines()[-1].strip() == str(code)
    assert "Traceback" not in process.stderr and "Exception" not in process.stderr
    assert says in process.stderr
    if not code:
        assert json.loads((datadir / "annotations" / OUTPUT).read_bytes())["annotations"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_terminal_that_cannot_show_a_character_is_no_traceback(
    encoding: str, on_terminal: bool, datadir: Path, write_map: WriteMap
) -> None:
    write_map(STREET, name="Łódź 東京_000000_000000")
    folder = datadir.rename(datadir.parent / "Łódź 東京")
    (folder / "gtFine" / "train" / "Łódź 東京" / "b_gtFine_instanceIds.png").touch()
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "TERM": "dumb"}
    if not on_terminal:
        process = run(folder, "--skip-bad", env=environment, encoding="utf-8", errors="replace")
        assert process.returncode == 0, process.stderr
        assert "written to" in process.stdout and "not a PNG" in process.stderr
        return
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))
    process = run(
        folder, "--skip-bad", env=environment, capture_output=False, stdout=there, stderr=there
    )
    os.close(there)
    shown = os.read(here, 100_000)
    os.close(here)
    assert process.returncode == 0, shown
    assert b"100%" in shown and b"not a PNG" in shown and b"Traceback" not in shown


def test_killed_at_a_random_moment_the_old_file_or_the_new_one_is_left(tmp_path: Path) -> None:
    """A few times here; `python tests/kill.py` goes on with that."""
    kill(tmp_path, count=5, seed=time.time_ns())


@pytest.mark.parametrize("program", ["main.py", "inspect_coco.py"])
def test_ctrl_c_while_it_starts_is_silent(program: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", ROOT / program], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    # The first of the imports that come after the program's first line.
    while "argparse" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SOON)
    assert process.returncode in (-signal.SIGINT, 1) and "Traceback" not in errors


# A COCO file that lies, given to inspect_coco.py.


def set_field(part: str, name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda coco: coco[part][0].__setitem__(name, value)


def rle(height: int, width: int, counts: object) -> Callable[[dict[str, Any]], object]:
    return set_field("annotations", "segmentation", {"size": [height, width], "counts": counts})


# What is changed in a good file; what --verify says; what drawing says, where it cannot be drawn.
FILES: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "no annotations": (lambda coco: coco.pop("annotations"), "not a COCO file", "not a COCO file"),
    "annotations are numbers": (
        lambda coco: coco.update(annotations=[1]),
        "annotations[0] is not an object",
        "annotations[0] is not an object",
    ),
    "an image that does not exist": (
        set_field("annotations", "image_id", 99),
        "has the image_id 99, which none of the images has",
        "",
    ),
    "a category that does not exist": (
        set_field("annotations", "category_id", 99),
        "has the category_id 99, which none of the categories has",
        "",
    ),
    "the same id twice": (set_field("annotations", "id", 2), "the id 2 2 times", ""),
    "a polygon of four numbers": (
        set_field("annotations", "segmentation", [[0, 0, 1, 1]]),
        "at least three points",
        "at least three points",
    ),
    "a point that is not a number": (
        set_field("annotations", "segmentation", [[0, 0, 1, 1, float("nan"), 2]]),
        "far outside",
        "far outside",
    ),
    "a box that is not a number": (
        set_field("annotations", "bbox", [0, 0, float("nan"), 2]),
        "bbox that is not four numbers",
        "bbox that is not four numbers",
    ),
    "runs that are too few": (rle(3, 4, [3, 4]), "runs do not fill", "runs do not fill"),
    "runs as a text that breaks off": (rle(3, 4, "P"), "breaks off", "breaks off"),
    "a negative run": (rle(3, 4, [13, -1]), "runs do not fill", "runs do not fill"),
    "runs of another size": (rle(4, 3, [12]), "an RLE of size [4, 3]", "an RLE of size [4, 3]"),
    "a box outside of the image": (
        set_field("annotations", "bbox", [-50, 90, 1000, 2]),
        "wrong bbox: 1",
        "",
    ),
    "an image without pixels": (set_field("images", "width", 0), "wrong image size", "0 x 3"),
    "an image of absurd size": (
        set_field("images", "width", 10**9),
        "wrong image size",
        "1000000000 x 3 pixels",
    ),
    "a name that leads out": (
        set_field("images", "file_name", "../../\x1b[31m\n.png"),
        "",
        "",
    ),
}


@pytest.mark.parametrize("fault", FILES)
@pytest.mark.parametrize("task", ["--verify", "--save"])
def test_a_file_that_lies_is_found_out_and_harms_nothing(
    task: str,
    fault: str,
    datadir: Path,
    write_map: WriteMap,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change, verify_says, draw_says = FILES[fault]
    write_map(STREET)
    assert main(["--datadir", str(datadir), "--workers", "1"]) == 0
    coco = json.loads((datadir / "annotations" / OUTPUT).read_bytes())
    change(coco)
    path = datadir / "file.json"
    path.write_text(json.dumps(coco))
    before = sorted(datadir.parent.rglob("*"))
    capsys.readouterr()
    pictures = datadir / "pictures"
    options = ["--verify"] if task == "--verify" else ["--save", str(pictures)]
    says = verify_says if task == "--verify" else draw_says
    code = inspect(["--coco_dir", str(datadir), "--json", str(path), *options])
    out, err = capsys.readouterr()
    assert code == (1 if says else 0) and says in out + err
    assert all(line.isprintable() for line in (out + err).splitlines())
    assert len(err.splitlines()) <= 1
    new = set(datadir.parent.rglob("*")) - set(before)
    assert all(path == pictures or path.parent == pictures for path in new)


# Finds of the fuzzing.

FINDS: dict[str, tuple[list[tuple[bytes, bytes]], str]] = {
    # Pillow has a warning of its own for these, and libpng speaks to standard error.
    "an animation that is none": ([(b"acTL", bytes(8))], ""),
    "a wider image than libpng takes": ([(b"IHDR", b"")], "damaged PNG"),
    "a profile that is none": ([(b"iCCP", b"x\0\0junk")], ""),
    "an empty chunk that should hold something": ([(b"gAMA", b"")], ""),
}


@pytest.mark.parametrize("find", FINDS)
def test_nothing_but_the_programs_own_lines_is_printed(
    find: str, datadir: Path, write_map: WriteMap
) -> None:
    extras, says = FINDS[find]
    path = write_map(STREET)
    header, pixels, end = encode_png(np.array(STREET))
    if extras[0][0] == b"IHDR":
        header = (b"IHDR", struct.pack(">II", 1 << 24, 1) + header[1][8:])
        extras = []
    path.write_bytes(join_chunks([header, *extras, pixels, end]))
    process = run(datadir)
    lines = process.stderr.splitlines()
    assert all(line.startswith((str(datadir), "error: ")) for line in lines), lines
    assert process.returncode == bool(says) or "damaged PNG" in process.stderr
    assert says in process.stderr


def test_a_short_bout_of_fuzzing_finds_nothing() -> None:
    """The command of the long bouts; what it finds is printed with the seed."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    process = subprocess.run(
        [sys.executable, ROOT / "tests" / "fuzz.py", "--seconds", "3"],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": folder},
        timeout=120,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_readme_counts_the_faults() -> None:
    tables = [BAD_MAPS, GOOD_MAPS, OUTPUTS, STREAMS, WAYS, FILES, FINDS]
    assert f"{sum(map(len, tables))} faults" in (ROOT / "README.md").read_text()
