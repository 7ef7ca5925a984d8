"""Where frames are converted: in this process, in several, or on a cluster.

Both functions give an executor, and how many things it does at once.
"""

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
)
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from cityscapes_coco.errors import DatasetError
from cityscapes_coco.terminal import STOP_SIGNALS

# Parameters of glibc's mallopt, from its malloc.h. A threshold for mmap above 32 MiB is refused.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 1 << 25  # bytes: several maps of Cityscapes


@contextmanager
def start_workers(count: int) -> Iterator[tuple[Executor | None, int]]:
    """Give an executor with `count` processes; None where this process is enough.

    When the context is left, for whatever reason, the processes are ended at once. A process that
    dies before makes its future, and all that follow, raise BrokenExecutor.
    """
    if count == 1:
        _keep_freed_memory()
        yield None, 1
        return
    executor = _ProcessExecutor(count)
    connections: list[Connection] = []
    processes = []
    try:
        with _interrupts_held():
            for _ in range(count):
                ours, theirs = multiprocessing.Pipe()
                connections.append(ours)
                process = multiprocessing.Process(
                    target=_work, args=(theirs, list(connections)), daemon=True
                )
                process.start()
                # Held by the process alone, this end closes when it dies, and ours says so.
                theirs.close()
                executor.add(ours)
                processes.append(process)
        yield executor, count
    finally:
        for process in processes:
            process.kill()
        executor.shutdown()
        for process in processes:
            process.join()


@contextmanager
def connect_cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """Give an executor that works on the Dask cluster whose scheduler is at `address`.

    Its workers must be able to import this package, and see the data under the same path. If some
    are lost, others do their work again. Raises DatasetError if there is no such cluster, and
    BrokenExecutor if it cannot go on.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        reason = "needs the package distributed: pip install -r requirements-cluster.txt"
        raise DatasetError(address, reason) from error
    try:
        client = Client(address, timeout=5)
    except (OSError, ValueError) as error:
        reason = "no Dask scheduler answers there; it prints its address when it starts"
        raise DatasetError(address, reason) from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise DatasetError(address, "the cluster has no workers; start some with dask worker")
        try:
            yield client.get_executor(retries=2), threads
        except (KilledWorker, CancelledError) as error:
            raise BrokenExecutor(str(error)) from error


class _ProcessExecutor(ThreadPoolExecutor):
    """Passes each call on to a process and waits for the answer, one thread for each process.

    The standard ProcessPoolExecutor shares one pipe between its processes. If one of them is killed
    while it writes a long result, everybody waits for the rest of it for ever.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._idle: SimpleQueue[Connection] = SimpleQueue()

    def add(self, connection: Connection) -> None:
        """Use the process at the other end of `connection`."""
        self._idle.put(connection)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(self._call, function, args, kwargs)

    def _call(self, *call: Any) -> Any:
        connection = self._idle.get()
        try:
            connection.send(call)
            result, error = connection.recv()
        except (EOFError, OSError) as broken:
            raise BrokenExecutor("a worker process died") from broken
        finally:
            self._idle.put(connection)
        if error is not None:
            raise error
        return result


def _work(connection: Connection, others: list[Connection]) -> None:
    """Answer calls until the other end is closed; `others` are such ends that came along."""
    # Held here as well, they would stay open when this program is killed, and its workers wait on.
    for other in others:
        other.close()
    # Ctrl-C reaches every process of a terminal; ending the workers is left to the first.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    _keep_freed_memory()
    try:
        while True:
            function, args, kwargs = connection.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = function(*args, **kwargs), None
            except Exception as error:
                answer = None, error
            connection.send(answer)
    except (EOFError, OSError, MemoryError):
        # The other end learns from the silence, whatever is missing here.
        return


def _keep_freed_memory() -> None:
    """Have this process keep what one frame frees for the next, which needs as much again.

    The GNU C library would return it to the system and get it back page by page, which takes longer
    than to outline all instances. Processes of a cluster are left alone: they may not be ours.
    """
    if sys.platform == "linux":
        # Other C libraries may lack the function, and some builds of Python the means to call it.
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _KEPT)
            mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put signals to end off until all processes have started, and can be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts: list[int] = []
    # A fork inherits the function; a new interpreter only that a signal is ignored.
    forks = multiprocessing.get_start_method() == "fork"
    hold = (lambda number, _: interrupts.append(number)) if forks else signal.SIG_IGN
    previous = {number: signal.signal(number, hold) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if interrupts:
        raise KeyboardInterrupt(interrupts[0])
