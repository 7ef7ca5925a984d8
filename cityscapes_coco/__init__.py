"""Cityscapes instance maps to COCO annotations, pixel for pixel.

The names in `__all__` are meant for use from Python. `cityscapes/` knows Cityscapes, `coco/` knows
COCO, and neither knows the other: they meet in `convert/`, `check/`, `scores/` and `pictures/`.
CONTRIBUTING.md shows the whole house.
"""

from cityscapes_coco.version import __version__

TYPE_CHECKING = False  # as in `typing`, which a script's first line need not wait for
if TYPE_CHECKING:
    from cityscapes_coco.check.verify import verify_file
    from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits
    from cityscapes_coco.convert.split import convert_split
    from cityscapes_coco.errors import UserError
    from cityscapes_coco.options import Options
    from cityscapes_coco.scores.evaluate import evaluate_results

# Where each name is loaded from when it is first asked for: `--help` need not wait for numpy.
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
