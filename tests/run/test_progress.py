"""What a long work says of itself without a terminal."""

from pathlib import Path

from cityscapes_coco.errors import started_as
from cityscapes_coco.run import progress
from main import main
from tests.conftest import Capture, Patch, WriteMap, run


def test_a_line_a_minute_says_how_far(monkeypatch: Patch, capsys: Capture) -> None:
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


TIMES = {29: "less than a minute", 60: "about 1 minute", 6000: "about 100 minutes"}


def test_a_time_is_said_as_people_say_it() -> None:
    for seconds, says in (*TIMES.items(), (36000, "about 10 hours")):
        assert progress._describe_time(seconds) == says


def test_long_conversions_are_told(datadir: Path, write_map: WriteMap, monkeypatch: Patch) -> None:
    for number in range(3):
        write_map(name=f"a_{number:06d}_000000")
    for interval, said in (progress.INTERVAL, []), (0, [1, 2]):
        monkeypatch.setattr(progress, "INTERVAL", interval)
        code, _, err = run(main, "--datadir", datadir, "--verify")
        lines = [line.partition(",")[0] for line in err.splitlines() if " of 3 frames" in line]
        assert code == 0 and lines == [
            f"{name}: {number} of 3 frames" for name in ("train", "verify") for number in said
        ]
