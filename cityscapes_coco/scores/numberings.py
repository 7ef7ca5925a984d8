"""The ways in which trainers number the classes of a COCO file."""

from collections.abc import Collection
from typing import NamedTuple

from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.errors import command
from cityscapes_coco.labels import LABELS

# COCO's own ids of the classes that Cityscapes has too; the last of its classes has the id 90.
_OF_COCO = {
    **{1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 6: "bus", 7: "train", 8: "truck"},
}
_LAST_OF_COCO = 90


class Numbering(NamedTuple):
    """A way to number classes: how it is called, what results with such numbers need, and the ids
    in the COCO file by these numbers."""

    name: str
    remedy: str
    ids: dict[int, int]


def list_numberings(coco: CocoFile) -> list[Numbering]:
    """Return the ways in which the categories of a file may have been numbered."""
    ids = {str(category.name): int(category.id or 0) for category in coco.categories}
    made = f"{command('convert')} --category-ids {{}} writes a file for them"
    other = "write the ids of the file"
    labels = [label for label in LABELS if label.name in ids]
    return [
        Numbering("classes counted from 0", made.format("zero"), dict(enumerate(ids.values()))),
        Numbering("classes counted from 1", made.format("one"), dict(enumerate(ids.values(), 1))),
        Numbering(
            "Cityscapes' label ids", made.format("label"), {lab.id: ids[lab.name] for lab in labels}
        ),
        Numbering("Cityscapes' train ids", other, {lab.train_id: ids[lab.name] for lab in labels}),
        *(
            Numbering(
                f"classes in alphabetical order, counted from {first}",
                other,
                dict(enumerate((ids[name] for name in sorted(ids)), first)),
            )
            for first in (1, 0)
        ),
        *(
            Numbering(
                f"COCO's own {what}",
                other,
                {number - less: ids[name] for number, name in _OF_COCO.items() if name in ids},
            )
            for what, less in (("ids", 0), ("classes, counted from 0", 1))
        ),
    ]


def explain_numbers(numbers: Collection[int], coco: CocoFile) -> str:
    """Return what the category ids of results are, and what to do, if they are not all in the COCO
    file but fit another way to number its classes; nothing if they fit none."""
    for numbering in list_numberings(coco)[:4]:
        if numbering.ids.keys() >= set(numbers):
            return f"the ids fit {numbering.name}: {numbering.remedy}"
    if 10 < max(numbers) <= _LAST_OF_COCO and min(numbers) >= 0:
        return "the ids fit COCO's own classes: was the network trained on this file?"
    return ""
