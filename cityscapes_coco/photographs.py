"""A photograph's size, from its header."""

import warnings


def read_size(path: str) -> tuple[int, int] | None:
    """Return (width, height) of the photograph at `path`, in pixels; None if it cannot be read.

    Photographs need not be there, and nothing but the size is asked of them.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib takes several times as long)
            head = file.read(24)
            if head[12:16] == b"IHDR":
                return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:], "big")
            # Pillow takes a while to load, and most photographs are PNG files.
            from PIL import Image

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(file) as photograph:
                    width, height = photograph.size
            return width, height
    except Exception:  # Pillow raises whatever a damaged file makes its parser stumble on
        return None
