"""Files that are read within bounds; files and folders that are whole or not there."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import (
    check_free,
    new_folder,
    read_file,
    replacing,
    replacing_folder,
    scratch_file,
)
from cityscapes_coco.run.folders import is_junk
from tests.conftest import ROOT, posix_only, run_script

# A file that is read.


def test_a_file_is_read_unless_it_is_too_large(tmp_path: Path) -> None:
    (path := tmp_path / "file").write_bytes(b"12345")
    assert read_file(path) == read_file(path, 5) == b"12345"
    with pytest.raises(UserError, match="has 5 bytes, too many to be read"):
        read_file(path, 4)


# A file that is written.


def test_a_scratch_file_leaves_nothing(tmp_path: Path) -> None:
    with scratch_file(tmp_path / "a" / "b") as file:
        file.write(b"part")
        file.seek(0)
        assert file.read() == b"part"
    assert list((tmp_path / "a" / "b").iterdir()) == []


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


@posix_only
def test_a_pipe_in_its_place_stays(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a file"), replacing(path):
        pytest.fail("the work was begun")
    assert path.is_fifo()


WRITE = """
import resource, sys
from pathlib import Path
from cityscapes_coco.run.files import replacing
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with replacing(Path(sys.argv[1])) as file:
    file.write(bytes(1_000_000))
"""


@posix_only
def test_an_earlier_file_survives_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    write(tmp_path / "out" / "file", b"earlier")
    (tmp_path / "script.py").write_text(WRITE)
    options = str(tmp_path / "script.py"), str(tmp_path / "out" / "file")
    process = run_script(*options, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.returncode == 1 and "File too large" in process.stderr
    assert (tmp_path / "out" / "file").read_bytes() == b"earlier"
    assert os.listdir(tmp_path / "out") == ["file"]


# A new folder.


def test_a_new_folder_appears_whole_and_takes_the_place_of_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "folder"
    for error in ValueError, KeyboardInterrupt:
        with pytest.raises(error), new_folder(folder) as draft:
            touch_whole(draft)
            raise error
        assert os.listdir(folder.parent) == []
    with new_folder(folder) as draft:
        touch_whole(draft)
        assert not folder.exists()
    assert os.listdir(folder) == ["whole"]
    for refuse in check_free, lambda path: new_folder(path).__enter__():
        with pytest.raises(UserError, match="folder: is there already; remove it"):
            refuse(folder)
    assert os.listdir(folder.parent) == ["folder"]


# A folder, and the file that describes it.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An earlier folder with its index, in an output folder with nothing else."""
    folder = tmp_path / "out" / "folder"
    folder.mkdir(parents=True)
    (folder / "earlier").touch()
    folder.with_suffix(".json").write_text("earlier")
    return folder


def entries(folder: Path) -> set[str]:
    """Everything in the output folder."""
    return {path.relative_to(folder.parent).as_posix() for path in folder.parent.rglob("*")}


EARLIER = {"folder", "folder/earlier", "folder.json"}


def test_a_folder_appears_whole_and_its_earlier_index_is_gone(folder: Path) -> None:
    index = folder.with_suffix(".json")

    def fill(draft: Path) -> None:
        (draft / "later").write_bytes(b"whole")
        assert entries(folder) > EARLIER and index.read_text() == "earlier"
        assert draft.parent == folder.parent and is_junk(draft.name)

    with replacing_folder(folder, index, fill):
        visible = {name for name in entries(folder) if not is_junk(name.partition("/")[0])}
        assert visible == {"folder", "folder/later"}
        index.write_text("later")
    assert entries(folder) == {"folder", "folder/later", "folder.json"}
    assert index.read_text() == "later"


def test_there_need_be_no_earlier_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "folder"
    with replacing_folder(folder, folder.with_suffix(".json"), touch_whole):
        pass
    assert entries(folder) == {"folder", "folder/whole"}


def test_what_goes_wrong_once_the_index_is_in_place_changes_nothing(folder: Path) -> None:
    index = folder.with_suffix(".json")
    with pytest.raises(KeyboardInterrupt), replacing_folder(folder, index, touch_whole):
        index.write_text("later")
        raise KeyboardInterrupt
    assert entries(folder) == {"folder", "folder/whole", "folder.json"}
    assert index.read_text() == "later"


def touch_whole(draft: Path) -> None:
    (draft / "whole").touch()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_goes_wrong_the_earlier_folder_and_index_stay(
    error: type[BaseException], folder: Path
) -> None:
    """While the folder is filled, and while the index is put in place."""

    def fail(draft: Path) -> None:
        touch_whole(draft)
        raise error

    with pytest.raises(error), replacing_folder(folder, folder.with_suffix(".json"), fail):
        pytest.fail("the folder was put in place")
    with pytest.raises(error), replacing_folder(folder, folder.with_suffix(".json"), touch_whole):
        raise error
    assert entries(folder) == EARLIER and folder.with_suffix(".json").read_text() == "earlier"


def test_they_stay_too_where_the_new_folder_cannot_be_put_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if target == folder and not (path / "earlier").exists():
            raise PermissionError
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with (
        pytest.raises(PermissionError),
        replacing_folder(folder, folder.with_suffix(".json"), touch_whole),
    ):
        pytest.fail("it was put in place")
    assert entries(folder) == EARLIER and folder.with_suffix(".json").read_text() == "earlier"


KILL = """
import os, signal, sys
from pathlib import Path
from cityscapes_coco.run.files import replacing_folder

folder, left = Path(sys.argv[1]), int(sys.argv[2])
rename = Path.rename

def rename_or_die(path, target):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return rename(path, target)

Path.rename = rename_or_die
fill = lambda draft: (draft / "later").touch()
with replacing_folder(folder, folder.with_suffix(".json"), fill):
    pass
"""


@posix_only
@pytest.mark.parametrize(
    ("renames", "visible"),
    [
        (0, EARLIER),
        (1, {"folder", "folder/earlier"}),
        (2, set()),
        (3, {"folder", "folder/later"}),
    ],
)
def test_an_index_stands_beside_its_own_folder_even_after_a_kill(
    renames: int, visible: set[str], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(KILL)
    options = str(tmp_path / "script.py"), folder, renames
    process = run_script(*options, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.returncode == (0 if renames == 3 else -9), process.stderr
    assert {name for name in entries(folder) if not is_junk(name)} == visible


# Runs that were killed, and runs at the same time.


@posix_only
def test_what_a_killed_run_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    left = tmp_path / ".folder.0123abcd.tmp"
    (left / "a").mkdir(parents=True)
    (other := tmp_path / ".other.0123abcd.tmp").mkdir()
    with new_folder(path), new_folder(tmp_path / "folder2"):
        # Names end at random, so the other draft of the pair is told by what it is not.
        [in_use] = set(tmp_path.glob(".folder.*.tmp")) - {left}
        # Another run into the same place, which is done before this one.
        with new_folder(path):
            pass
        assert in_use.is_dir() and not left.exists() and other.is_dir()
        shutil.rmtree(path)
    assert path.is_dir()


@posix_only
def test_folders_replaced_at_the_same_time_match_their_index(tmp_path: Path) -> None:
    folder, index = tmp_path / "folder", tmp_path / "folder.json"

    def replace(number: int) -> None:
        def fill(draft: Path) -> None:
            (draft / "a").write_text(str(number))

        with replacing(index, replacing_folder(folder, index, fill)) as file:
            file.write(str(number).encode())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(replace, range(40)))
    assert (folder / "a").read_text() == index.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "folder.json"]
