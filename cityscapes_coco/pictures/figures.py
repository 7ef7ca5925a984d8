"""Pages as figures of matplotlib, and the files they are saved in."""

import io
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from cityscapes_coco.pictures import own_settings, text
from cityscapes_coco.run.files import write_file

_DPI = 128
# The date of a page, which would make each one another file.
_NO_DATE = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def plain_text(words: str) -> str:
    """Return a text as matplotlib is to draw it: between dollars, it would see a formula."""
    return text.plain_text(words).replace("$", r"\$")


def render_page(
    draw: Callable[[Figure], object], size: tuple[int, int], kind: str = ".png"
) -> bytes:
    """Return the file of the page that `draw` draws, of so many pixels: .png, .pdf or .svg."""
    width, height = size
    content = io.BytesIO()
    with own_settings():
        figure = Figure((width / _DPI, height / _DPI), dpi=_DPI)
        draw(figure)
        figure.savefig(content, format=kind[1:], dpi=_DPI, metadata=_NO_DATE[kind])
    return content.getvalue()


def save_page(
    draw: Callable[[Figure], object], size: tuple[int, int], path: Path, option: str
) -> None:
    """Write the page that `draw` draws, of so many pixels, as PNG, PDF or SVG. Raises UserError,
    which names the option, if it cannot be written."""
    write_file(path, render_page(draw, size, path.suffix.lower()), option)
