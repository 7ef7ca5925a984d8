"""Work as a map, here and in several processes, and a clean end when one is lost."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from cityscapes_coco import Options, convert_split, find_dataset
from cityscapes_coco.run.workers import Map, WorkersLost, start_workers
from main import main
from tests import conftest
from tests.conftest import PATIENCE, Patch, WriteMap, fail, posix_only, run_code
from tests.files import OUTPUT, ROOT, read_folder

forked_only = pytest.mark.skipif(
    multiprocessing.get_start_method() != "fork",
    reason="only a forked worker inherits what the test replaces",
)


@pytest.fixture
def frames(frames: Path, write_map: WriteMap) -> Path:
    """The folder of maps, one more of which is bad."""
    write_map(name="a_000099_000000").write_bytes(b"")
    return frames


def convert(datadir: Path, outdir: Path, *options: object) -> dict[str, bytes]:
    conftest.convert(datadir, "--outdir", outdir, "--skip-bad", *options)
    return read_folder(outdir)


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_and_items_are_taken_only_a_little_ahead(workers: int) -> None:
    taken: list[int] = []
    # Each item is noted when it is taken.
    items = (taken.append(number) or number for number in range(10_000))  # type: ignore[func-returns-value]
    with start_workers(workers) as run:
        assert list(run(square, [])) == []
        assert list(run(square, range(50))) == [n * n for n in range(50)]
        assert list(islice(run(square, items), 100)) == [n * n for n in range(100)]
    assert len(taken) < 1000


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_work_is_raised_in_the_place_of_its_result(workers: int) -> None:
    with start_workers(workers) as run:
        results = run(int, [*"01234567", "two"])
        assert [next(results) for _ in range(8)] == list(range(8))
        with pytest.raises(ValueError, match="invalid literal"):
            next(results)
        assert list(run(int, ["2"])) == [2]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_check_ends_the_work(workers: int) -> None:
    calls = count(1)

    def check() -> None:
        if next(calls) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), start_workers(workers, check=check) as run:
        list(run(square, range(1000)))
    # Neither is a result awaited that takes longer than any test may.
    with pytest.raises(KeyboardInterrupt), start_workers(2, check=check) as run:
        list(run(time.sleep, [10 * PATIENCE]))
    assert multiprocessing.active_children() == []


def test_any_number_of_workers_writes_the_same_bytes(frames: Path, tmp_path: Path) -> None:
    alone = convert(frames, tmp_path / "1", "--panoptic")
    assert len(alone) == 32
    for workers in "2", "5":
        several = convert(frames, tmp_path / workers, "--panoptic", "--workers", workers)
        assert several == alone

    def work(run: Map) -> bytes:
        dataset, options = find_dataset(frames), Options(skip_bad=True)
        summary = convert_split(dataset, "train", tmp_path, options, warn=str, run=run)
        return summary.path.read_bytes()

    assert work(map) == alone[OUTPUT]
    with start_workers(2) as run:
        assert work(run) == alone[OUTPUT]


@pytest.mark.parametrize("lacks", ["ctypes", "mallopt"])
def test_memory_need_not_stay(lacks: str, frames: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    """Some builds of Python cannot call the C library, and some C libraries lack the function."""
    alone = convert(frames, tmp_path / "1")
    stand_in = None if lacks == "ctypes" else SimpleNamespace(CDLL=lambda _: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ctypes", stand_in)
    for workers in "1", "2":
        assert convert(frames, tmp_path / f"{lacks} {workers}", "--workers", workers) == alone


START = """
import multiprocessing, sys, main
if __name__ == '__main__':
    multiprocessing.set_start_method('{}')
    sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_way_to_start_a_process_works(method: str, frames: Path, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    options = "--datadir", frames, "--skip-bad", "--workers", "2"
    process = run_code(START.format(method), *options)
    assert process.returncode == 0, process.stderr
    assert read_folder(frames / "annotations") == convert(frames, tmp_path / "1")


def kill_this_process(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_a_long_answer(length: int) -> bytes:
    threading.Timer(0.05, kill_this_process).start()
    return bytes(length)


@posix_only
@pytest.mark.parametrize("function", [kill_this_process, die_in_a_long_answer])
def test_a_killed_worker_is_an_error_and_not_a_hang(function: Callable[[int], object]) -> None:
    with start_workers(2) as run, pytest.raises(WorkersLost, match="a worker process died"):
        next(run(function, [1 << 28]))
    assert multiprocessing.active_children() == []


@posix_only
def test_workers_end_when_the_program_is_killed() -> None:
    code = """
import os, signal
from cityscapes_coco.run.workers import start_workers
with start_workers(2) as run:
    list(run(abs, range(20)))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            # The pipe is at its end when no worker holds it any more.
            process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def touch_and_die(path: Path) -> None:
    path.touch()
    kill_this_process()


@posix_only
def test_a_signal_to_all_processes_is_no_lost_worker(tmp_path: Path) -> None:
    """It ends the workers as well, perhaps first."""
    signalled = tmp_path / "signalled"

    def check() -> None:
        if signalled.exists():
            raise KeyboardInterrupt(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), start_workers(2, check=check) as run:
        list(run(touch_and_die, [signalled]))


@forked_only
def test_a_dead_worker_ends_the_run(frames: Path, write_map: WriteMap, monkeypatch: Patch) -> None:
    """Every worker dies on its first frame, as if the system had run out of memory. Another split
    is not begun."""
    write_map(split="val")
    monkeypatch.setattr("cityscapes_coco.convert.annotate.convert_frame", kill_this_process)
    *others, last = fail(main, "--datadir", frames, "--workers", 2).splitlines()
    assert not [line for line in others if line.startswith("error: ")]
    assert last.startswith("error: ") and "a worker process died" in last and "--workers" in last
    assert not list((frames / "annotations").iterdir())
