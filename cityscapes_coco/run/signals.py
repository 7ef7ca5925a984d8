"""The signals that ask a program to end.

Little is imported here: until Ctrl-C has been made quiet, it shows a traceback.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TYPE_CHECKING = False  # as in `typing`, which would take a while to load
if TYPE_CHECKING:
    from types import FrameType


# What asks a program to end: Ctrl-C, `kill` or a shutdown, and a terminal that goes away.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Give a function that raises KeyboardInterrupt, with its number, if a signal to end has come.

    So a signal never raises an error inside code that cannot bear one. Whoever asks a second time
    wants the end at once, and without cleaning up.
    """
    import threading

    received: list[int] = []
    # Python lets the main thread only set signals. A signal that is ignored (`nohup`) stays so.
    numbers = STOP_SIGNALS if threading.current_thread() is threading.main_thread() else []
    previous = {
        number: handler
        for number in numbers
        if (handler := signal.getsignal(number)) in (signal.SIG_DFL, signal.default_int_handler)
    }

    def note(number: int, frame: FrameType | None) -> None:
        # The handlers stay until then: Python complains of a signal that came at the same time as
        # another one, whose handler has removed its own.
        if received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        received.append(number)

    def check() -> None:
        if received:
            raise KeyboardInterrupt(received[0])

    try:
        for number in previous:
            signal.signal(number, note)
        yield check
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Hold Ctrl-C back until the context is left; processes started in it never see Ctrl-C."""
    if hasattr(signal, "pthread_sigmask"):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    else:  # Windows
        yield
