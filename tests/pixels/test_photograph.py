"""The size of photographs of any kind, with Pillow as judge; what is no photograph has none."""

from pathlib import Path

import pytest
from PIL import Image

from cityscapes_coco.pixels.photograph import open_photograph, read_size


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "tiff"])
@pytest.mark.parametrize("size", [(7, 5), (5, 7), (300, 2)])
def test_the_size_is_width_and_height(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "photograph"
    Image.new("RGB", size).save(path, kind)
    assert read_size(str(path)) == size
    with open_photograph(path) as photograph:
        assert photograph.size == size


@pytest.mark.parametrize("content", [b"", b"no photograph", b"no photograph, and as long as one"])
def test_what_is_no_photograph_has_no_size(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_bytes(content)
    for name in "text.png", "nothing.png", ".":
        assert read_size(str(tmp_path / name)) is None
