"""The choices of a user: each is stated here once, for the command line and for Python.

Nothing but the standard library is needed here, so that `--help` does not wait for other packages.
"""

import argparse
import os
from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

from cityscapes_coco.labels import LABELS, category_instancesonly

MapType = Literal["gtFine", "gtCoarse"]
Segmentation = Literal["polygon", "rle", "none", "original"]
Crowd = Literal["drop", "keep"]
CategoryIds = Literal["one", "zero", "label"]
FileNames = Literal["datadir", "split", "base"]

CLASSES = tuple(label.name for label in LABELS if label.has_instances)


@dataclass(frozen=True)
class Options:
    """What becomes of each frame, and what goes into a file.

    `images` are the names of image sets, or patterns of such names; `categories` are names of
    classes in any order; `segmentation` is "original" for contours as the original script writes
    them; `min_area` counts pixels. README.md explains each choice. Raises ValueError for a value
    that is no choice.
    """

    images: tuple[str, ...] = ("leftImg8bit",)
    categories: tuple[str, ...] = category_instancesonly
    segmentation: Segmentation = "polygon"
    crowd: Crowd = "drop"
    min_area: int = 0
    category_ids: CategoryIds = "one"
    file_names: FileNames = "datadir"
    skip_bad: bool = False

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if get_origin(kind) is Literal:
                check_choice(name, getattr(self, name), get_args(kind))
        for category in self.categories:
            check_choice("categories", category, CLASSES)
        if self.min_area < 0:
            raise ValueError(f"min_area must be 0 or more, not {self.min_area}")
        if not self.images:
            raise ValueError("images must name an image set")


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError unless the `value` of the option `name` is one of its `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}")


def whole_number(text: str, least: int = 0) -> int:
    """Return the number of an option, for argparse, which exits with code 2 if there is none."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
    return int(text)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
