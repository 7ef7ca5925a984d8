"""Faults of a file by itself: fields, ids and categories."""

import pytest

from tests.check.conftest import NAME, OTHER, Spoil, assert_found
from tests.damage import SEGMENTS, Damages, both, change, drop, repeat
from tests.files import OUTPUT, PANOPTIC

# The fields that a file needs, and what else is wrong if the first record of a part has none.
FIELDS: dict[str, dict[str, str]] = {
    "": {"info": "", "licenses": ""},
    "images": {"id": ", wrong id 4, lost 4", "file_name": "", "width": "", "height": ""},
    "categories": {"id": ", wrong id 2, wrong category 2", "name": ", wrong category 2"},
    "annotations": {
        **{"id": "", "image_id": ", lost 1", "category_id": ", wrong category 1", "iscrowd": ""},
        **{"area": "", "bbox": "", "segmentation": ", inexact 1"},
    },
}


@pytest.mark.parametrize(("part", "field"), [(p, name) for p in FIELDS for name in FIELDS[p]])
def test_each_missing_field_is_named(part: str, field: str, spoil: Spoil) -> None:
    report = spoil(drop(part, 0, field) if part else drop(field))
    where = f"{part}[0]" if part else "the file"
    assert_found(report, f"missing field 1{FIELDS[part][field]}", f"no {field} in {where}\n")


NO_ID = drop("annotations", 0, "id")
DAMAGES: Damages = {
    "annotations have the id 2 2 times": ("wrong id 1", change(id=2)),
    "categories have the id 1 2 times": ("wrong id 1", repeat("categories")),
    "no id in annotations[1]": ("missing field 2", both(NO_ID, drop("annotations", 1, "id"))),
    "the id 0, which COCOeval takes for no match": ("wrong id 1", change(id=0)),
    "1 has the image_id 99, which none of": ("wrong id 1, lost 1", change(image_id=99)),
    "1 has the category_id 9, which": ("wrong id 1, wrong category 1", change(category_id=9)),
    "'bike' is no class of Cityscapes": (
        "unknown category 1, wrong category 2",
        change("categories", 0, name="bike"),
    ),
}


NO_PNG = "wrong id 1, PNG file that cannot be read 1, lost 6"
NO_ROAD = "pixels of no segment 1, segment without pixels 1, wrong map_value 1, inexact 1"
PANOPTIC_DAMAGES: Damages = {
    "no area in annotations[0].segments_info[0]": ("missing field 1", drop(*SEGMENTS, 0, "area")),
    "no isthing in categories[0]": ("missing field 1", drop("categories", 0, "isthing")),
    "road has the isthing 1": ("wrong isthing 1", change("categories", 0, isthing=1)),
    "'tree' is no class": ("unknown category 1", change("categories", 8, name="tree")),
    "categories have the id 7 2 times": ("wrong id 1", repeat("categories")),
    f"images have the id {NAME} 2 times": (NO_PNG, repeat("images")),
    f"{OTHER}: 1 images and 0 annotations, not one of each": (NO_PNG, drop("annotations", -1)),
    f"{OTHER}: 0 images and 1 ann": ("wrong id 1, map without an image 1", drop("images", -1)),
    "have the id 7; 0": ("wrong id 1, wrong map_value 2, unexpected 1", repeat(*SEGMENTS)),
    "have the id 0; 0 is void": (f"wrong id 1, {NO_ROAD}", change(*SEGMENTS, 0, id=0)),
    f"annotation of {NAME}: segment 7 has the category_id 99, which none of the categories": (
        "wrong id 1, wrong category 1",
        change(*SEGMENTS, 0, category_id=99),
    ),
}


@pytest.mark.parametrize("culprit", [*DAMAGES, *PANOPTIC_DAMAGES])
def test_wrong_ids_and_categories_are_named(culprit: str, spoil: Spoil) -> None:
    faults, damage = (DAMAGES | PANOPTIC_DAMAGES)[culprit]
    report = spoil(damage, PANOPTIC if culprit in PANOPTIC_DAMAGES else OUTPUT)
    assert_found(report, faults, culprit)
