"""Where scores may go: all is checked before the scoring, and nothing foreign is replaced."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluate_coco import main
from tests.conftest import GOLDEN_VAL, PREDICTIONS, SAMPLE, Capture, posix_only, write_json

INPUT = "--coco_dir", str(SAMPLE), "--coco", str(GOLDEN_VAL), "--results", str(PREDICTIONS)
CURVES = "predictions_curves.png"


@pytest.fixture
def no_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(*_: object, **__: object) -> None:
        pytest.fail("the targets are checked after the scoring")

    monkeypatch.setattr("cityscapes_coco.scores.evaluate.evaluate_results", score)


def link_nowhere(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")


WRONG: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a COCO file": (
        "--scores c.json",
        lambda folder: (folder / "c.json").write_bytes(GOLDEN_VAL.read_bytes()),
        "c.json: is there, and is no file of earlier scores",
    ),
    "results": (
        "--scores r.json",
        lambda folder: (folder / "r.json").write_bytes(PREDICTIONS.read_bytes()),
        "r.json: is there, and is no file of earlier scores",
    ),
    "a text": (
        "--scores notes.txt",
        lambda folder: (folder / "notes.txt").write_text("mine"),
        "notes.txt: is there, and is no file of earlier scores",
    ),
    "a map": (
        "--scores map.png",
        lambda folder: (folder / "map.png").write_bytes(b"\x89PNG\r\n\x1a\n"),
        "map.png: is there, and is no file of earlier scores",
    ),
    "deep JSON": (
        "--scores deep",
        lambda folder: (folder / "deep").write_text("[" * 10**5),
        "deep: is there, and is no file of earlier scores",
    ),
    "a folder": ("--scores .", lambda folder: None, "cannot be written: is a folder; see --scores"),
    "below a file": (
        "--scores file/s.json",
        lambda folder: (folder / "file").touch(),
        "file is not a folder; see --scores",
    ),
    "a page below a file": (
        "--plot file/a/b",
        lambda folder: (folder / "file").touch(),
        "file is not a folder; see --plot",
    ),
    "a folder in the place of the page": (
        "--plot .",
        lambda folder: (folder / CURVES).mkdir(),
        f"{CURVES}: cannot be written: is a folder; see --plot",
    ),
    "a folder that is there": ("--save .", lambda folder: None, "is there already"),
    "scores in the new folder": (
        "--scores up/s.json --save up",
        lambda folder: None,
        "s.json: --scores lies in --save",
    ),
    "curves in the new folder": ("--plot up --save up", lambda folder: None, "lies in --save"),
    "a folder in the scores": ("--scores s --save s/up", lambda folder: None, "lies in --scores"),
    "one place for two": ("--scores s --save s", lambda folder: None, "--scores lies in --save"),
    "the page and the scores": (f"--scores {CURVES} --plot .", lambda folder: None, "lies in"),
}
WRONG_POSIX: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a link that leads nowhere": ("--scores link", link_nowhere, "is a link that leads nowhere"),
    "in a link that leads nowhere": ("--scores link/s", link_nowhere, "link is not a folder"),
    "a folder at a link": ("--save link", link_nowhere, "is a link that leads nowhere"),
    "a pipe": (
        "--scores pipe",
        lambda folder: os.mkfifo(folder / "pipe"),
        "cannot be written: not a file; see --scores",
    ),
}


@pytest.mark.usefixtures("no_scoring")
@pytest.mark.parametrize(
    "kind", [*WRONG, *(pytest.param(name, marks=posix_only) for name in WRONG_POSIX)]
)
def test_a_wrong_target_is_one_line_before_the_scoring_and_nothing_changes(
    kind: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, make, says = (WRONG | WRONG_POSIX)[kind]
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    before = {path: path.read_bytes() for path in files}, sorted(tmp_path.rglob("*"))
    assert main([*INPUT, "--workers", "1", *options.split()]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and says in line
    assert before == ({path: path.read_bytes() for path in files}, sorted(tmp_path.rglob("*")))


@pytest.mark.parametrize(("keys", "code"), [("panoptic segments notes", 0), ("panoptic", 1)])
def test_earlier_panoptic_scores_are_replaced_too(keys: str, code: int, tmp_path: Path) -> None:
    scores = write_json(tmp_path / "scores.json", dict.fromkeys(keys.split(), 1))
    assert main([*INPUT, "--workers", "1", "--scores", str(scores)]) == code


def test_earlier_scores_are_replaced_also_through_a_link(tmp_path: Path, capsys: Capture) -> None:
    scores, save = tmp_path / "new" / "scores.json", tmp_path / "new" / "upload"
    argv = [*INPUT, "--workers", "1", "--scores", str(scores)]
    assert main([*argv, "--save", str(save)]) == 0
    first = scores.read_bytes()
    assert main(argv) == 0 and scores.read_bytes() == first
    if os.name == "posix":
        link = tmp_path / "link"
        link.symlink_to(scores)
        assert main([*argv[:-1], str(link)]) == 0
        assert link.is_symlink() and scores.read_bytes() == first
    capsys.readouterr()
