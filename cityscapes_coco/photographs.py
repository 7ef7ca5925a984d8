"""A photograph's size, from its header."""

import os
import stat
import warnings

from PIL import Image


def read_size(path: str) -> tuple[int, int] | None:
    """Return (width, height) of the photograph at `path`, in pixels; None if it cannot be read.

    Photographs need not be there, and nothing but the size is asked of them.
    """
    try:
        # Anything but a file might never end, a pipe for example.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return None
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib takes several times as long)
            head = file.read(24)
            if head[12:16] == b"IHDR":
                return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:], "big")
            with warnings.catch_warnings():
                # Pillow's warnings tell where in Pillow they come from, and never of which file.
                warnings.simplefilter("ignore")
                with Image.open(file) as photograph:
                    width, height = photograph.size
                    return width, height
    except Exception:  # Pillow raises whatever a damaged file makes its parser stumble on
        return None
