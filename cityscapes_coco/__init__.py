"""Cityscapes instance maps to COCO annotations, pixel for pixel.

The names in `__all__` are for users. `cityscapes/` knows Cityscapes and `coco/` knows COCO. Neither
imports the other; they meet in `convert/`, `check/`, `scores/` and `pictures/`. CONTRIBUTING.md
shows how the package is laid out.
"""

from cityscapes_coco.version import __version__

TYPE_CHECKING = False  # importing it from `typing` would take a while
if TYPE_CHECKING:
    from cityscapes_coco.check.verify import verify_file
    from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits
    from cityscapes_coco.convert.split import convert_split
    from cityscapes_coco.errors import UserError
    from cityscapes_coco.options import Options
    from cityscapes_coco.scores.evaluate import evaluate_results

# The module of each name, which is imported when the name is first used: `--help` needs no numpy.
_HOMES = {
    "Options": "options",
    "UserError": "errors",
    "convert_split": "convert.split",
    "evaluate_results": "scores.evaluate",
    "find_dataset": "cityscapes.dataset",
    "find_splits": "cityscapes.dataset",
    "verify_file": "check.verify",
}
__all__ = [
    "Options",
    "UserError",
    "__version__",
    "convert_split",
    "evaluate_results",
    "find_dataset",
    "find_splits",
    "verify_file",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
