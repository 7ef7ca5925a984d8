"""The categories of a file: which classes of Cityscapes each stands for, and its id."""

from msgspec import UNSET

from cityscapes_coco.coco.reading import read_options
from cityscapes_coco.coco.records import Category, CocoFile
from cityscapes_coco.labels import CITY_PERSONS, LABELS_BY_NAME, Label, category_instancesonly
from cityscapes_coco.options import Options


def list_categories(options: Options) -> list[Category]:
    """Return the chosen categories, in the order of the label table. A category of several classes
    takes the supercategory of the first class, and with `category_ids` "label" the id too."""
    categories = []
    for index, chosen in enumerate(options.parsed_categories):
        first = chosen.classes[0]
        if options.annotations == "gtBboxCityPersons":
            label_id, group = CITY_PERSONS[first], "human"
        else:
            label_id, group = LABELS_BY_NAME[first].id, LABELS_BY_NAME[first].category
        number = {"one": 1 + index, "zero": index, "label": label_id}[options.category_ids]
        categories.append(Category(number, chosen.name, group))
    return categories


def find_class_ids(options: Options) -> dict[str, int]:
    """Return the category id of each class that is asked for."""
    categories = list_categories(options)
    return {
        name: int(category.id or 0)
        for chosen, category in zip(options.parsed_categories, categories, strict=True)
        for name in chosen.classes
    }


def find_category_ids(options: Options) -> dict[int, int]:
    """Return the category id of each label id that is asked for."""
    return {LABELS_BY_NAME[name].id: number for name, number in find_class_ids(options).items()}


def find_labels(coco: CocoFile) -> dict[int, Label]:
    """Return the label of each category of a file, by the category's id. Left out are categories of
    several classes, and classes that Cityscapes does not evaluate."""
    chosen = read_options(coco).parsed_categories
    classes = {category.name: category.classes for category in chosen}
    found = {}
    for category in coco.categories:
        names = classes.get(category.name or "", (category.name or "",))
        if category.id is not UNSET and len(names) == 1 and names[0] in category_instancesonly:
            found[category.id] = LABELS_BY_NAME[names[0]]
    return found
