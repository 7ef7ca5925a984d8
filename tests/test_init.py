"""The names that are meant for use from Python."""

import pytest

import cityscapes_coco


def test_each_name_is_there_and_no_other() -> None:
    for name in cityscapes_coco.__all__:
        assert getattr(cityscapes_coco, name)
    with pytest.raises(AttributeError, match="'cityscapes_coco' has no attribute 'convert_file'"):
        str(cityscapes_coco.convert_file)
