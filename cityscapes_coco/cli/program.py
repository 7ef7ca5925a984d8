"""How a program starts and ends: its streams, its main function, and its exit code.

Few modules are imported here: until `end_at_ctrl_c` has run, Ctrl-C prints a traceback.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from functools import partial

from cityscapes_coco.errors import UserError, one_line, started_as

_OUT_OF_MEMORY = "out of memory; try fewer --workers"
# How Python, the loader of shared libraries, and numpy say that there is too little memory.
_SIGNS_OF_MEMORY = "can't start new thread", "failed to map segment", "Cannot allocate memory"
# How packages say that they were built for another numpy.
_SIGNS_OF_ABI = "binary incompatibility", "compiled against ABI", "compiled using NumPy"

TYPE_CHECKING = False  # importing it from `typing` would take a while
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def load_verb(verb: str) -> Callable[..., int]:
    """Return the main function of a script, for `convert`, `inspect` or `evaluate`. It imports the
    module of the verb. Without a list of arguments it takes the arguments of the process."""
    return partial(run_verb, "", verb)


def run_verb(program: str, verb: str, *argv: list[str]) -> int:
    """Run `convert`, `inspect` or `evaluate`, started as `program`, and return the exit code."""
    from importlib import import_module

    before = started_as.set(program)
    try:
        return int(import_module(f"cityscapes_coco.cli.{verb}").main(*argv))
    finally:
        started_as.reset(before)


def run_script(main: Callable[[], int]) -> None:
    """Run a main function, and end this process with its exit code."""
    end_at_ctrl_c()
    open_streams()
    raise SystemExit(main())


def end_at_ctrl_c() -> None:
    """Make Ctrl-C end the process silently, for as long as there is nothing to clean up. Otherwise
    Python prints which import it was at."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def open_streams() -> None:
    """Make sure that stdout and stderr are open and take every character. A program may be started
    with streams that are closed, or whose encoding lacks most characters."""
    # A closed stream leaves its number free. The next file that is opened would get the number, and
    # then the program's output. So open something harmless under each free number.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout = _reopen(sys.stdout, 1)
    sys.stderr = _reopen(sys.stderr, 2)


def run_program(program: Callable[[], int]) -> int:
    """Call a program and return its exit code; print one line if it fails or is interrupted. A
    fault of the program itself prints its traceback; the exit code is 70."""
    try:
        try:
            return _run(program)
        finally:
            # Python itself would flush after the end, and print several lines if that fails.
            sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            # The reader, such as `head`, has seen enough. A shell shows this code for SIGPIPE.
            _give_up(sys.stderr)
            return 128 + 13
        return _fail(f"standard output: {error.strerror}")


def _run(program: Callable[[], int]) -> int:
    try:
        return program()
    except UserError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if str(error.name).startswith("cityscapes_coco"):
            return _report_fault()
        return _fail(f"the package {error.name} is missing: {_name_remedy()}")
    except MemoryError:
        return _fail(_OUT_OF_MEMORY)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return _fail(_OUT_OF_MEMORY)
        # If it was the standard output that failed, this fails, too, and `run_program` says so.
        sys.stdout.flush()
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return _fail(f"{where}{error.strerror or error}")
    except KeyboardInterrupt as stop:
        [number] = stop.args or [signal.SIGINT]
        _say("interrupted; no file was left half-written")
        return 128 + int(number)
    except Exception as error:
        reason = _explain_environment(error)
        return _fail(reason) if reason else _report_fault()


def _explain_environment(error: Exception) -> str:
    """Return what is wrong if it is the environment: too little memory, or a package that cannot be
    loaded or is incomplete. Return an empty text if it may be a fault of the program."""
    # numpy raises an error with a page of advice, from the one that says what happened.
    while error.__cause__ and isinstance(error.__cause__, ImportError):
        error = error.__cause__
    text = next(iter(str(error).strip().splitlines()), "")
    if any(sign in text for sign in _SIGNS_OF_MEMORY):
        return _OUT_OF_MEMORY
    remedy = f"remove it, and then {_name_remedy()}"
    if "libGL" in text:
        remedy = "pip uninstall opencv-python, and pip install opencv-python-headless"
    if isinstance(error, ImportError) and not str(error.name).startswith("cityscapes_coco"):
        package = f"the package {error.name}" if error.name else "a package"
        return f"{package} cannot be loaded: {text}; {remedy}"
    if any(sign in text for sign in _SIGNS_OF_ABI):
        return f"two packages do not fit together: {text}; {_name_remedy()}"
    # By its text: the error of a worker has lost the module.
    start, _, rest = text.partition("' has no attribute '")
    package = start.removeprefix("module '")
    if rest and package != start and not package.startswith("cityscapes_coco"):
        return f"the package {package} is incomplete: it has no {rest.rstrip(chr(39))}; {remedy}"
    return ""


def _name_remedy() -> str:
    """Return how the packages that the program needs are installed."""
    is_script = started_as.get() == ""
    return "pip install -r requirements.txt" if is_script else "install cityscapes-coco again"


def _report_fault() -> int:
    """Print the traceback of a fault of the program, and ask the user to report it."""
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
    """Send the rest of an output nowhere; Python would try to write it again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(reason: str) -> int:
    _say(f"error: {reason}")
    return 1


def _say(message: str) -> None:
    with suppress(OSError):
        print(one_line(message), file=sys.stderr)
