"""The command with three verbs, and how messages name the command that was started."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from cityscapes_coco.__main__ import choose_verb
from cityscapes_coco.errors import command
from evaluate_coco import main as evaluate
from inspect_coco import main as inspect
from tests.conftest import Capture, fail
from tests.files import GOLDEN_VAL, PREDICTIONS, ROOT, SAMPLE, load, write_json

PROGRAM = "cityscapes-coco"


@pytest.mark.parametrize("argv", [[], ["--help"], ["help"]])
def test_alone_it_prints_each_verb_with_an_example(argv: list[str], capsys: Capture) -> None:
    assert choose_verb(PROGRAM, argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for verb in "convert", "inspect", "evaluate":
        assert f"\n{verb} " in out and f" {PROGRAM} {verb} --" in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["convrt"], "no verb convrt: it is convert | inspect | evaluate; did you mean convert?"),
        (["Convert"], "did you mean convert?"),
        (["verify"], "did you mean inspect --verify?"),
        (["a\nb"], "no verb a\\nb: it is convert | inspect | evaluate"),
        (["--datadir", "x"], "--datadir: a verb comes first, such as cityscapes-coco convert"),
    ],
)
def test_another_verb_is_exit_code_2(argv: list[str], says: str, capsys: Capture) -> None:
    assert choose_verb(PROGRAM, argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err


def test_a_verb_has_the_exit_code_and_texts_of_its_script(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    argv = "--coco_dir", tmp_path, "--stats"
    of_script = fail(inspect, *argv)
    assert "make it with main.py --datadir" in of_script
    of_verb = fail(partial(choose_verb, PROGRAM), "inspect", *argv)
    assert of_verb == of_script.replace("main.py", f"{PROGRAM} convert")
    assert command("convert") == f"{PROGRAM} convert"


def test_a_hint_from_the_depth_names_the_command(tmp_path: Path) -> None:
    coco = load(GOLDEN_VAL)
    coco["images"][1]["id"] = coco["images"][0]["id"]
    path = write_json(tmp_path / "coco.json", coco)
    argv = "--coco", path, "--results", PREDICTIONS
    told = "; {} --verify lists what is wrong"
    assert told.format("inspect_coco.py") in fail(evaluate, *argv)
    verb = fail(partial(choose_verb, PROGRAM), "evaluate", *argv)
    assert told.format(f"{PROGRAM} inspect") in verb


def test_python_runs_the_package_as_a_module(tmp_path: Path) -> None:
    options = "convert", "--datadir", SAMPLE, "--outdir", tmp_path, "--splits", "val"
    process = subprocess.run(
        [sys.executable, "-m", "cityscapes_coco", *map(str, options)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert (tmp_path / GOLDEN_VAL.name).read_bytes() == GOLDEN_VAL.read_bytes()
