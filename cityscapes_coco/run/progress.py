"""How far a long job is: a bar on a terminal, and a line a minute elsewhere."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

from cityscapes_coco.errors import started_as

T = TypeVar("T")

# Seconds between two lines. The log of a job of a day gets some 1,400.
INTERVAL = 60.0


def show_progress(items: Iterable[T], name: str, total: int) -> Iterator[T]:
    """Yield the items, one for each of `total` frames, and show on standard error how many there
    were, and how long the others will take. From Python, nothing is shown."""
    if started_as.get() is None:
        yield from items
        return
    if sys.stderr is not None and sys.stderr.isatty():
        yield from tqdm(items, name, total, unit="frame")
        return
    start = said = monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = monotonic()
        if now - said >= INTERVAL and done < total:
            said = now
            left = _describe_time((now - start) / done * (total - done))
            # A closed or full stream is no reason to stop.
            with suppress(OSError, ValueError):
                print(f"{name}: {done} of {total} frames, {left} left", file=sys.stderr)


def _describe_time(seconds: float) -> str:
    """Return a time as people say it, not more exact than it is known."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"about {minutes} minute{'s' * (minutes > 1)}"
    return f"about {round(minutes / 60)} hours"
