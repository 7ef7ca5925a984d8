"""Where work is done: in this process or in several processes; `cluster.py` is a third way.

Each way gives one thing: a function with the meaning of the builtin `map`. Its results are in
order, are made only a little ahead of whoever asks for them, and an error of the work is raised in
the place of its result. Unlike `map`, it takes one iterable, and what travels has to pickle.
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

# Items that travel together: enough to make the journey cheap, few enough that all workers finish
# at about the same time.
_CHUNK = 4
# Chunks that are under way for each worker: enough to keep all busy while a slow one is awaited.
AHEAD = 4

# Parameters of glibc's mallopt, from its malloc.h. A threshold for mmap above 32 MiB is refused.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 1 << 25  # bytes: several maps of Cityscapes


class _Trace(Exception):
    """Where in a worker process an error was raised: what travels is the error alone."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class WorkersLost(UserError):
    """The workers cannot go on: not with this work, nor with any that comes after."""


class Map(Protocol):
    """A function with the meaning of the builtin `map` for one iterable."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]: ...


def do_nothing() -> None:
    pass


@contextmanager
def start_workers(
    count: int,
    *,
    prepare: Callable[[], object] = do_nothing,
    check: Callable[[], object] = do_nothing,
) -> Iterator[Map]:
    """Give a map that works in `count` processes; in this process if the count is 1.

    `prepare` is called once in each process that works. `check` is called between results and while
    one is awaited; what it raises ends the work. When the context is left, for whatever reason, the
    processes are ended at once. A process that dies before raises WorkersLost.
    """
    if count == 1:
        prepare()
        yield partial(_map_here, check)
        return
    connections: list[Connection] = []
    processes = []
    threads = ThreadPoolExecutor(2 * count)
    try:
        for _ in range(count):
            ours, theirs = multiprocessing.Pipe()
            connections.append(ours)
            process = multiprocessing.Process(
                target=_work, args=(theirs, list(connections), prepare), daemon=True
            )
            with ctrl_c_held():
                process.start()
            # Held by the process alone, this end closes when the process dies, and ours says so.
            theirs.close()
            processes.append(process)
        free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in [_Worker(connection, Lock(), Lock()) for connection in connections] * 2:
            free.put(worker)
        yield partial(map_ahead, partial(threads.submit, _ask, free), AHEAD * count, check)
    finally:
        for process in processes:
            process.kill()
        # The processes are gone, so their connections end, and with them what the threads wait for.
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()


def keep_freed_memory() -> None:
    """Have this process keep what one frame frees for the next, which needs as much again.

    The GNU C library would return the memory to the system and get it back page by page, which
    takes longer than to outline all instances.
    """
    if sys.platform == "linux":
        # Other C libraries may lack the function, and some builds of Python the means to call it.
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _KEPT)
            mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT)


def _map_here(
    check: Callable[[], object], function: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:
    for item in items:
        check()
        yield function(item)


def map_ahead(
    submit: Callable[..., "Future[list[R]]"],
    ahead: int,
    check: Callable[[], object],
    function: Callable[[T], R],
    items: Iterable[T],
) -> Iterator[R]:
    """Map by handing chunks of items to `submit`, up to `ahead` of them at once."""
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
    try:
        while not wait([future], timeout=0.2).done:
            check()
        # A signal that ends the workers too comes before what they left undone.
        check()
        return future.result()
    finally:
        future.cancel()


def _apply(function: Callable[[T], R], items: list[T]) -> list[R]:
    return [function(item) for item in items]


def answer_call(function: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None, str]:
    """Return the result of a call, or the error that was raised, and where."""
    try:
        return function(*args), None, ""
    except Exception as error:
        return None, error, traceback.format_exc()


def unwrap_answer(result: Any, error: Exception | None, trace: str) -> Any:
    if error is not None:
        raise error from _Trace(trace)
    return result


class _Worker(NamedTuple):
    """A process, by the program's end of its pipe; whoever holds a lock may send, or receive."""

    connection: Connection
    sending: Lock
    receiving: Lock


def _ask(free: "SimpleQueue[_Worker]", *call: Any) -> Any:
    """Pass a call on to a process that is free, and wait for the answer.

    Each process is free twice: while the process works on one call, and while the answer is read
    here, the next call waits in the pipe. Answers come in the order of the calls, so whoever has
    sent holds the way until it is that call's turn to receive.

    Each process has a pipe of its own. The standard ProcessPoolExecutor shares one pipe between all
    processes: if one is killed while it writes a long answer, the program waits for the rest of the
    answer for ever.
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
        raise WorkersLost(
            "--workers", "a worker process died, perhaps for want of memory; try fewer of them"
        ) from broken
    finally:
        free.put(worker)
    return unwrap_answer(*pickle.loads(answer))


def _work(
    connection: Connection, inherited: list[Connection], prepare: Callable[[], object]
) -> None:
    """Answer calls until the other end of the connection is closed.

    A forked process inherits the program's ends of all connections so far. They are closed first:
    otherwise they would stay open when the program is killed, and its workers would wait on.
    """
    for other in inherited:
        other.close()
    # Ctrl-C reaches every process of a terminal; ending the workers is left to the program.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    prepare()
    try:
        while True:
            function, *args = connection.recv()
            connection.send(answer_call(function, *args))
    except (EOFError, OSError, MemoryError):
        # The program learns from the silence, whatever is missing here.
        return
