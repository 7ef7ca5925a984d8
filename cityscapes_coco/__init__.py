"""Cityscapes instance maps to COCO annotations, pixel for pixel.

The package reads in the order in which the data flows; each room knows only those before it:

1. `labels.py`: the official label table.
2. `errors.py`: the one error that a user can cause and mend.
3. `options.py`: the choices of a user.
4. `atomic.py`: a file is read in bounds; files and folders are written whole or not at all.
5. `folders.py`: the names in a folder.
6. `photographs.py`: photographs are found, and measured.
7. `dataset.py`: a folder is found, and becomes frames.
8. `png.py`: a PNG file is read strictly, and written.
9. `instances.py`: a map becomes instances.
10. `polygons.py`: masks become polygons.
11. `rle.py`: masks become run lengths, and run lengths become masks.
12. `coco.py`: COCO's records, and a file of them written and read.
13. `panoptic.py`: a map becomes COCO's other format, a PNG file of segments.
14. `lookup.py`: a COCO file is found, and the frames that its images are of.
15. `results.py`: what a trainer predicts, read against a COCO file.
16. `terminal.py`: a program's streams, signals and end.
17. `workers.py`: where the work is done: here, or in processes.
18. `cluster.py`: the same on a Dask cluster.
19. `convert.py`: the pipeline: frames become annotations, a split becomes a file.
20. `verify.py`: a file held against its maps.
21. `scores.py`: predictions and the truth become scores, as arrays.
22. `evaluate.py`: the results of a trainer held against the truth.
23. `upload.py`: the same results as the benchmark's server takes them.
24. `report.py`: what people are told, as text.
25. `pictures/`: examples, predictions, statistics, curves, windows.

The names in `__all__` are meant for use from Python.
"""

TYPE_CHECKING = False  # as in `typing`, which a script's first line need not wait for
if TYPE_CHECKING:
    from cityscapes_coco.check.verify import verify_file
    from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits
    from cityscapes_coco.convert.split import convert_split
    from cityscapes_coco.errors import UserError
    from cityscapes_coco.options import Options
    from cityscapes_coco.scores.average_precision.evaluate import evaluate_results

__all__ = [
    "Options",
    "UserError",
    "convert_split",
    "evaluate_results",
    "find_dataset",
    "find_splits",
    "verify_file",
]
__version__ = "0.1.0"

_ROOMS = "options", "errors", "convert", "evaluate", "dataset", "dataset", "verify"


def __getattr__(name: str) -> object:
    """Load a name when it is first asked for: `--help` need not wait for numpy and OpenCV."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ROOMS[__all__.index(name)]}"), name)
