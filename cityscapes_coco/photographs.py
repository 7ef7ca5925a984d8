"""Where a photograph may be, and its size, from its header."""

import os
import stat
import warnings
from pathlib import PureWindowsPath


def leads_out(name: str) -> bool:
    """Return whether a name in a COCO file leads out of the data folder, or nowhere at all."""
    # A Windows path, which has all the ways to lead out: roots, drives, and both kinds of slash.
    relative = PureWindowsPath(name)
    return bool(relative.anchor or ".." in relative.parts or not relative.name)


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
            # Pillow takes a while to load, and most photographs are PNG files.
            from PIL import Image

            with warnings.catch_warnings():
                # Pillow's warnings tell where in Pillow they come from, and never of which file.
                warnings.simplefilter("ignore")
                with Image.open(file) as photograph:
                    width, height = photograph.size
            return width, height
    except Exception:  # Pillow raises whatever a damaged file makes its parser stumble on
        return None
