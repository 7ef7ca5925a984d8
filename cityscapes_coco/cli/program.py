"""A program's streams, the signals that end a program, and the end: one line and an exit code.

Little is imported here: until `end_at_ctrl_c` has run, Ctrl-C shows a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from cityscapes_coco.errors import UserError, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, TextIO

    class Main(Protocol):
        """The main function of a verb; without `argv` it takes the arguments of the process."""

        def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def load_verb(verb: str) -> Main:
    """Return the main function of a verb, `convert`, `inspect` or `evaluate`; its module is loaded
    when the function is called."""

    def main(argv: Sequence[str] | None = None) -> int:
        from importlib import import_module

        main: Main = import_module(f"cityscapes_coco.cli.{verb}").main
        return main(argv)

    return main


def run_script(main: Main) -> None:
    """Run a main function as this process, which ends with its exit code."""
    end_at_ctrl_c()
    open_streams()
    raise SystemExit(main())


def end_at_ctrl_c() -> None:
    """Have Ctrl-C end the program at once and in silence, as long as there is nothing to clean up.

    Meant for the first line of a script: Python would show where in its imports it was.
    """
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_program(program: Callable[[], int]) -> int:
    """Return the exit code of a program; if the program fails or is stopped, say so on one line.

    A fault of the program itself ends with its traceback and exit code 70.
    """
    try:
        try:
            return _run(program)
        finally:
            # Where the output went nowhere, Python would tell so too late, and at length.
            sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            # Whoever read the output, such as `head`, has seen enough. The code is that of SIGPIPE.
            _give_up(sys.stderr)
            return 128 + 13
        return _fail(f"standard output: {error.strerror}")


def open_streams() -> None:
    """Give the program an output and an error stream that take every character.

    A program may be started with streams that are closed, or whose encoding lacks most characters.
    """
    # The next file to be opened would get the number of a stream that is closed, and with it what
    # is written to that stream. So the free numbers are taken.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout = _reopen(sys.stdout, 1)
    sys.stderr = _reopen(sys.stderr, 2)


def _run(program: Callable[[], int]) -> int:
    try:
        return program()
    except UserError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if str(error.name).startswith("cityscapes_coco"):
            return _report_fault()
        return _fail(f"the package {error.name} is missing: pip install -r requirements.txt")
    except MemoryError:
        return _fail("out of memory; try fewer --workers")
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return _fail(f"{where}{error.strerror or error}")
    except KeyboardInterrupt as stop:
        [number] = stop.args or [signal.SIGINT]
        _say("interrupted; no file was left half-written")
        return 128 + int(number)
    except Exception:
        return _report_fault()


def _report_fault() -> int:
    """Show a fault of the program, which its user can only report."""
    import traceback

    with suppress(OSError):
        traceback.print_exc()
    _say("this is a fault of the program; please report it with the lines above")
    return 70  # EX_SOFTWARE of sysexits.h


def _reopen(stream: TextIO | None, number: int) -> TextIO:
    encoding = stream.encoding if stream else None
    return os.fdopen(
        number, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False
    )


def _give_up(stream: TextIO) -> None:
    """Let the rest of an output vanish, which Python would try to write once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(reason: str) -> int:
    _say(f"error: {reason}")
    return 1


def _say(message: str) -> None:
    with suppress(OSError):
        print(one_line(message), file=sys.stderr)
