"""The official Cityscapes label table.

Source: `cityscapesscripts/helpers/labels.py` of the package cityscapesscripts. The columns that
only training and evaluation need (train ids, category ids, `ignoreInEval`) are left out.
"""

from typing import NamedTuple


class Label(NamedTuple):
    """One class of Cityscapes.

    `has_instances` says whether its objects are told apart in `instanceIds.png`; `category` is
    Cityscapes' word for a group of classes and becomes COCO's supercategory; `color` is RGB,
    0..255.
    """

    name: str
    id: int
    category: str
    has_instances: bool
    color: tuple[int, int, int]


LABELS = (
    Label("unlabeled", 0, "void", False, (0, 0, 0)),
    Label("ego vehicle", 1, "void", False, (0, 0, 0)),
    Label("rectification border", 2, "void", False, (0, 0, 0)),
    Label("out of roi", 3, "void", False, (0, 0, 0)),
    Label("static", 4, "void", False, (0, 0, 0)),
    Label("dynamic", 5, "void", False, (111, 74, 0)),
    Label("ground", 6, "void", False, (81, 0, 81)),
    Label("road", 7, "flat", False, (128, 64, 128)),
    Label("sidewalk", 8, "flat", False, (244, 35, 232)),
    Label("parking", 9, "flat", False, (250, 170, 160)),
    Label("rail track", 10, "flat", False, (230, 150, 140)),
    Label("building", 11, "construction", False, (70, 70, 70)),
    Label("wall", 12, "construction", False, (102, 102, 156)),
    Label("fence", 13, "construction", False, (190, 153, 153)),
    Label("guard rail", 14, "construction", False, (180, 165, 180)),
    Label("bridge", 15, "construction", False, (150, 100, 100)),
    Label("tunnel", 16, "construction", False, (150, 120, 90)),
    Label("pole", 17, "object", False, (153, 153, 153)),
    Label("polegroup", 18, "object", False, (153, 153, 153)),
    Label("traffic light", 19, "object", False, (250, 170, 30)),
    Label("traffic sign", 20, "object", False, (220, 220, 0)),
    Label("vegetation", 21, "nature", False, (107, 142, 35)),
    Label("terrain", 22, "nature", False, (152, 251, 152)),
    Label("sky", 23, "sky", False, (70, 130, 180)),
    Label("person", 24, "human", True, (220, 20, 60)),
    Label("rider", 25, "human", True, (255, 0, 0)),
    Label("car", 26, "vehicle", True, (0, 0, 142)),
    Label("truck", 27, "vehicle", True, (0, 0, 70)),
    Label("bus", 28, "vehicle", True, (0, 60, 100)),
    Label("caravan", 29, "vehicle", True, (0, 0, 90)),
    Label("trailer", 30, "vehicle", True, (0, 0, 110)),
    Label("train", 31, "vehicle", True, (0, 80, 100)),
    Label("motorcycle", 32, "vehicle", True, (0, 0, 230)),
    Label("bicycle", 33, "vehicle", True, (119, 11, 32)),
    Label("license plate", -1, "vehicle", False, (0, 0, 142)),
)

# The classes that Cityscapes evaluates instances of, in the order of the table. Lower case because
# this is the name by which users of the original script know the list.
category_instancesonly = (
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)
