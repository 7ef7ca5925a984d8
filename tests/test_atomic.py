"""A file that is whole or not there."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cityscapes_coco.atomic import replacing
from tests.conftest import PATIENCE, ROOT


@pytest.fixture(params=["unnamed draft", "named draft"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a file is to be. Some file systems, and systems, have no files without a name."""
    if request.param == "named draft":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return tmp_path / "folder" / "file"


def write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def test_a_file_appears_whole_when_it_is_finished(path: Path) -> None:
    write(path, b"earlier")
    with replacing(path) as file:
        file.write(b"whole")
        file.flush()
        assert path.read_bytes() == b"earlier"
    assert path.read_bytes() == b"whole" and os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_goes_wrong_the_earlier_file_stays(error: type[BaseException], path: Path) -> None:
    write(path, b"earlier")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"earlier" and os.listdir(path.parent) == ["file"]


def test_a_folder_in_its_place_is_refused_before_any_work_is_done(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(IsADirectoryError), replacing(path):
        pytest.fail("the work was begun")
    assert os.listdir(path.parent) == ["file"]


WRITE = """
import sys
from pathlib import Path
from cityscapes_coco.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(bytes(1_000_000))
"""


def write_in_a_process(path: Path, prepare: Callable[[], object] | None) -> str:
    """Return what a process says of the file that it cannot write."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, path],
        cwd=ROOT, preexec_fn=prepare, stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def test_an_earlier_file_survives_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX")
    path = tmp_path / "file"
    write(path, b"earlier")
    limit = (resource.RLIMIT_FSIZE, (1000, 1000))
    assert "File too large" in write_in_a_process(path, lambda: resource.setrlimit(*limit))
    assert path.read_bytes() == b"earlier" and os.listdir(tmp_path) == ["file"]


def test_an_earlier_file_survives_a_full_disk(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if (
        not sys.platform.startswith("linux")
        or subprocess.run(mount, capture_output=True).returncode
    ):
        pytest.skip("needs Linux, where only root may mount a small disk")
    try:
        path = tmp_path / "file"
        write(path, b"earlier")
        assert "No space left on device" in write_in_a_process(path, None)
        assert path.read_bytes() == b"earlier" and os.listdir(tmp_path) == ["file"]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
