"""What the tests share: streets, folders of maps, and the programs as calls."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

import inspect_coco
import main
from cityscapes_coco.cli.convert import build_parser
from cityscapes_coco.run.signals import STOP_SIGNALS
from tests.files import OUTPUT, ROOT, load, write_json
from tests.oracle import box_of, encode

# Seconds that no test takes, however busy the machine is; what lasts longer hangs.
PATIENCE = 120
PIPED: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PATIENCE}

Coco = dict[str, Any]
Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
Program = Callable[[list[str]], int]
WriteMap = Callable[..., Path]

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def on_posix(cases: Iterable[str]) -> list[Any]:
    return [pytest.param(case, marks=posix_only) for case in cases]


# The same inputs each time: tests/fuzz.py looks for others.
settings.register_profile("suite", derandomize=True, deadline=None, database=None)
settings.load_profile("suite")


# Under `nohup` and in the background, signals are ignored, also by programs that are started. No
# program inherits a handler, so this suite goes on and its programs end at a signal as usual.
for _number in STOP_SIGNALS:
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


NAME = "aachen_000000_000019"
# A group of persons, two cars, and a caravan.
STREET = [[23, 23, 23, 26001], [26000, 7, 24, 24], [26000, 26000, 7, 29000]]


def street() -> NDArray[np.uint16]:
    """A map of 24 x 16 pixels: a person, a car with a hole, another car, a bicycle as high as the
    frame, a trailer, a group of cars in two parts, and a group of trailers."""
    id_map = np.full((16, 24), 7, np.uint16)
    id_map[2:9, 1:9] = 26000
    id_map[4:6, 3:5] = 7
    id_map[3:10, 10:15] = 26001
    id_map[:, 9] = 33000
    id_map[1:13, 16:19] = 24000
    id_map[10:14, 2:9] = 26
    id_map[0, 12:14] = 26
    id_map[14:, 20:] = 30000
    id_map[15, 0] = 30
    return id_map


def save_map(path: Path, values: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # cv2.imwrite would fail on Windows at a name that is not in its code page.
    path.write_bytes(cv2.imencode(".png", np.array(values, np.uint16))[1].tobytes())
    return path


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """An empty data folder; what is written beside it stays inside pytest's temporary folder."""
    folder = tmp_path / "cityscapes"
    folder.mkdir()
    return folder


@pytest.fixture
def write_map(datadir: Path) -> WriteMap:
    """Writes one map into `datadir`, as Cityscapes names it, and returns its path."""

    def write(
        values: object = STREET, split: str = "train", name: str = NAME, kind: str = "gtFine"
    ) -> Path:
        city = datadir / kind / split / name.split("_")[0]
        return save_map(city / f"{name}_{kind}_instanceIds.png", values)

    return write


@pytest.fixture
def frame(datadir: Path, write_map: WriteMap) -> Path:
    """A data folder with one map, of the small street."""
    write_map()
    return datadir


@pytest.fixture(autouse=True, scope="session")
def one_core() -> Iterator[None]:
    """Programs that are called, not started, work in one process if no number is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
        yield


def run(program: Program, *options: object) -> tuple[int, str, str]:
    """Run a program in this process; return its exit code, and what it prints and complains of."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            code = program([*map(str, options)])
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def fail(program: Program, *options: object) -> str:
    """Run a program in vain, with exit code 1, and return what it complains of."""
    code, _, err = run(program, *options)
    assert code == 1
    return err


def convert(datadir: Path, *options: object) -> Coco:
    """Convert in this process, if nothing else is asked for, and return the file of train."""
    argv = ["--datadir", str(datadir), *map(str, options)]
    assert main.main(argv) == 0
    args = build_parser().parse_args(argv)
    outdir = args.outdir or datadir / "annotations"
    return load(outdir / OUTPUT.replace("gtFine", args.annotations))


def convert_and_verify(datadir: Path, *options: object) -> Coco:
    """Convert, have both programs check the file of train, and return it."""
    coco = convert(datadir, *options, "--verify")
    assert verify(datadir, coco) == 0
    return coco


def verify(datadir: Path, coco: object) -> int:
    """Return the exit code of the inspector's check of a file."""
    path = write_json(datadir / "file.json", coco)
    return inspect_coco.main(["--coco_dir", str(datadir), "--coco", str(path), "--verify"])


def run_script(script: str, *options: object, **how: Any) -> "subprocess.CompletedProcess[str]":
    """Run a program as its user does."""
    command = [sys.executable, str(ROOT / script), *map(str, options)]
    return subprocess.run(command, **PIPED | how)


def run_code(code: str, *options: object, **how: Any) -> "subprocess.CompletedProcess[str]":
    """Run some code as a program that finds the package."""
    command = [sys.executable, "-c", code, *map(str, options)]
    return subprocess.run(command, cwd=ROOT, **PIPED | how)


def annotate(mask: NDArray[Any], **fields: object) -> Coco:
    """An annotation of a mask, with its ids and whatever else it has."""
    form = {"iscrowd": 0, "area": int(mask.sum()), "bbox": box_of(mask)}
    return form | {"segmentation": encode(mask)} | fields
