"""Settings of the user that matplotlib cannot use."""

import os
from pathlib import Path

from tests.conftest import run_script
from tests.files import GOLDEN_VAL, SAMPLE

OPTIONS = ("--coco_dir", SAMPLE, "--coco", GOLDEN_VAL)


def test_pictures_are_saved_whatever_backend_is_named(tmp_path: Path) -> None:
    inline = "module://matplotlib_inline.backend_inline"
    for backend, options in (inline, ["--num_examples=1"]), ("nonsense", ["--stats"]):
        environment = {**os.environ, "MPLBACKEND": backend}
        argv = *OPTIONS, *options, "--save", tmp_path
        done = run_script("inspect_coco.py", *argv, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
    assert len([*tmp_path.glob("*.png")]) == 2


def test_settings_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe\xe9\n")
    done = run_script("inspect_coco.py", *OPTIONS, "--stats", "--save", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: matplotlib: does not start: ")
    assert len(done.stderr.splitlines()) == 1
