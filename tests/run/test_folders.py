"""What is in a folder, and names that lead out of it."""

from pathlib import Path

import pytest

from cityscapes_coco.errors import UserError
from cityscapes_coco.run import folders
from tests.conftest import posix_only
from tests.files import touch


def test_names_are_sorted_by_kind_without_junk(tmp_path: Path) -> None:
    assert folders.name_entries(tmp_path) == "nothing"
    for name in "b.png", "a_2.png", "a_10.png", "d/x", "c/x", "._b.png", "__MACOSX/x", "Thumbs.db":
        touch(tmp_path / name)
    assert folders.list_folder(tmp_path) == (["a_10.png", "a_2.png", "b.png"], ["c", "d"])
    assert folders.name_entries(tmp_path) == "a_10.png, a_2.png, b.png, c, d"
    assert folders.name_some([*"abcdefg"]) == "a, b, c, d, e and 2 more"
    with pytest.raises(UserError, match="nowhere: cannot be listed: "):
        folders.list_folder(tmp_path / "nowhere")


@posix_only
def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    touch(tmp_path / "folder" / "file")
    for name, target in ("here", "folder"), ("gone", "nowhere"), ("loop", "loop"):
        (tmp_path / name).symlink_to(target)
    assert folders.list_folder(tmp_path) == (["gone", "loop"], ["folder", "here"])
    assert folders.is_folder(tmp_path / "here") and not folders.is_folder(tmp_path / "loop")
    folders.refuse_dangling(tmp_path / "here")
    for name in "gone", "loop":
        with pytest.raises(UserError, match=f"{name}: a link that leads nowhere"):
            folders.refuse_dangling(tmp_path / name)


def test_a_name_that_leads_out_of_its_folder_has_no_parts() -> None:
    for name in "a/b.png", "a\\b.png", "./a//b.png":
        assert folders.parts_inside(name) == ("a", "b.png")
    for name in "", "../a", "a/../b", "/a", "\\a", "C:a", "//host/a/b", "a\0b":
        assert folders.parts_inside(name) == ()
