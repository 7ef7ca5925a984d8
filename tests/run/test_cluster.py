"""A Dask cluster: workers that lack something, workers and schedulers that are lost, and signals.

Schedulers and workers are processes of their own, as on several machines.
"""

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import repeat
from pathlib import Path
from threading import Thread

import pytest

from cityscapes_coco import UserError, __version__, find_dataset
from cityscapes_coco.run import cluster as dask_cluster
from cityscapes_coco.run.cluster import connect_cluster
from cityscapes_coco.run.workers import WorkersLost
from main import main
from tests.conftest import PATIENCE, convert, fail, posix_only
from tests.files import ROOT, read_folder, touch

distributed = pytest.importorskip("distributed")

pytestmark = [posix_only, pytest.mark.filterwarnings("ignore")]

Process = subprocess.Popen[str]
Scheduler = tuple[Process, str]  # and its address
# A conversion whose frames take a while, and that waits for a cluster no longer than a test can.
SLOW = """
import sys
import time
from pathlib import Path

import main
from cityscapes_coco.convert import annotate, split
from cityscapes_coco.run import cluster


def convert_slowly(frame, **choices):
    Path(frame.annotation_path + ".begun").touch()
    time.sleep(0.1)
    return annotate.try_to_convert(frame, **choices)


if __name__ == "__main__":
    import slow

    split.try_to_convert = slow.convert_slowly
    cluster._CONNECT = cluster._PATIENCE = 3
    sys.exit(main.main())
"""


@contextmanager
def started(
    *command: object, code: object = ROOT, stderr: int = subprocess.DEVNULL
) -> Iterator[Process]:
    """A process that finds modules in `code`, and ends with the context, as do its children."""
    # A chunk of work may kill two workers.
    settings = {"PYTHONPATH": str(code), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    process = subprocess.Popen(
        [*map(str, command)], env={**os.environ, **settings}, cwd="/", start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=stderr, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        kill(process)
        process.communicate(timeout=PATIENCE)


def kill(process: Process) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


@contextmanager
def started_scheduler() -> Iterator[Scheduler]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show"
    with started(sys.executable, "-m", "distributed.cli.dask_scheduler", *options) as process:
        yield process, f"tcp://127.0.0.1:{port}"


def worker(address: str) -> list[str]:
    """The command that starts a worker."""
    options = "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny"
    return [sys.executable, "-m", "distributed.cli.dask_worker", address, *options]


def await_workers(address: str, count: int) -> None:
    with distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE)


@pytest.fixture(scope="module", autouse=True)
def close_sockets() -> Iterator[None]:
    """Dask leaves a socket open if it cannot connect; the warning should not hit a later test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folders in which a worker finds the package and the slow conversion."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "slow.py").write_text(SLOW)
    return f"{ROOT}{os.pathsep}{folder}"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    with started_scheduler() as process_and_address:
        yield process_and_address


@pytest.fixture(scope="module")
def cluster(scheduler: Scheduler, code: str) -> Iterator[str]:
    """The scheduler's address; there are two workers, until the last of the tests."""
    _, address = scheduler
    with started(*worker(address), code=code), started(*worker(address), code=code):
        await_workers(address, 2)
        yield address


@contextmanager
def slow_conversion(frames: Path, address: str, code: str, *options: str) -> Iterator[Process]:
    """A conversion on a cluster that has begun and takes a while; its messages are kept."""
    for path in frames.rglob("*.begun"):
        path.unlink()
    command = sys.executable, "-m", "slow", "--datadir", frames, "--scheduler", address
    with started(*command, *options, code=code, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + PATIENCE
        while not list(frames.rglob("*.begun")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        yield process


def messages(process: Process) -> list[str]:
    """What the process says before it ends."""
    _, err = process.communicate(timeout=PATIENCE)
    return err.splitlines()


def test_a_cluster_writes_the_same_bytes(cluster: str, frames: Path, tmp_path: Path) -> None:
    options = "--panoptic", "--scheduler", cluster, "--verify"
    convert(frames, "--outdir", tmp_path / "there", *options)
    convert(frames, "--outdir", tmp_path / "here", "--panoptic")
    assert read_folder(tmp_path / "there") == read_folder(tmp_path / "here")


def test_lost_work_is_done_again(cluster: str, frames: Path, code: str, tmp_path: Path) -> None:
    with started(*worker(cluster), code=code) as third:
        await_workers(cluster, 3)
        with slow_conversion(frames, cluster, code) as process:
            kill(third)
            assert messages(process) == []
    assert process.returncode == 0
    convert(frames, "--outdir", tmp_path / "here")
    assert read_folder(frames / "annotations") == read_folder(tmp_path / "here")


def test_an_error_of_the_work_reaches_the_caller(cluster: str, tmp_path: Path) -> None:
    with connect_cluster(cluster) as run:
        assert list(run(abs, range(-9, 0))) == list(range(9, 0, -1))
        with pytest.raises(ZeroDivisionError):
            list(run(partial(divmod, 1), [1, 0]))
        with pytest.raises(MemoryError):
            list(run(bytes, [sys.maxsize - 99]))
        with pytest.raises(UserError, match="no such folder") as raised:
            list(run(find_dataset, [tmp_path / "nowhere"]))
    assert raised.type is UserError


HIDE = "mount -t tmpfs none '{}' && exec \"$@\""
OLD = ["cityscapes_coco/__init__.py", "cityscapes_coco/convert.py"]
LACKS = {
    "without the package": "lacks the package cityscapes_coco: pip install [.]$",
    "of another version": f"has version 0.0.1 of cityscapes_coco, not {__version__}",
    "too old to be asked": "cannot use this version of cityscapes_coco: pip install [.]",
    "without the data": "cannot read the folder",
}


def unfit_worker(
    kind: str, address: str, frames: Path, folder: Path
) -> AbstractContextManager[object]:
    path, command = folder, worker(address)
    if kind == "of another version":
        shutil.copytree(ROOT / "cityscapes_coco", folder / "cityscapes_coco")
        version = folder / "cityscapes_coco" / "version.py"
        version.write_text(version.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    elif kind == "too old to be asked":
        for name in OLD:
            touch(folder / name)
    elif kind == "without the data":
        path = ROOT
        hidden = ["unshare", "--mount", "sh", "-c", HIDE.format(frames), "sh"]
        if subprocess.run([*hidden, "true"], capture_output=True).returncode:
            pytest.skip("needs the right to mount")
        command = [*hidden, *command]
    return started(*command, code=path)


@pytest.mark.parametrize("kind", LACKS)
def test_no_work_is_done_with_a_worker_that_lacks_something(
    kind: str, cluster: str, frames: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither if the worker joins while others work, nor afterwards, if the worker is there."""
    folder = tmp_path_factory.mktemp("code")
    with connect_cluster(cluster, [frames / "gtFine" / "train"]) as run:
        naps = run(time.sleep, repeat(0.01, 100 * PATIENCE))
        next(naps)
        with unfit_worker(kind, cluster, frames, folder):
            with pytest.raises(WorkersLost, match=LACKS[kind]) as raised:
                list(naps)
            err = fail(main, "--datadir", frames, "--scheduler", cluster, "--skip-bad")
            assert err == f"error: {raised.value}\n"
    assert raised.value.where.startswith("tcp://127.0.0.1:") and raised.value.where != cluster
    assert not (frames / "annotations").exists()


def test_a_signal_in_mid_run_is_one_line(cluster: str, frames: Path, code: str) -> None:
    with slow_conversion(frames, cluster, code) as process:
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert messages(process) == ["interrupted; no file was left half-written"]
        assert time.monotonic() - begin < PATIENCE / 4
    assert process.returncode == 128 + signal.SIGINT
    assert not list((frames / "annotations").iterdir())


def test_a_lost_cluster_is_named(
    cluster: str, scheduler: Scheduler, frames: Path, code: str
) -> None:
    """First some work kills both workers, then there is none, then the only worker dies, and last
    the scheduler."""
    lost = "workers of the cluster died, perhaps for want of memory"
    with connect_cluster(cluster) as run, pytest.raises(WorkersLost, match=lost):
        list(run(os._exit, [1]))
    err = fail(main, "--datadir", frames, "--scheduler", cluster)
    assert err == f"error: {cluster}: the cluster has no workers; start some with dask worker\n"
    gone = "all workers of the cluster are gone; start some with dask worker"
    silent = "the scheduler does not answer any more; start it again"
    for killed, reason in ("worker", gone), ("scheduler", silent):
        with started(*worker(cluster), code=code) as only_worker:
            await_workers(cluster, 1)
            with slow_conversion(frames, cluster, code, "--skip-bad") as process:
                kill(only_worker if killed == "worker" else scheduler[0])
                assert messages(process) == [f"error: {cluster}: {reason}"]
            assert process.returncode == 1
    assert not list((frames / "annotations").iterdir())


class Greeter(BaseHTTPRequestHandler):
    """Answers whatever is sent as a web server does."""

    def handle(self) -> None:
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """Ports of 127.0.0.1: one that is silent, one with a web server, one with nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        HTTPServer(("127.0.0.1", 0), Greeter) as web,
    ):
        with socket.create_server(("127.0.0.1", 0)) as server:
            closed = server.getsockname()[1]
        Thread(target=web.serve_forever, daemon=True).start()
        yield {"silent": silent.getsockname()[1], "web": web.server_port, "closed": closed}
        web.shutdown()


ADDRESSES = [
    *("tcp://127.0.0.1:{silent}", "tcp://127.0.0.1:{web}", "tcp://127.0.0.1:{closed}"),
    *("tls://127.0.0.1:{silent}", "ws://127.0.0.1:{web}", "http://127.0.0.1:{web}"),
    *("tcp://127.0.0.1:99999", "tcp://127.0.0.1:port", "tcp://", "127.0.0.1", "no address", " "),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_without_a_scheduler_is_one_line(
    address: str, ports: dict[str, int], frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address.format(**ports)
    monkeypatch.setattr(dask_cluster, "_CONNECT", 0.5)
    [line] = fail(main, "--datadir", frames, "--scheduler", address).splitlines()
    assert line.startswith(f"error: {address}: no Dask scheduler answers there")
