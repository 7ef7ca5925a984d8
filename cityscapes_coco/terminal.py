"""A program's numbers from the command line, and its end: one line and a code, no traceback."""

import argparse
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from cityscapes_coco.errors import DatasetError, one_line

# What asks a program to end: Ctrl-C, `kill` or a shutdown, and a terminal that goes away.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def whole_number(text: str, least: int = 0) -> int:
    """Return an option's number, for argparse, which exits with code 2 if there is none."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
    return int(text)


def prepare_streams() -> None:
    """Make sure that there is an output, whatever the program was started with, that it takes every
    character, and that nothing but the program writes there."""
    # The next file to be opened would get the number of a stream that is closed, and with it what
    # is written to that stream. So the free numbers are taken.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    sys.stdout = _reopen(sys.stdout, 1)
    # libpng tells of each damaged file to number 2, which nobody can switch off.
    sys.stderr = _reopen(sys.stderr, os.dup(2))
    os.dup2(number, 2)
    os.close(number)
    if not sys.warnoptions:
        # Pillow's tell where in Pillow they come from, and never which file they are about.
        warnings.simplefilter("ignore")


def _reopen(stream: TextIO | None, number: int) -> TextIO:
    encoding = stream.encoding if stream else None
    return os.fdopen(
        number, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False
    )


def guard(program: Callable[[], int]) -> int:
    """Return the exit code of `program`; if it fails or is stopped, say so on one line."""
    try:
        try:
            return _guard_run(program)
        finally:
            # Where the output went nowhere, Python would tell so too late, and at length.
            sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            # Whoever read it, such as `head`, has seen enough. The code is that of SIGPIPE.
            _give_up(sys.stderr)
            return 128 + 13
        return _fail(f"standard output: {error.strerror}")


def _guard_run(program: Callable[[], int]) -> int:
    try:
        return program()
    except DatasetError as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("out of memory")
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return _fail(f"{where}{error.strerror or error}")
    except KeyboardInterrupt as stop:
        [number] = stop.args or [signal.SIGINT]
        _say("interrupted; no file was left half-written")
        return 128 + int(number)
    except Exception as error:  # a fault of the program, which its user can only report
        place = traceback.extract_tb(error.__traceback__)[-1]
        _fail(
            f"a fault of this program, please report it: {type(error).__name__}: {error}"
            f" ({Path(place.filename).name}, line {place.lineno})"
        )
        return 70  # EX_SOFTWARE of sysexits.h


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal that asks for the end into a KeyboardInterrupt with its number.

    Whoever asks again wants it at once, and without cleaning up.
    """
    # Python lets the main thread only set signals. One that is ignored (`nohup`) stays so.
    numbers = STOP_SIGNALS if threading.current_thread() is threading.main_thread() else []
    previous = {
        number: handler
        for number in numbers
        if (handler := signal.getsignal(number)) in (signal.SIG_DFL, signal.default_int_handler)
    }

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def stop(number: int, frame: FrameType | None) -> None:
        restore()
        raise KeyboardInterrupt(number)

    try:
        for number in previous:
            signal.signal(number, stop)
        yield
    finally:
        restore()


def _give_up(stream: TextIO) -> None:
    """Let the rest of an output vanish, which Python would try to write once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(reason: str) -> int:
    _say(f"error: {reason}")
    return 1


def _say(message: str) -> None:
    with suppress(OSError):
        print(one_line(message), file=sys.stderr)
