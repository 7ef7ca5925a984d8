"""Where scores may go: all is checked before the scoring, and nothing foreign is replaced."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluate_coco import main
from tests.conftest import Patch, fail, on_posix, run
from tests.files import GOLDEN_VAL, PREDICTIONS, SAMPLE, read_folder

INPUT = "--coco_dir", str(SAMPLE), "--coco", str(GOLDEN_VAL), "--results", str(PREDICTIONS)
CURVES = "predictions_curves.png"


@pytest.fixture
def no_scoring(monkeypatch: Patch) -> None:
    def score(*_: object, **__: object) -> None:
        pytest.fail("the targets are checked after the scoring")

    monkeypatch.setattr("cityscapes_coco.scores.evaluate.evaluate_results", score)


def link_nowhere(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")


def put(name: str, content: bytes | Path) -> Callable[[Path], object]:
    data = content.read_bytes() if isinstance(content, Path) else content
    return lambda folder: (folder / name).write_bytes(data)


def nothing(folder: Path) -> None: ...


FOREIGN = "is there, and is no file of earlier scores"
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "--scores c.json": (put("c.json", GOLDEN_VAL), f"c.json: {FOREIGN}"),
    "--scores r.json": (put("r.json", PREDICTIONS), f"r.json: {FOREIGN}"),
    "--scores notes": (put("notes", b"mine"), f"notes: {FOREIGN}"),
    "--scores map": (put("map", b"\x89PNG\r\n\x1a\n"), f"map: {FOREIGN}"),
    "--scores deep": (put("deep", b"[" * 10**5), f"deep: {FOREIGN}"),
    "--scores .": (nothing, "cannot be written: is a folder; see --scores"),
    "--scores file/s.json": (put("file", b""), "file is not a folder; see --scores"),
    "--plot file/a/b": (put("file", b""), "file is not a folder; see --plot"),
    "--plot .": (
        lambda folder: (folder / CURVES).mkdir(),
        f"{CURVES}: cannot be written: is a folder; see --plot",
    ),
    "--save .": (nothing, "is there already; remove it, or name another folder"),
    "--save file/up": (put("file", b""), "see --save"),
    "--scores up/s.json --save up": (nothing, "s.json: --scores lies in --save"),
    "--plot up --save up": (nothing, "lies in --save"),
    "--scores s --save s/up": (nothing, "lies in --scores"),
    "--scores s --save s": (nothing, "--scores lies in --save"),
}
WRONG_POSIX: dict[str, tuple[Callable[[Path], object], str]] = {
    "--scores link": (link_nowhere, "is a link that leads nowhere"),
    "--scores link/s": (link_nowhere, "link is not a folder"),
    "--save link": (link_nowhere, "is a link that leads nowhere"),
    "--scores pipe": (lambda folder: os.mkfifo(folder / "pipe"), "cannot be written: not a file"),
}


@pytest.mark.usefixtures("no_scoring")
@pytest.mark.parametrize("options", [*WRONG, *on_posix(WRONG_POSIX)])
def test_a_wrong_target_changes_nothing(options: str, tmp_path: Path, monkeypatch: Patch) -> None:
    make, says = (WRONG | WRONG_POSIX)[options]
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    before = read_folder(tmp_path), sorted(tmp_path.rglob("*"))
    [line] = fail(main, *INPUT, *options.split()).splitlines()
    assert line.startswith("error: ") and says in line
    assert before == (read_folder(tmp_path), sorted(tmp_path.rglob("*")))


def test_earlier_scores_are_replaced_also_through_a_link(tmp_path: Path) -> None:
    """Those of panoptic results are, too."""
    scores = tmp_path / "new" / "scores.json"
    argv = *INPUT, "--scores", scores
    assert run(main, *argv, "--save", tmp_path / "new" / "upload")[0] == 0
    first = scores.read_bytes()
    for keys, code in ("panoptic segments notes", 0), ("panoptic", 1):
        scores.write_text(json.dumps(dict.fromkeys(keys.split(), 1)))
        assert run(main, *argv)[0] == code
    scores.write_bytes(first)
    assert run(main, *argv)[0] == 0 and scores.read_bytes() == first
    if os.name == "posix":
        link = tmp_path / "link"
        link.symlink_to(scores)
        assert run(main, *INPUT, "--scores", link)[0] == 0
        assert link.is_symlink() and scores.read_bytes() == first
