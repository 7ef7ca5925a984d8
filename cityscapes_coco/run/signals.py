"""The signals that ask a program to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C, `kill` or a shutdown, and a terminal that is closed.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Give a function that raises KeyboardInterrupt(number) if one of STOP_SIGNALS has arrived.

    So a signal raises its error only where the function is called, never in code that would be left
    half done. A second signal ends the process at once, without cleaning up.
    """
    received: list[int] = []
    # Only the main thread can set handlers. A signal that is ignored, as under `nohup`, stays so.
    numbers = STOP_SIGNALS if threading.current_thread() is threading.main_thread() else []
    previous = {
        number: handler
        for number in numbers
        if (handler := signal.getsignal(number)) in (signal.SIG_DFL, signal.default_int_handler)
    }

    def note(number: int, _: FrameType | None) -> None:
        # The default handlers are not restored before the second signal: if two arrive together,
        # Python complains about the one whose handler is gone.
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
    """Delay Ctrl-C until the context is left. Processes started in it never get Ctrl-C."""
    if hasattr(signal, "pthread_sigmask"):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    else:  # Windows
        yield
