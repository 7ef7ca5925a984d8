"""The options of a conversion: each choice is stated here once, for the command line and Python.

Only the standard library is imported here, so that `--help` is fast.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import chain
from os import PathLike
from typing import Literal, NamedTuple, get_args, get_origin, get_type_hints

from cityscapes_coco.errors import guess
from cityscapes_coco.labels import CITY_PERSONS, LABELS, LABELS_BY_NAME, category_instancesonly

AnnotationType = Literal["gtFine", "gtCoarse", "gtBboxCityPersons", "gtBboxValidated"]
Segmentation = Literal["polygon", "opencv", "rle", "none", "original"]
Crowd = Literal["drop", "keep"]
Stuff = Literal["whole", "parts"]
EmptyFrames = Literal["keep", "drop"]
CategoryIds = Literal["one", "zero", "label"]
FileNames = Literal["datadir", "split", "base"]
Panoptic = Literal["none", "label", "train"]
UnknownLabels = Literal["error", "void"]

# What the functions that are called from Python take as a path.
StrPath = str | PathLike[str]

# The splits of each type of annotations, in Cityscapes' order.
SPLITS: dict[AnnotationType, tuple[str, ...]] = {
    "gtFine": ("train", "val", "test"),
    "gtCoarse": ("train", "train_extra", "val"),
    "gtBboxCityPersons": ("train", "val"),
    "gtBboxValidated": ("train", "val"),
}
# The types that are boxes in JSON files; the others are maps.
BOX_TYPES = frozenset[AnnotationType]({"gtBboxCityPersons", "gtBboxValidated"})
ALL_SPLITS = frozenset(split for splits in SPLITS.values() for split in splits)
# License plates, id -1, are never drawn.
_OF_MAPS = tuple(label.name for label in LABELS if label.category != "void" and label.id >= 0)
# The classes that may be asked for, in order, and the classes that are converted by default.
CLASSES: dict[AnnotationType, tuple[str, ...]] = {
    "gtFine": _OF_MAPS,
    "gtCoarse": _OF_MAPS,
    "gtBboxCityPersons": tuple(CITY_PERSONS),
    "gtBboxValidated": category_instancesonly,
}
USUAL_CLASSES: dict[AnnotationType, tuple[str, ...]] = {
    "gtFine": category_instancesonly,
    "gtCoarse": category_instancesonly,
    "gtBboxCityPersons": tuple(CITY_PERSONS),
    "gtBboxValidated": category_instancesonly,
}
# The options of masks, which boxes do not have.
OF_MASKS = ("segmentation", "stuff", "panoptic", "unknown_labels")
STUFF = {label.name for label in LABELS if not label.has_instances}
# The classes that the word "all" stands for.
_EVALUATED = tuple(label.name for label in LABELS if not label.ignored)


@dataclass(frozen=True)
class Options:
    """Which frames and objects are converted, and what is written about them.

    `annotations` is the type of annotations, as in `Dataset`. `images` holds names of image sets,
    or patterns of such names. `categories` holds classes, in any order, or none for the usual ones;
    "pedestrian=person+rider" merges classes into one category, and "all" stands for the 19 that
    Cityscapes evaluates. `segmentation` is "original" for contours as the original script writes
    them. `stuff` says whether the pixels of a class without instances are one annotation of a
    frame, or one for each connected part. `min_area` is in pixels. `empty_frames` says whether
    frames without an annotation are written. `panoptic` says whether panoptic files are
    written, and which ids their categories have. `unknown_labels` says whether pixels of labels
    that Cityscapes does not have are void, or an error. docs/options.md explains each choice.

    A list is stored as a tuple. Raises ValueError for an invalid value.
    """

    annotations: AnnotationType = "gtFine"
    images: tuple[str, ...] = ("leftImg8bit",)
    categories: tuple[str, ...] = ()
    segmentation: Segmentation = "polygon"
    crowd: Crowd = "drop"
    stuff: Stuff = "whole"
    min_area: int = 0
    empty_frames: EmptyFrames = "keep"
    category_ids: CategoryIds = "one"
    file_names: FileNames = "datadir"
    panoptic: Panoptic = "none"
    skip_bad: bool = False
    unknown_labels: UnknownLabels = "error"

    # Parsed once, as each frame needs them.
    @cached_property
    def parsed_categories(self) -> "list[ChosenCategory]":
        return parse_categories(self.categories, CLASSES[self.annotations])

    def of(self, annotations: AnnotationType) -> "Options":
        """Return the same options for another type of annotations, with its usual classes if no
        others were asked for. Raises ValueError if an option means nothing for the type."""
        usual = self.categories == USUAL_CLASSES[self.annotations]
        return replace(self, annotations=annotations, categories=() if usual else self.categories)

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if get_origin(kind) is Literal:
                check_choice(name, getattr(self, name), get_args(kind))
        usual = {field.name: field.default for field in fields(self)}
        for name in OF_MASKS if self.annotations in BOX_TYPES else ():
            if (value := getattr(self, name)) != usual[name]:
                raise ValueError(f"{name} {value}: {self.annotations} has boxes and no masks")
        # A frozen dataclass sets its fields so. An image set that is named twice counts once.
        images = dict.fromkeys(list_names("images", self.images))
        object.__setattr__(self, "images", tuple(images))
        categories = list_names("categories", self.categories) or USUAL_CLASSES[self.annotations]
        object.__setattr__(self, "categories", categories)
        # Parsing refuses what is no category.
        has_stuff = any(category.is_stuff for category in self.parsed_categories)
        if self.stuff != "whole" and not has_stuff:
            raise ValueError(f"stuff: {self.stuff} needs a category such as road or pole")
        if self.min_area < 0:
            raise ValueError(f"min_area must be 0 or more, not {self.min_area}")
        if not all(self.images) or not self.images:
            raise ValueError("images must name an image set")


class ChosenCategory(NamedTuple):
    """A category: its name, and the class of Cityscapes it stands for, or several that are merged,
    in the order of the label table."""

    name: str
    classes: tuple[str, ...]

    @property
    def is_stuff(self) -> bool:
        return self.classes[0] in STUFF

    def __str__(self) -> str:
        return (
            self.name if self.classes == (self.name,) else f"{self.name}={'+'.join(self.classes)}"
        )


def parse_categories(texts: Iterable[str], classes: Sequence[str]) -> list[ChosenCategory]:
    """Return the categories of texts such as "car", "pedestrian=person+rider" and "all", in the
    order of their first classes in `classes`. Raises ValueError for anything else."""
    chosen = []
    has_all = set(_EVALUATED) <= set(classes)
    words = [_EVALUATED if has_all and text == "all" else (text,) for text in texts]
    for text in chain.from_iterable(words):
        name, merges, merged = text.partition("=")
        if not name.strip() or not name.isprintable() or (not merges and "+" in name):
            raise ValueError(f"categories: no name in {text!r}; write NAME=CLASS+CLASS")
        for label in (names := merged.split("+") if merges else [name]):
            _refuse_undrawn(label)
            check_choice("categories", label, tuple(classes))
        if len({label in STUFF for label in names}) == 2:
            raise ValueError(f"categories: {text} merges classes with instances and without")
        chosen.append(ChosenCategory(name, tuple(sorted(names, key=classes.index))))
    for what, found in (
        ("classes", [label for category in chosen for label in category.classes]),
        ("names", [category.name for category in chosen]),
    ):
        if twice := [name for name, times in Counter(found).items() if times > 1]:
            raise ValueError(f"categories: {what} named twice: {', '.join(twice)}")
    return sorted(chosen, key=lambda category: classes.index(category.classes[0]))


def list_names(name: str, value: Iterable[str]) -> tuple[str, ...]:
    """Return names as a tuple. Raises ValueError for a bare text, whose letters would be taken."""
    if isinstance(value, str):
        raise ValueError(f"{name} must be a list of names: write [{value!r}]")
    return tuple(value)


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError unless the `value` of the option `name` is one of its `choices`."""
    if value not in choices:
        meant = guess(str(value), map(str, choices))
        raise ValueError(
            f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}{meant}"
        )


def _refuse_undrawn(name: str) -> None:
    """Raise ValueError for a label whose pixels in a map are of no class."""
    label = LABELS_BY_NAME.get(name)
    if label and label.id < 0:
        raise ValueError(f"categories: Cityscapes draws no {name} in its maps")
    if label and label.category == "void":
        raise ValueError(f"categories: {name} is void: pixels that belong to no class")
