"""Which image a result is for."""

import pytest

from cityscapes_coco.coco.records import Image
from cityscapes_coco.scores.image_names import index_images

IMAGES = [
    Image(7, "leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png"),
    Image(9, "leftImg8bit/val/aachen/twice.png"),
    Image(10, "leftImg8bit/val/ulm/twice.png"),
    Image(11, "leftImg8bit_foggy/val/bonn/bonn_000000_000019_leftImg8bit_foggy_beta_0.01.png"),
    Image(12, "leftImg8bit_foggy/val/bonn/bonn_000000_000019_leftImg8bit_foggy_beta_0.02.png"),
    Image(13, "x/a\\b.png"),
    Image(14, "0031.png"),
    Image(15, "10.png"),
    Image(16),
]
NAMES: dict[int, list[int | str]] = {
    7: [
        *(7, "7", "ulm_000000_000019_leftImg8bit.png", "ulm_000000_000019_leftImg8bit"),
        *("ulm/ulm_000000_000019_leftImg8bit.png", "val/ulm/ulm_000000_000019_leftImg8bit"),
        "leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png",
        "./leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png",
        "../../data/./leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png",
        "/data/cityscapes/leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png",
        "D:\\cityscapes\\leftImg8bit\\val\\ulm\\ulm_000000_000019_leftImg8bit.png",
        # A copy in a folder of another name.
        "/content/yolo/images/ulm_000000_000019_leftImg8bit.jpg",
        *("ulm_000000_000019_leftImg8bit.jpg", "ulm/ulm_000000_000019_leftImg8bit.JPEG"),
        *("ulm_000000_000019", "val/ulm/ulm_000000_000019", "ulm_000000_000019.png"),
    ],
    9: ["aachen/twice", "/data/leftImg8bit/val/aachen/twice.jpg"],
    10: ["ulm/twice.png", 10],
    11: ["bonn_000000_000019_leftImg8bit_foggy_beta_0.01"],
    12: ["bonn/bonn_000000_000019_leftImg8bit_foggy_beta_0.02.jpg"],
    13: ["b.png", "b", "x/a\\b.png", "a/b.jpg"],
    14: ["0031", "0031.jpg", "val/0031.png"],
    16: [16, "16", "016"],
}


@pytest.mark.parametrize(
    ("number", "name"), [(n, name) for n, names in NAMES.items() for name in names]
)
def test_an_image_goes_by_its_id_or_its_name(number: int, name: int | str) -> None:
    assert index_images(IMAGES).find(name) == number


NEITHER = "is neither the id nor the name of an image in the COCO file, which has the ids 7 to 16"
WRONG: dict[int | str, str] = {
    **{8: NEITHER, 31: NEITHER, "31": NEITHER, "": NEITHER, ".": NEITHER, "9" * 5000: NEITHER},
    **{"ulm": NEITHER, "ulm_000000": NEITHER, "test/a/b.png": NEITHER, "/": NEITHER},
    # The frame is there, but this photograph is not.
    "ulm_000000_000019_leftImg8bit_foggy_beta_0.02.png": NEITHER,
    # Only the names of Cityscapes' frames say which image it is, whatever the folder.
    **{"other/b.png": NEITHER, "other/twice.png": NEITHER},
    **{"twice": "fits several images", "val/twice.png": NEITHER},
    "bonn_000000_000019": "fits several images",
    "10": "fits several images",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_fits_no_image_or_several_is_refused(name: int | str) -> None:
    with pytest.raises(ValueError, match=r"^\.image_id: ") as raised:
        index_images(IMAGES).find(name)
    assert WRONG[name] in str(raised.value)
