"""Cityscapes instance maps to COCO annotations, pixel for pixel.

The names in `__all__` are for users. `cityscapes/` knows Cityscapes and `coco/` knows COCO. Neither
imports the other; they meet in `convert/`, `check/`, `scores/` and `pictures/`. CONTRIBUTING.md
shows how the package is laid out.
"""

from cityscapes_coco.version import __version__ as __version__

TYPE_CHECKING = False  # importing it from `typing` would take a while
if TYPE_CHECKING:
    from cityscapes_coco.check.verify import Report as Report
    from cityscapes_coco.check.verify import verify_file as verify_file
    from cityscapes_coco.cityscapes.dataset import Dataset as Dataset
    from cityscapes_coco.cityscapes.dataset import find_dataset as find_dataset
    from cityscapes_coco.cityscapes.dataset import find_splits as find_splits
    from cityscapes_coco.cityscapes.frame_list import choose_frames as choose_frames
    from cityscapes_coco.convert.instances import FrameInstances as FrameInstances
    from cityscapes_coco.convert.instances import Instance as Instance
    from cityscapes_coco.convert.instances import read_frames as read_frames
    from cityscapes_coco.convert.split import SplitSummary as SplitSummary
    from cityscapes_coco.convert.split import convert_split as convert_split
    from cityscapes_coco.errors import UserError as UserError
    from cityscapes_coco.options import Options as Options
    from cityscapes_coco.scores.evaluate import Scores as Scores
    from cityscapes_coco.scores.evaluate import evaluate_results as evaluate_results

# The names of each module, which is imported when one is first used: `--help` needs no numpy.
_NAMES = {
    "check.verify": ("Report", "verify_file"),
    "cityscapes.dataset": ("Dataset", "find_dataset", "find_splits"),
    "cityscapes.frame_list": ("choose_frames",),
    "convert.instances": ("FrameInstances", "Instance", "read_frames"),
    "convert.split": ("SplitSummary", "convert_split"),
    "errors": ("UserError",),
    "options": ("Options",),
    "scores.evaluate": ("Scores", "evaluate_results"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(["__version__", *_HOMES])


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
