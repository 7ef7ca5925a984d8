"""Pages as figures of matplotlib, and the files they are saved in."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from cityscapes_coco.errors import UserError
from cityscapes_coco.pictures import text
from cityscapes_coco.pictures.settings import own_settings
from cityscapes_coco.run.files import replacing

_DPI = 128
# The date of a page, which would make each one another file.
_NO_DATE = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def plain_text(words: str) -> str:
    """Return a text as matplotlib is to draw it: between dollars, it would see a formula."""
    return text.plain_text(words).replace("$", r"\$")


def save_page(
    draw: Callable[[Figure], object], size: tuple[int, int], path: Path, option: str
) -> None:
    """Write the page that `draw` draws, of so many pixels, as PNG, PDF or SVG.

    Raises UserError, which names the option, if it cannot be written.
    """
    width, height = size
    with own_settings():
        figure = Figure((width / _DPI, height / _DPI), dpi=_DPI)
        draw(figure)
        try:
            with replacing(path) as file:
                kind = path.suffix.lower()
                figure.savefig(file, format=kind[1:], dpi=_DPI, metadata=_NO_DATE[kind])
        except OSError as error:
            raise UserError(path, f"cannot be written: {error.strerror}; see {option}") from error
