"""Several processes, and a cluster: the same bytes, and a clean end when a worker is lost."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from distributed import LocalCluster

from cityscapes_coco.workers import start_workers
from main import main
from tests.conftest import WriteMap

ROOT = Path(__file__).parent.parent
OUTPUT = "instancesonly_filtered_gtFine_train.json"


@pytest.fixture
def frames(datadir: Path, write_map: WriteMap) -> Path:
    """A folder of 30 small maps that all differ, one of them bad."""
    for n in range(30):
        write_map([[26000, 7], [24000 + n, 33000]], name=f"a_{n:06d}_000000")
    write_map([[999]], name="a_000099_000000")
    return datadir


def convert(datadir: Path, outdir: Path, *options: str) -> bytes:
    arguments = ["--datadir", str(datadir), "--outdir", str(outdir), "--skip-bad", *options]
    assert main(arguments) == 0
    return (outdir / OUTPUT).read_bytes()


def test_any_number_of_workers_writes_the_same_bytes(frames: Path, tmp_path: Path) -> None:
    alone = convert(frames, tmp_path / "1", "--workers", "1")
    assert convert(frames, tmp_path / "2", "--workers", "2") == alone
    assert convert(frames, tmp_path / "5", "--workers", "5") == alone


@pytest.mark.parametrize("lacks", ["ctypes", "mallopt"])
def test_memory_need_not_be_kept(
    lacks: str, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some builds of Python cannot call the C library, and some C libraries lack the function."""
    alone = convert(frames, tmp_path / "1", "--workers", "1")
    stand_in = None if lacks == "ctypes" else SimpleNamespace(CDLL=lambda _: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ctypes", stand_in)
    for workers in "1", "2":
        assert convert(frames, tmp_path / f"{lacks} {workers}", "--workers", workers) == alone


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_way_to_start_a_process_works(method: str, frames: Path, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    program = (
        "import multiprocessing, sys, main\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method('{method}')\n"
        "    sys.exit(main.main(sys.argv[1:]))\n"
    )
    script = tmp_path / "start.py"
    script.write_text(program)
    subprocess.run(
        [sys.executable, script, "--datadir", frames, "--skip-bad", "--workers", "2"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    alone = convert(frames, tmp_path / "1", "--workers", "1")
    assert (frames / "annotations" / OUTPUT).read_bytes() == alone


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_a_wrong_number_of_workers_is_exit_code_2(workers: str) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--workers", workers])
    assert exit_info.value.code == 2


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_an_error_and_not_a_hang() -> None:
    with start_workers(2) as (executor, _):
        assert executor is not None
        with pytest.raises(BrokenExecutor):
            executor.submit(kill_this_process).result(timeout=10)
    assert multiprocessing.active_children() == []


def test_a_worker_killed_in_a_long_answer_is_an_error_and_not_a_hang() -> None:
    with start_workers(2) as (executor, _):
        assert executor is not None
        future = executor.submit(bytes, 1 << 28)
        for process in multiprocessing.active_children():
            os.kill(process.pid or 0, signal.SIGKILL)
        with pytest.raises(BrokenExecutor):
            future.result(timeout=10)


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with start_workers(2) as (executor, _):
        assert executor is not None
        with pytest.raises(ValueError, match="invalid literal"):
            executor.submit(int, "two").result(timeout=10)
        assert executor.submit(int, "2").result(timeout=10) == 2


def test_a_dead_worker_ends_the_run_with_one_line(
    frames: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every worker dies on its first frame, as if the system had run out of memory."""
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("only a forked worker inherits what the test replaces")
    monkeypatch.setattr("cityscapes_coco.convert.convert_frame", lambda *_: kill_this_process())
    assert main(["--datadir", str(frames), "--workers", "2"]) == 1
    [line] = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith(f"error: {frames}: a worker process died")
    assert not list((frames / "annotations").iterdir())


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_writes_the_same_bytes(
    frames: Path, tmp_path: Path, cluster: LocalCluster
) -> None:
    there = convert(frames, tmp_path / "there", "--scheduler", cluster.scheduler_address)
    assert there == convert(frames, tmp_path / "here", "--workers", "1")


@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_of_a_cluster_costs_a_retry_only(
    datadir: Path, write_map: WriteMap, tmp_path: Path, cluster: LocalCluster
) -> None:
    noise = np.random.default_rng(0).integers(26000, 26009, (90, 90))
    for n in range(24):
        write_map(noise, name=f"a_{n:06d}_000000")
    pids = [worker.pid for worker in cluster.workers.values()]
    killed = []

    def kill_one_when_busy() -> None:
        while psutil.Process(pids[0]).cpu_percent(0.1) < 50:
            pass
        os.kill(pids[0], signal.SIGKILL)
        killed.append(pids[0])

    killer = threading.Thread(target=kill_one_when_busy)
    killer.start()
    there = convert(datadir, tmp_path / "there", "--scheduler", cluster.scheduler_address)
    killer.join()
    assert killed
    assert there == convert(datadir, tmp_path / "here", "--workers", "2")


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_named(
    frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--datadir", str(frames), "--scheduler", "tcp://127.0.0.1:1"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: tcp://127.0.0.1:1: no Dask scheduler answers there")
