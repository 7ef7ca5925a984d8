"""Arguments that several verbs have in common."""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path


def whole_number(text: str, least: int = 0) -> int:
    """Return the number in `text`; anything else is a wrong command line."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
    return int(text)


positive = partial(whole_number, least=1)


def given_path(text: str) -> Path:
    """Return a path. An empty text, as from a shell variable that is not set, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name")
    return Path(text)


def is_page(path: Path) -> bool:
    """Return whether a path names the file of a page, not a folder such as run.v2."""
    return path.suffix.lower() in (".png", ".pdf", ".svg") and not path.is_dir()


def name_page(path: Path, name: str) -> Path:
    """Return the file of a page: `path` if it names one, or else `name` in that folder."""
    return path if is_page(path) else path / name


def add_workers(add: Callable[..., object]) -> None:
    """Add --workers with `add`, the method of a parser or group."""
    meaning = f"processes (default: the cores that may be used, {usable_cores()})"
    add("--workers", type=positive, metavar="N", help=meaning)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
