"""The file of a photograph, of any kind that Pillow knows: its size, and its pixels when needed."""

import os
import stat
import warnings
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def read_size(path: str) -> tuple[int, int] | None:
    """Return (width, height) of the photograph at `path`, in pixels; None if it cannot be read. A
    photograph may be missing: nobody needs more of it than its size."""
    try:
        # Reading anything but a file might never end; think of a pipe.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return None
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib takes several times as long)
            head = file.read(24)
            if head[12:16] == b"IHDR":
                return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:], "big")
            if len(head) < 24:  # too short for any photograph
                return None
            with open_photograph(file) as photograph:
                width, height = photograph.size
            return width, height
    except Exception:  # a damaged file can make Pillow raise anything
        return None


def open_photograph(file: "str | os.PathLike[str] | IO[bytes]") -> "Image.Image":
    """Open a photograph without loading its pixels. A damaged file can make Pillow raise anything,
    here or when the pixels are loaded."""
    # Pillow takes a while to import, and the size of a PNG file is had without it.
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow's warnings name a line of Pillow, but never the file.
        warnings.simplefilter("ignore")
        return Image.open(file)
