"""Where frames are converted: in this process, or in several."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def start_workers(count: int) -> Iterator[Executor | None]:
    """Give an executor with `count` processes, or None where this process is enough.

    If anything fails, what has not begun is given up.
    """
    if count == 1:
        yield None
        return
    with ProcessPoolExecutor(count, initializer=_follow_parent) as executor:
        with _interrupts_held():
            # A pool starts processes as work comes in; from here on it has them all.
            for _ in range(count):
                executor.submit(os.getpid)
        try:
            yield executor
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put Ctrl-C off: a pool that is interrupted while it starts cannot be shut down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts: list[int] = []
    # A fork inherits the function; a new interpreter only that a signal is ignored.
    forks = multiprocessing.get_start_method() == "fork"
    hold = (lambda number, _: interrupts.append(number)) if forks else signal.SIG_IGN
    previous = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if interrupts:
        raise KeyboardInterrupt


def _follow_parent() -> None:
    """Leave it to the parent to end this worker, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
