"""Work on the machines of a Dask cluster: a map like that in `workers.py`.

Only this module needs the package distributed.
"""

import asyncio
import logging
import os
import pickle
import time
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from cityscapes_coco.errors import UserError
from cityscapes_coco.run.workers import (
    AHEAD,
    Map,
    WorkersLost,
    answer_call,
    await_future,
    map_ahead,
    unwrap_answer,
)
from cityscapes_coco.version import __version__

_PACKAGE = "cityscapes_coco"

T = TypeVar("T")
R = TypeVar("R")

# Seconds to wait for a scheduler to accept a client.
_CONNECT = 5
# Seconds to wait for an answer of a scheduler, or of a worker, which may have to load this package;
# and for a cluster that lost all workers to get one again.
_PATIENCE = 20


@contextmanager
def connect_cluster(
    address: str, folders: Iterable[Path] = (), *, check: Callable[[], object] = lambda: None
) -> Iterator[Map]:
    """Give a map that works on the Dask cluster whose scheduler is at `address`.

    Each worker needs this version of the package and has to be able to read the `folders`. That is
    checked in every worker at the start, and before each chunk of work, since workers may join
    later. `check` is as for `start_workers`. If workers are lost, others repeat their work. Raises
    UserError if there is no such cluster, and WorkersLost if a worker lacks something or the
    cluster cannot go on.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        reason = "needs the package distributed: pip install -r requirements-cluster.txt"
        raise UserError(address, reason) from error
    cluster = _Cluster(address, partial(_explain_lack, __version__, list(folders)))
    # The client runs in a thread of its own, so that `check` is called even if the client hangs.
    loop = asyncio.new_event_loop()
    # The event loop would log errors; those that matter are raised by a call, too.
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
            threads = await_future(start(cluster.open), check)
            watch = start(cluster.watch)
            yield partial(map_ahead, partial(start, cluster.work), AHEAD * threads, check_both)
        finally:
            wait([start(cluster.close)], _PATIENCE)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE)
            if not thread.is_alive():
                loop.close()


class _Cluster:
    """The client of a Dask cluster. It waits a bounded time for everything except work."""

    def __init__(self, address: str, probe: Callable[[], str]) -> None:
        self.address = address
        self.probe = probe
        self.client: Any = None
        self.lock = asyncio.Lock()

    async def open(self) -> int:
        """Connect, probe all workers, and return how many threads they have."""
        from distributed import Client

        try:
            kind = {"asynchronous": True, "set_as_default": False}
            self.client = Client(self.address, timeout=_CONNECT, **kind)
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
        try:
            return dict(await asyncio.wait_for(self.client.nthreads(), _PATIENCE))
        except Exception as error:
            reason = "the scheduler does not answer any more; start it again"
            raise WorkersLost(self.address, reason) from error

    async def ask_workers(self) -> int:
        """Return how many threads there are. Raise WorkersLost if a worker lacks something."""
        threads = await self.count_threads()
        await asyncio.gather(*map(self._ask, threads))
        return sum(threads.values())

    async def _ask(self, worker: str) -> None:
        asked = self.client.run(pickle.loads, _pickle_call(self.probe), workers=[worker])
        try:
            lack = (await asyncio.wait_for(asked, _PATIENCE))[worker]
        except (OSError, asyncio.TimeoutError):
            lack = "this worker does not answer; start it again"
        except Exception as error:
            lack = f"cannot use this version of {_PACKAGE}: pip install . ({error})"
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            # An older version of this package lacks modules, not the package.
            if missing and not missing.startswith(f"{_PACKAGE}."):
                lack = f"lacks the package {missing}: pip install ."
        if lack:
            raise WorkersLost(worker, lack)

    async def watch(self) -> None:
        """Raise WorkersLost when the scheduler, or every worker, is gone for good."""
        seen = time.monotonic()
        while time.monotonic() < seen + _PATIENCE:
            await asyncio.sleep(1)
            if await self.count_threads():
                seen = time.monotonic()
        reason = "all workers of the cluster are gone; start some with dask worker"
        raise WorkersLost(self.address, reason)

    async def work(self, *call: Any) -> Any:
        from distributed import KilledWorker

        payload = _pickle_call(answer_call, _call_if_fit, self.probe, *call)
        try:
            answer = await self.client.submit(pickle.loads, payload, pure=False)
        except KilledWorker as killed:
            reason = "workers of the cluster died, perhaps for want of memory; give them more"
            raise WorkersLost(self.address, reason) from killed
        except Exception as lost:
            # Many chunks may fail at once; they probe the workers one after the other.
            async with self.lock:
                await self.ask_workers()
            raise WorkersLost(self.address, f"the cluster gave the work up: {lost!r}") from lost
        return unwrap_answer(*answer)

    async def close(self) -> None:
        if self.client is not None:
            with suppress(Exception):
                await asyncio.wait_for(self.client.close(), _CONNECT)
        # Python would print a line at exit for each task that is left.
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=_CONNECT)


def _pickle_call(*call: Any) -> bytes:
    """Return bytes that make a call when they are unpickled. A scheduler that passes them on does
    not need this package. In a worker that lacks the package, the call fails like any other."""
    return pickle.dumps(_Call(call))


class _Call(tuple[Any, ...]):
    def __reduce__(self) -> tuple[Any, ...]:
        return self[0], self[1:]


def _explain_lack(version: str, folders: Iterable[Path]) -> str:
    """Return what this process lacks to work on the files in `folders` for a program of `version`,
    and the remedy; or ""."""
    if version != __version__:
        update = "pip install ., and start the worker again"
        return f"has version {__version__} of {_PACKAGE}, not {version}: {update}"
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            remedy = "every worker needs the data under the same, absolute path"
            return f"cannot read the folder {folder}; {remedy}"
    return ""


def _call_if_fit(probe: Callable[[], str], function: Callable[..., R], *args: Any) -> R:
    if lack := probe():
        from distributed import get_worker

        raise WorkersLost(get_worker().address, lack)
    return function(*args)


@contextmanager
def _silence_distributed() -> Iterator[None]:
    """Keep warnings and log lines of distributed and its libraries from standard error."""
    with ExitStack() as stack:
        for name in "distributed", "distributed.client", "tornado", "tornado.application":
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL + 1)
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", module="distributed")
        yield
