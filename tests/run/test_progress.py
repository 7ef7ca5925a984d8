"""What a long work says of itself without a terminal."""

import pytest

from cityscapes_coco.errors import started_as
from cityscapes_coco.run import progress
from main import main
from tests.conftest import Capture, WriteMap


def test_a_line_a_minute_says_how_much_is_done_and_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Here each of five frames takes 40 seconds; the last line would say nothing new."""
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    assert [*progress.show_progress("abcde", "train", 5)] == [*"abcde"]
    assert capsys.readouterr().err == ""  # from Python
    started = started_as.set("")
    assert [*progress.show_progress("abcde", "train", 5)] == [*"abcde"]
    started_as.reset(started)
    assert capsys.readouterr().err.splitlines() == [
        "train: 2 of 5 frames, about 2 minutes left",
        "train: 4 of 5 frames, about 1 minute left",
    ]


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        *((29, "less than a minute"), (60, "about 1 minute"), (6000, "about 100 minutes")),
        (36000, "about 10 hours"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float, says: str) -> None:
    assert progress._describe_time(seconds) == says


def test_a_conversion_says_how_far_it_is_and_a_short_one_nothing(
    datadir: object, write_map: WriteMap, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for number in range(3):
        write_map(name=f"a_{number:06d}_000000")
    argv = ["--datadir", str(datadir), "--workers", "1", "--verify"]
    assert main(argv) == 0
    assert " of 3 frames" not in capsys.readouterr().err
    monkeypatch.setattr(progress, "INTERVAL", 0)
    assert main(argv) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if " of 3 frames" in line]
    assert [line.partition(",")[0] for line in said] == [
        f"{name}: {number} of 3 frames" for name in ("train", "verify") for number in (1, 2)
    ]
