"""Errors as one line that does nothing to a terminal."""

from pathlib import Path

import pytest

from cityscapes_coco.errors import UserError, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *(("Zürich 東京.png", "Zürich 東京.png"), ("a\nerror: b\r", "a\\nerror: b\\r")),
        *(("\x1b[31m\x07", "\\x1b[31m\\x07"), ("a\u202eb", "a\\u202eb"), ("\udcff", "\\udcff")),
        (Path("a"), "a"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: object, line: str) -> None:
    assert one_line(text) == line


def test_an_error_tells_where_and_why_on_one_line() -> None:
    error = UserError(Path("a\n"), "is wrong; mend\nit")
    assert str(error) == "a\\n: is wrong; mend\\nit"
    assert (error.where, error.reason) == ("a\n", "is wrong; mend\nit")
