"""Work in this process or in several processes; `cluster.py` has a third way.

Each way gives a function like the builtin `map`. It returns results in order and makes them only a
little ahead of the caller. An error of the work is raised in place of its result. Unlike `map`, it
takes one iterable, and the function, the items and the results have to pickle.
"""

import multiprocessing
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar

from cityscapes_coco.errors import UserError
from cityscapes_coco.run.signals import STOP_SIGNALS, ctrl_c_held

T = TypeVar("T")
R = TypeVar("R")

# Items that are sent together: enough to make sending cheap, few enough that all workers finish at
# about the same time.
_CHUNK = 4
# Chunks sent ahead for each worker: enough to keep all busy while the caller waits for a slow one.
AHEAD = 4

# Parameters of glibc's mallopt, from its malloc.h. It refuses an mmap threshold above 32 MiB.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 1 << 25  # bytes: several maps of Cityscapes


class Map(Protocol):
    """A function like the builtin `map`, for one iterable."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]: ...


class WorkersLost(UserError):
    """The workers cannot go on, neither with this work nor with the next."""


@contextmanager
def start_workers(count: int, *, check: Callable[[], object] = lambda: None) -> Iterator[Map]:
    """Give a map that works in `count` processes, or in this process if the count is 1.

    `check` is called between results and while one is awaited; an error that it raises ends the
    work. When the context is left, for whatever reason, the processes are killed. Raises
    WorkersLost if a process dies before.
    """
    if count == 1:
        keep_freed_memory()
        yield partial(_map_here, check)
        return
    connections: list[Connection] = []
    processes = []
    threads = ThreadPoolExecutor(2 * count)
    try:
        for _ in range(count):
            ours, theirs = multiprocessing.Pipe()
            connections.append(ours)
            ends = theirs, list(connections)
            process = multiprocessing.Process(target=_work, args=ends, daemon=True)
            with ctrl_c_held():
                process.start()
            # Close our copy, so that we get EOF when the worker dies.
            theirs.close()
            processes.append(process)
        free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in [_Worker(connection, Lock(), Lock()) for connection in connections] * 2:
            free.put(worker)
        yield partial(map_ahead, partial(threads.submit, _ask, free), AHEAD * count, check)
    finally:
        for process in processes:
            process.kill()
        # The processes are gone, so all threads that wait for an answer get EOF.
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()


def keep_freed_memory() -> None:
    """Make this process keep memory that one frame frees for the next one.

    Otherwise the GNU C library may return it to the system and get it back page by page. Measured
    with 200 generated frames of 2048 x 1024 on two cores, as CPU time of whole runs with kept
    memory over the time without, taken in turn, median of seven: 0.73 with --panoptic; for
    instances 0.98, within the noise, but 0.83 where kornia-rs has no wheel and OpenCV decodes the
    maps; 1.0 for checks and scores. The peak memory is the same.
    """
    if sys.platform == "linux":
        # Other C libraries may lack the function, and some builds of Python have no ctypes.
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _KEPT)
            mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT)


def map_ahead(
    submit: Callable[..., "Future[list[R]]"],
    ahead: int,
    check: Callable[[], object],
    function: Callable[[T], R],
    items: Iterable[T],
) -> Iterator[R]:
    """Map by passing chunks of items to `submit`, with up to `ahead` chunks pending."""
    rest = iter(items)
    chunks = iter(lambda: list(islice(rest, _CHUNK)), [])
    pending: deque[Future[list[R]]] = deque()
    try:
        while True:
            for chunk in islice(chunks, ahead - len(pending)):
                pending.append(submit(_apply, function, chunk))
            if not pending:
                return
            yield from await_future(pending.popleft(), check)
    finally:
        for future in pending:
            future.cancel()


def await_future(future: "Future[T]", check: Callable[[], object]) -> T:
    """Return the result of a future; call `check` while it is not done."""
    try:
        while not wait([future], timeout=0.2).done:
            check()
        # A signal may have killed the workers too; report the signal, not the lost workers.
        check()
        return future.result()
    finally:
        future.cancel()


def answer_call(function: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None, str]:
    """Return the result of a call, or else its error and the traceback as text."""
    try:
        return function(*args), None, ""
    except Exception as error:
        return None, error, traceback.format_exc()


def unwrap_answer(result: Any, error: Exception | None, trace: str) -> Any:
    """Return the result of `answer_call`, or raise its error."""
    if error is not None:
        raise error from _Trace(trace)
    return result


def _map_here(
    check: Callable[[], object], function: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:
    for item in items:
        check()
        yield function(item)


def _apply(function: Callable[[T], R], items: list[T]) -> list[R]:
    return [function(item) for item in items]


class _Trace(Exception):
    """The traceback of an error in a worker, as text: a traceback itself does not pickle."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class _Worker(NamedTuple):
    """Our end of the pipe to a process, and the locks for sending and receiving through it."""

    connection: Connection
    sending: Lock
    receiving: Lock


def _ask(free: "SimpleQueue[_Worker]", *call: Any) -> Any:
    """Send a call to a free worker, and wait for the answer.

    Each worker may have two calls: one running, one queued in its pipe. Answers come in the order
    of the calls, so the lock for receiving is taken while the one for sending is held.

    Each worker has its own pipe. The workers of the standard ProcessPoolExecutor share one: if a
    worker is killed while it writes a long answer, the program waits forever for the rest.
    """
    worker = free.get()
    try:
        with worker.sending:
            worker.connection.send(call)
            worker.receiving.acquire()
        try:
            answer = worker.connection.recv_bytes()
        finally:
            worker.receiving.release()
    except (EOFError, OSError) as broken:
        reason = "a worker process died, perhaps for want of memory; try fewer workers"
        raise WorkersLost("--workers", reason) from broken
    finally:
        free.put(worker)
    return unwrap_answer(*pickle.loads(answer))


def _work(connection: Connection, inherited: list[Connection]) -> None:
    """Answer calls until the other end of the connection is closed.

    A forked process inherits the program's ends of all pipes so far, and closes them first.
    Otherwise they would stay open after the program is killed, and its workers would never end.
    """
    for other in inherited:
        other.close()
    # Ctrl-C reaches every process of a terminal; only the program itself ends the workers.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    keep_freed_memory()
    try:
        while True:
            function, *args = connection.recv()
            connection.send(answer_call(function, *args))
    except (EOFError, OSError, MemoryError):
        # The program gets EOF, whatever the reason is.
        return
