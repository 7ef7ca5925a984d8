"""Where work is done: in this process, in several processes, or on a cluster.

Each way gives one thing: a function with the meaning of the builtin `map`. Its results are in
order, are made only a little ahead of whoever asks for them, and an error of the work is raised in
the place of its result. Unlike `map`, it takes one iterable, and what travels has to pickle.
"""

import asyncio
import logging
import multiprocessing
import pickle
import signal
import sys
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from cityscapes_coco.errors import UserError
from cityscapes_coco.terminal import STOP_SIGNALS, ctrl_c_held

T = TypeVar("T")
R = TypeVar("R")

# Items that travel together: enough to make the journey cheap, few enough that all workers finish
# at about the same time.
_CHUNK = 4
# Chunks that are under way for each worker: enough to keep all busy while a slow one is awaited.
_AHEAD = 4

# Seconds until a scheduler has let a client in; and until a scheduler or a worker, which may have
# to load this package, has answered, or a cluster that lost all workers has one again.
_CONNECT, _PATIENCE = 5, 20

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


def _do_nothing() -> None:
    pass


@contextmanager
def start_workers(
    count: int,
    *,
    prepare: Callable[[], object] = _do_nothing,
    check: Callable[[], object] = _do_nothing,
) -> Iterator[Map]:
    """Give a map that works in `count` processes; in this process if the count is 1.

    `prepare` is called once in each process that works. `check` is called between results and while
    one is awaited; what it raises ends the work. When the context is left, for whatever reason, the
    processes are ended at once. A process that dies before raises
    WorkersLost.
    """
    if count == 1:
        prepare()
        yield partial(_map_here, check)
        return
    connections: list[Connection] = []
    processes = []
    threads = ThreadPoolExecutor(count)
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
        idle: SimpleQueue[Connection] = SimpleQueue()
        for connection in connections:
            idle.put(connection)
        yield partial(_map_ahead, partial(threads.submit, _ask, idle), _AHEAD * count, check)
    finally:
        for process in processes:
            process.kill()
        # The processes are gone, so their connections end, and with them what the threads wait for.
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()


@contextmanager
def connect_cluster(
    address: str, *, probe: Callable[[], str] = str, check: Callable[[], object] = _do_nothing
) -> Iterator[Map]:
    """Give a map that works on the Dask cluster whose scheduler is at `address`.

    `probe` is called in every worker at first, and again before each chunk, as workers may join
    later: it returns what the process lacks, or "". `check` is as for `start_workers`. If workers
    are lost, others do their work again. Raises UserError if there is no such cluster, and
    WorkersLost if a worker lacks something or the cluster cannot go on.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        reason = "needs the package distributed: pip install -r requirements-cluster.txt"
        raise UserError(address, reason) from error
    cluster = _Cluster(address, probe)
    # The client lives in a thread of its own, so that `check` is called whatever hangs.
    loop = asyncio.new_event_loop()
    # An error that matters is raised by a call, too; the event loop would log it.
    loop.set_exception_handler(lambda *_: None)
    thread = Thread(target=loop.run_forever, daemon=True)

    def start(function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(function(*args), loop)

    def check_both() -> None:
        check()
        if watch.done():
            watch.result()

    with _silence_distributed():
        thread.start()
        try:
            threads = _await(start(cluster.open), check)
            watch = start(cluster.watch)
            yield partial(_map_ahead, partial(start, cluster.work), _AHEAD * threads, check_both)
        finally:
            wait([start(cluster.close)], _PATIENCE)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE)
            if not thread.is_alive():
                loop.close()


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


def _map_ahead(
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
            yield from _await(pending.popleft(), check)
    finally:
        for future in pending:
            future.cancel()


def _await(future: "Future[T]", check: Callable[[], object]) -> T:
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


def _answer(function: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None, str]:
    """Return the result of a call, or the error that was raised, and where."""
    try:
        return function(*args), None, ""
    except Exception as error:
        return None, error, traceback.format_exc()


def _unwrap(result: Any, error: Exception | None, trace: str) -> Any:
    if error is not None:
        raise error from _Trace(trace)
    return result


def _ask(idle: "SimpleQueue[Connection]", *call: Any) -> Any:
    """Pass a call on to a process that is idle, and wait for the answer.

    Each process has a pipe of its own. The standard ProcessPoolExecutor shares one pipe between all
    processes: if one is killed while it writes a long answer, the program waits for the rest of the
    answer for ever.
    """
    connection = idle.get()
    try:
        connection.send(call)
        answer = connection.recv()
    except (EOFError, OSError) as broken:
        raise WorkersLost(
            "--workers", "a worker process died, perhaps for want of memory; try fewer of them"
        ) from broken
    finally:
        idle.put(connection)
    return _unwrap(*answer)


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
            connection.send(_answer(function, *args))
    except (EOFError, OSError, MemoryError):
        # The program learns from the silence, whatever is missing here.
        return


class _Cluster:
    """The client of a Dask cluster, in an event loop. Every wait but that for work is bounded."""

    def __init__(self, address: str, probe: Callable[[], str]) -> None:
        self.address = address
        self.probe = probe
        self.client: Any = None
        self.lock = asyncio.Lock()

    async def open(self) -> int:
        """Connect, ask all workers, and return how many threads they have."""
        from distributed import Client

        try:
            self.client = Client(
                self.address, timeout=_CONNECT, asynchronous=True, set_as_default=False
            )
            await asyncio.wait_for(self.client, _CONNECT)
        except Exception as error:
            reason = "no Dask scheduler answers there; it prints its address when it starts"
            detail = f" ({error})" if str(error) else ""
            raise UserError(self.address, reason + detail) from error
        threads = await self.ask_workers()
        if not threads:
            raise UserError(self.address, "the cluster has no workers; start some with dask worker")
        return threads

    async def count_threads(self) -> dict[str, int]:
        """Return how many threads each worker has."""
        try:
            return dict(await asyncio.wait_for(self.client.nthreads(), _PATIENCE))
        except Exception as error:
            raise WorkersLost(self.address, "the scheduler does not answer any more") from error

    async def ask_workers(self) -> int:
        """Return how many threads there are; raise WorkersLost if a worker lacks something."""
        threads = await self.count_threads()
        await asyncio.gather(*map(self._ask, threads))
        return sum(threads.values())

    async def _ask(self, worker: str) -> None:
        asked = self.client.run(pickle.loads, _pickle_call(self.probe), workers=[worker])
        try:
            lack = (await asyncio.wait_for(asked, _PATIENCE))[worker]
        except (OSError, asyncio.TimeoutError):
            lack = "this worker does not answer"
        except ModuleNotFoundError as error:
            lack = f"lacks the package {error.name}: pip install ."
        except Exception as error:
            lack = f"cannot use this version of {__package__}: pip install . ({error})"
        if lack:
            raise WorkersLost(worker, lack)

    async def watch(self) -> None:
        """Raise WorkersLost when the scheduler, or every worker, is gone for good."""
        seen = time.monotonic()
        while time.monotonic() < seen + _PATIENCE:
            await asyncio.sleep(1)
            if await self.count_threads():
                seen = time.monotonic()
        raise WorkersLost(self.address, "all workers of the cluster are gone")

    async def work(self, *call: Any) -> Any:
        """Return the result of a call that is made in a worker."""
        from distributed import KilledWorker

        payload = _pickle_call(_answer, _call_if_fit, self.probe, *call)
        try:
            answer = await self.client.submit(pickle.loads, payload, pure=False)
        except KilledWorker as killed:
            reason = "workers of the cluster died, perhaps for want of memory"
            raise WorkersLost(self.address, reason) from killed
        except Exception as lost:
            # A worker that lacks something fails chunk after chunk; once is enough to ask.
            async with self.lock:
                await self.ask_workers()
            raise WorkersLost(self.address, f"the cluster gave the work up: {lost!r}") from lost
        return _unwrap(*answer)

    async def close(self) -> None:
        if self.client is not None:
            with suppress(Exception):
                await asyncio.wait_for(self.client.close(), _CONNECT)
        # Tasks that are left when an event loop ends would say so when Python does.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_CONNECT)


def _pickle_call(*call: Any) -> bytes:
    """Return bytes that call a function with some arguments where they are unpickled.

    Whoever passes them on need not have this package, as a scheduler may not; and to lack it is an
    error of the call like any other.
    """
    return pickle.dumps(_Call(call))


class _Call(tuple[Any, ...]):
    def __reduce__(self) -> tuple[Any, ...]:
        return self[0], self[1:]


def _call_if_fit(probe: Callable[[], str], function: Callable[..., R], *args: Any) -> R:
    if lack := probe():
        from distributed import get_worker

        raise WorkersLost(get_worker().address, lack)
    return function(*args)


@contextmanager
def _silence_distributed() -> Iterator[None]:
    """Keep warnings and log lines of the library, and of what it uses, from standard error."""
    with ExitStack() as stack:
        for name in "distributed", "distributed.client", "tornado", "tornado.application":
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL + 1)
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", module="distributed")
        yield
