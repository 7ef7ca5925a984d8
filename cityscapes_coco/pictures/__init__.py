"""Pictures of a COCO file and of results; nothing outside this folder loads matplotlib.

matplotlib is loaded here, before any module of the folder needs it, whatever the user's settings
are: they are for windows only.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cityscapes_coco.errors import UserError

# A notebook names a backend here that only the notebook can load, and matplotlib would not start.
WINDOWS_BACKEND = os.environ.pop("MPLBACKEND", "")

# What matplotlib says of a bad settings file, or of a cache that it has to do without.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

try:
    import matplotlib
except ImportError:
    raise
except Exception as error:
    raise UserError("matplotlib", f"does not start: {error}; is matplotlibrc damaged?") from error


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw and save the same on every machine: with matplotlib's defaults, not the user's."""
    with matplotlib.rc_context():
        use_own_settings()
        yield


def use_own_settings() -> None:
    """Use matplotlib's defaults in this process from now on, but for the backend of windows."""
    matplotlib.rcdefaults()
    # Ids in SVG files are random otherwise. PDF files get fonts that other programs can edit.
    matplotlib.rcParams.update({"svg.hashsalt": "cityscapes-coco", "pdf.fonttype": 42})
