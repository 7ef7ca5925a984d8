"""The categories of a file: which classes of Cityscapes each stands for, and its id."""

from collections.abc import Iterable

from cityscapes_coco.coco.records import Category
from cityscapes_coco.labels import LABELS
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
