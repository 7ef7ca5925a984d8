"""What the check finds in a file of boxes."""

from pathlib import Path

import pytest

from cityscapes_coco.check.verify import verify_file
from tests import boxes
from tests.boxes import CITY_PERSONS, NAME, OBJECTS, VALIDATED, write_boxes
from tests.check.conftest import assert_found, cells
from tests.conftest import Coco, convert
from tests.damage import Damages, both, change, drop, repeat
from tests.files import OUTPUT, write_json

# The annotations of CityPersons are the pedestrian, the region 24, the rider, the sitting person,
# the region 0 and the other person. Of the validated boxes they are the car, a region, the person
# and the truck.
FIRST = "annotations", 0
SEEN_LESS = change(vis_bbox=[0, 2, 20, 59])
LARGER = change(bbox=[-3, 2, 30, 61])
PERSON_DAMAGES: Damages = {
    "1: [-3, 2, 30, 61], objects[0] has [-3, 2, 30, 60]": ("inexact 1, wrong bbox 1", LARGER),
    "annotation 1: IoU 0.9836 with objects[0]": ("inexact 1, wrong bbox 1", LARGER),
    "annotation 1: IoU 0.8571 with objects[0]": (
        "inexact 1, wrong category 1, wrong bbox 1",
        change(bbox=[-3, 2, 30, 70], category_id=2),
    ),
    "annotation 1: 1801, objects[0] has 1800": ("wrong area 1", change(area=1801)),
    "annotation 1: rider, objects[0] is pedestrian": ("wrong category 1", change(category_id=2)),
    "1: no class, objects[0] is ped": ("wrong id 1, wrong category 1", change(category_id=9)),
    "annotation 1: 1, objects[0] has 0": ("wrong ignore 1", change(ignore=1)),
    "1: [0, 2, 20, 59], objects[0] has [0, 2, 20, 60]": ("wrong vis_bbox 1", SEEN_LESS),
    "0.6667, objects[0] has 0.6666666666666666": ("wrong vis_ratio 1", change(vis_ratio=0.6667)),
    "annotation 1: 59, objects[0] has 60": ("wrong height 1", change(height=59)),
    "annotation 1: 24001, objects[0] has 24000": ("wrong map_value 1", change(map_value=24001)),
    "annotation 1: no vis_ratio": ("missing field 1", drop(*FIRST, "vis_ratio")),
    "no area in annotations[0]": ("missing field 1", drop(*FIRST, "area")),
    "pedestrian objects[0], [-3, 2, 30, 60]": ("lost 1", drop(*FIRST)),
    "ignore region objects[1], [40, 10, 9, 9]": ("lost 1", drop("annotations", 1)),
    "1: no pedestrian is there, or": ("wrong id 1, unexpected 1", repeat("annotations")),
    "2: rider, objects[1] is ped": ("wrong category 1", change("annotations", 1, category_id=2)),
    "1: 1, objects[0] has 0\n": ("wrong iscrowd 1", both(change(iscrowd=1), change(ignore=0))),
}
IMAGE, ADDED = ("images", 0), "added_from_original_annotations"
CLASSES = "['person', 'car', 'cantsolve', 'truck']"
TIE, ONE_CLASS = change(soft_label=[0.5, 0.5, 0, 0]), change(*IMAGE, soft_label_classes=["car"])
VALIDATED_DAMAGES: Damages = {
    "[0.5, 0.5, 0, 0], objects[0] has [0.25, 0.75, 0, 0]": ("wrong soft_label 1", TIE),
    "'car': 4}, objects[0] has {'car': 3}": (
        "wrong vote_counts 1",
        change(vote_counts={"car": 4}),
    ),
    "annotation 1: True, objects[0] has none": (f"wrong {ADDED} 1", change(**{ADDED: True})),
    f"annotation 4: no {ADDED}": ("missing field 1", drop("annotations", 3, ADDED)),
    f"{NAME}: ['car'], not {CLASSES}": ("wrong soft_label_classes 1", ONE_CLASS),
    f"{NAME}: no soft_label_classes": ("missing field 1", drop(*IMAGE, "soft_label_classes")),
    "100 x 100, the box file has 200 x 100": ("wrong image size 1", change(*IMAGE, width=100)),
}


def convert_boxes(datadir: Path, kind: str, *more: object) -> tuple[Path, Coco]:
    """Convert one frame with its ignore regions, and return the path of the file and the file."""
    # CityPersons has no classes; what its files have besides does not count.
    write_boxes(datadir, kind, [*OBJECTS[kind], *more], classes=boxes.CLASSES)
    coco = convert(datadir, "--annotations", kind, "--crowd", "keep")
    return datadir / "annotations" / OUTPUT.replace("gtFine", kind), coco


@pytest.mark.parametrize("culprit", [*PERSON_DAMAGES, *VALIDATED_DAMAGES])
def test_each_difference_from_the_boxes_is_named(culprit: str, datadir: Path) -> None:
    faults, damage = (PERSON_DAMAGES | VALIDATED_DAMAGES)[culprit]
    kind = CITY_PERSONS if culprit in PERSON_DAMAGES else VALIDATED
    file, coco = convert_boxes(datadir, kind)
    damage(coco)
    assert_found(verify_file(write_json(file, coco), datadir), faults, culprit)


@pytest.mark.parametrize(
    ("kind", "regions", "differs"),
    [(CITY_PERSONS, 2, {"instanceId": 24009}), (VALIDATED, 1, {"vote_counts": {"car": 9}})],
)
def test_the_order_does_not_matter(kind: str, regions: int, differs: Coco, datadir: Path) -> None:
    """Not even where two objects have the same box."""
    file, coco = convert_boxes(datadir, kind, OBJECTS[kind][0] | differs)
    coco["annotations"].reverse()
    for image in coco["images"]:
        image["file_name"] = image["file_name"].rpartition("/")[2]
    report = verify_file(write_json(file, coco), datadir)
    assert report.exit_code == 0 and not report.faults
    counts = cells(report)
    assert counts.pop("ignore region") == (regions, regions, 0, 0, 0)
    of_first = "car" if kind == VALIDATED else "pedestrian"
    assert counts.pop(of_first) == (2, 2, 0, 0, 0) and {*counts.values()} == {(1, 1, 0, 0, 0)}
    assert len(counts) + 2 == len(OBJECTS[kind]) + 1 - regions == report.instances


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_file_that_says_nothing_of_itself_is_told_by_its_names(kind: str, datadir: Path) -> None:
    """As written by another tool, without the fields that COCO does not have."""
    file, coco = convert_boxes(datadir, kind)
    for annotation in coco["annotations"]:
        for name in "ignore", "vis_bbox", "vis_ratio", "height", "map_value", "soft_label":
            annotation.pop(name, None)
    del coco["info"]
    report = verify_file(write_json(file, coco), datadir)
    assert report.exit_code == 3 and {*report.faults} == {"missing field"}
    coco["annotations"][0]["bbox"][0] += 1
    assert verify_file(write_json(file, coco), datadir).exit_code == 1
