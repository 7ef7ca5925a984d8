"""Cityscapes instance maps to COCO annotations, pixel for pixel.

The names in `__all__` are for users. `cityscapes/` knows Cityscapes and `coco/` knows COCO. Neither
imports the other; they meet in `convert/`, `check/`, `scores/` and `pictures/`. CONTRIBUTING.md
shows how the package is laid out.
"""

from cityscapes_coco.version import __version__

TYPE_CHECKING = False  # importing it from `typing` would take a while
if TYPE_CHECKING:
    from cityscapes_coco.check.verify import Report, verify_file
    from cityscapes_coco.cityscapes.dataset import Dataset, find_dataset, find_splits
    from cityscapes_coco.cityscapes.frame_list import choose_frames
    from cityscapes_coco.convert.instances import FrameInstances, Instance, read_frames
    from cityscapes_coco.convert.split import SplitSummary, convert_split
    from cityscapes_coco.errors import UserError
    from cityscapes_coco.options import Options
    from cityscapes_coco.scores.evaluate import Scores, evaluate_results

# The module of each name, which is imported when the name is first used: `--help` needs no numpy.
_HOMES = {
    "Dataset": "cityscapes.dataset",
    "FrameInstances": "convert.instances",
    "Instance": "convert.instances",
    "Options": "options",
    "Report": "check.verify",
    "Scores": "scores.evaluate",
    "SplitSummary": "convert.split",
    "UserError": "errors",
    "choose_frames": "cityscapes.frame_list",
    "convert_split": "convert.split",
    "evaluate_results": "scores.evaluate",
    "find_dataset": "cityscapes.dataset",
    "find_splits": "cityscapes.dataset",
    "read_frames": "convert.instances",
    "verify_file": "check.verify",
}
__all__ = [
    "Dataset",
    "FrameInstances",
    "Instance",
    "Options",
    "Report",
    "Scores",
    "SplitSummary",
    "UserError",
    "__version__",
    "choose_frames",
    "convert_split",
    "evaluate_results",
    "find_dataset",
    "find_splits",
    "read_frames",
    "verify_file",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
