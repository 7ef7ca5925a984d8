"""Windows that show pictures until they are closed."""

import signal
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from matplotlib import pyplot
from matplotlib.figure import Figure

from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures.drawings import Example
from cityscapes_coco.pictures.figures import draw_example, list_layers

_SIZE = (12.8, 7.35)  # in hundreds of pixels


def open_window() -> Figure | None:
    """Return a figure in a window that is not yet shown, or None if there is no display."""
    try:
        figure = pyplot.figure(figsize=_SIZE, dpi=100)
    except Exception:  # each toolkit has its own error for a display that cannot be used
        return None
    if figure.canvas.required_interactive_framework is None:
        return None
    # Keep only matplotlib's key for closing: l, for example, makes axes logarithmic.
    for key in pyplot.rcParams:
        if key.startswith("keymap."):
            pyplot.rcParams[key] = ["q"] if key == "keymap.quit" else []
    return figure


def show_figure(figure: Figure, title: str) -> None:
    """Show a window until it is closed. Ctrl-C closes it and raises KeyboardInterrupt."""
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
        draw_example(figure, example, {*list_layers(example)} - left_out)
        keys = [
            f"{layer[0]} {layer} {'off' if layer in left_out else 'on'}"
            for layer in list_layers(example)
        ]
        place = f"{example.title} ({number + 1} of {count})"
        _set_title(figure, "  |  ".join((place, "left right", *keys, "q close")))
        figure.canvas.draw_idle()

    def press(event: Any) -> None:
        nonlocal number
        number = (number + {"right": 1, "left": -1}.get(event.key, 0)) % count
        try:
            left_out.symmetric_difference_update(
                layer for layer in list_layers(load(number)) if event.key == layer[0]
            )
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
