"""The categories of a file: which classes of Cityscapes each stands for, and its id."""

from collections.abc import Iterable

from msgspec import UNSET

from cityscapes_coco.coco.reading import read_info, read_options
from cityscapes_coco.coco.records import Category, CocoFile
from cityscapes_coco.labels import LABELS, Label
from cityscapes_coco.options import CategoryIds, ChosenCategory


def list_categories(chosen: Iterable[ChosenCategory], ids: CategoryIds = "one") -> list[Category]:
    """Return the categories that are chosen, which are in the order of the label table.

    Their `ids` count from "one" or from "zero", or are those of the "label" table. What several
    classes have become has the id there, and the supercategory, of the first.
    """
    labels = {label.name: label for label in LABELS}
    start = {"one": 1, "zero": 0}.get(ids)
    categories = []
    for index, category in enumerate(chosen):
        first = labels[category.classes[0]]
        number = first.id if start is None else start + index
        categories.append(Category(number, category.name, first.category))
    return categories


def find_labels(coco: CocoFile) -> dict[int, Label]:
    """Return the label of each category of a file, by the category's id. Left out are categories of
    several classes, and classes that Cityscapes does not evaluate."""
    chosen = read_options(read_info(coco)).parsed_categories
    classes = {category.name: category.classes for category in chosen}
    evaluated = {label.name: label for label in LABELS if label.has_instances and not label.ignored}
    found = {}
    for category in coco.categories:
        names = classes.get(category.name or "", (category.name or "",))
        if category.id is not UNSET and len(names) == 1 and names[0] in evaluated:
            found[category.id] = evaluated[names[0]]
    return found
