"""The command line of the scores; what they are is in tests/scores."""

from pathlib import Path

import pytest

from cityscapes_coco.cli.evaluate import main
from tests.conftest import fail
from tests.files import GOLDEN_VAL, PREDICTIONS, SAMPLE


@pytest.mark.parametrize("name", ["results.json", "coco.json", "../here/results.json"])
def test_scores_take_the_place_of_nothing_that_is_read(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for source, copy in (PREDICTIONS, "results.json"), (GOLDEN_VAL, "coco.json"):
        (folder / copy).write_bytes(source.read_bytes())
    argv = "--coco", folder / "coco.json", "--results", folder / "results.json"
    options = "--coco_dir", SAMPLE, *argv, "--scores", folder / name
    [line] = fail(main, *options).splitlines()
    assert line.startswith(f"error: {folder / name}: is read, so the scores cannot go there")
    assert (folder / "results.json").read_bytes() == PREDICTIONS.read_bytes()
