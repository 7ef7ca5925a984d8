"""Windows that show pictures until they are closed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from matplotlib import pyplot
from matplotlib.figure import Figure

from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures import WINDOWS_BACKEND, use_own_settings
from cityscapes_coco.pictures.composing import compose, list_layers
from cityscapes_coco.pictures.examples import Example
from cityscapes_coco.pictures.text import plain_text

_SIZE = (12.8, 7.35)  # in hundreds of pixels
_QT = ("PyQt6", "PySide6", "PyQt5", "PySide2")
_START_QT = (
    "from matplotlib.backends.qt_compat import QtWidgets; app = QtWidgets.QApplication(['probe'])"
)


def open_window() -> Figure | str:
    """Return a figure in a window that is not yet shown, or a text that says why there is none."""
    screens = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not screens:
        return "no display"
    use_own_settings()
    is_qt_broken = _is_qt_broken(WINDOWS_BACKEND)
    backend = "tkagg" if is_qt_broken else WINDOWS_BACKEND
    try:
        if backend:
            pyplot.switch_backend(backend)
        figure = pyplot.figure(figsize=_SIZE, dpi=100)
        if figure.canvas.required_interactive_framework is None:
            raise RuntimeError(f"MPLBACKEND is {backend}" if backend else "no usable display")
    except Exception as error:  # each toolkit has its own error for a display that cannot be used
        if is_qt_broken:
            return "Qt opens no window here (install libxcb-cursor0, or python3-tk)"
        if not _has_toolkit():
            return "no toolkit for windows (install python3-tk)"
        return f"no window ({plain_text(str(error))})"
    # Keep only matplotlib's key for closing: l, for example, makes axes logarithmic.
    for key in pyplot.rcParams:
        if key.startswith("keymap."):
            pyplot.rcParams[key] = ["q"] if key == "keymap.quit" else []
    return figure


def show_page(figure: Figure, draw: Callable[[Figure], object], title: str) -> None:
    """Show a page in a window until it is closed. Ctrl-C closes it and raises KeyboardInterrupt."""
    draw(figure)
    _set_title(figure, title)
    _wait_until_closed(figure)


def show_examples(figure: Figure, count: int, load: Callable[[int], Example]) -> None:
    """Show `count` examples in a window, one at a time, until it is closed.

    `load` returns an example by its number, from 0. If it raises UserError, the window closes and
    the error is raised here. Ctrl-C closes the window and raises KeyboardInterrupt.
    """
    number = 0
    left_out: set[str] = set()
    failures: list[UserError] = []
    load = lru_cache(maxsize=1)(load)

    def draw() -> None:
        example = load(number)
        _draw_example(figure, example, left_out)
        states = {layer: "off" if layer in left_out else "on" for layer in list_layers(example)}
        keys = [f"{layer[0]} {layer} {state}" for layer, state in states.items()]
        place = f"{plain_text(example.title)} ({number + 1} of {count})"
        _set_title(figure, "  |  ".join((place, "left right", *keys, "q close")))
        figure.canvas.draw_idle()

    def press(event: Any) -> None:
        nonlocal number
        number = (number + {"right": 1, "left": -1}.get(event.key, 0)) % count
        try:
            layers = list_layers(load(number))
            left_out.symmetric_difference_update(x for x in layers if event.key == x[0])
            draw()
        except UserError as error:
            failures.append(error)
            pyplot.close(figure)

    figure.canvas.mpl_connect("key_press_event", press)
    figure.canvas.mpl_connect("resize_event", lambda event: draw())
    draw()
    _wait_until_closed(figure)
    if failures:
        raise failures[0]


def _draw_example(figure: Figure, example: Example, left_out: set[str]) -> None:
    """Draw an example as large as the window has room for, its writing as large as when saved."""
    figure.clear()
    width, height = figure.get_size_inches() * figure.dpi
    rows, columns = example.photo.shape[:2]
    # The legend takes about a tenth of the height.
    scale = float(max(columns / width, rows / (0.9 * height)))
    page = compose(example, {*list_layers(example)} - left_out, scale)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_anchor("NW")
    axes.imshow(page)


def _has_toolkit() -> bool:
    with suppress(ImportError):
        import tkinter  # noqa: F401

        return True
    return any(map(find_spec, _QT))


def _is_qt_broken(backend: str) -> bool:
    """Return whether Qt, which matplotlib would use, ends the process that starts it. It does so
    where a library of the system is missing, and no error can be caught."""
    if (backend and not backend.lower().startswith("qt")) or not any(map(find_spec, _QT)):
        return False
    return bool(subprocess.run([sys.executable, "-c", _START_QT], capture_output=True).returncode)


def _wait_until_closed(figure: Figure) -> None:
    # A toolkit prints and drops what is raised while it draws, so Ctrl-C is only noted here.
    interrupts: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))

    def close_if_interrupted() -> bool:
        if interrupts:
            pyplot.close(figure)
        return True

    timer = figure.canvas.new_timer(interval=100)
    timer.add_callback(close_if_interrupted)
    timer.start()
    try:
        pyplot.show()
    finally:
        signal.signal(signal.SIGINT, previous)
    if interrupts:
        raise KeyboardInterrupt


def _set_title(figure: Figure, title: str) -> None:
    if figure.canvas.manager:
        figure.canvas.manager.set_window_title(title)
