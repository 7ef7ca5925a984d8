"""Files that are read within bounds; files and folders that are whole or not there."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from cityscapes_coco.errors import UserError
from cityscapes_coco.run import files
from cityscapes_coco.run.folders import is_junk
from tests.conftest import Patch, posix_only, run_code

Fill = Callable[[Path], object]


def test_a_file_is_read_unless_it_is_too_large(tmp_path: Path) -> None:
    (path := tmp_path / "file").write_bytes(b"12345")
    assert files.read_file(path) == files.read_file(path, 5) == b"12345"
    with pytest.raises(UserError, match="has 5 bytes, too many to be read"):
        files.read_file(path, 4)


def test_a_scratch_file_leaves_nothing(tmp_path: Path) -> None:
    with files.scratch_file(tmp_path / "a" / "b") as file:
        file.write(b"part")
        file.seek(0)
        assert file.read() == b"part"
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.fixture(params=["unnamed draft", "named draft"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Patch) -> Path:
    """Where a file is to be. Some file systems, and systems, have no files without a name."""
    if request.param == "named draft":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return tmp_path / "folder" / "file"


def write(path: Path, content: bytes) -> None:
    with files.replacing(path) as file:
        file.write(content)


def test_a_file_appears_whole_when_it_is_finished(path: Path) -> None:
    write(path, b"earlier")
    with files.replacing(path) as file:
        file.write(b"whole")
        file.flush()
        assert path.read_bytes() == b"earlier"
    assert path.read_bytes() == b"whole" and os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_goes_wrong_the_earlier_file_stays(error: type[BaseException], path: Path) -> None:
    write(path, b"earlier")
    with pytest.raises(error), files.replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"earlier" and os.listdir(path.parent) == ["file"]


KINDS = [Path.mkdir, pytest.param(lambda path: os.mkfifo(path), marks=posix_only)]


@pytest.mark.parametrize("make", KINDS, ids=["a folder", "a pipe"])
def test_what_is_no_file_stays_and_the_work_is_not_begun(make: Fill, path: Path) -> None:
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(OSError, match=r"Is a directory|not a file"), files.replacing(path):
        pytest.fail("the work was begun")
    assert os.listdir(path.parent) == ["file"] and not path.is_file()


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
    process = run_code(WRITE, tmp_path / "out" / "file")
    assert process.returncode == 1 and "File too large" in process.stderr
    assert (tmp_path / "out" / "file").read_bytes() == b"earlier"
    assert os.listdir(tmp_path / "out") == ["file"]


def touch_whole(draft: Path) -> None:
    (draft / "whole").touch()


def test_a_new_folder_appears_whole_and_takes_the_place_of_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "folder"
    for error in ValueError, KeyboardInterrupt:
        with pytest.raises(error), files.new_folder(folder) as draft:
            touch_whole(draft)
            raise error
        assert os.listdir(folder.parent) == []
    with files.new_folder(folder) as draft:
        touch_whole(draft)
        assert not folder.exists()
    assert os.listdir(folder) == ["whole"]
    for refuse in files.check_free, lambda path: files.new_folder(path).__enter__():
        with pytest.raises(UserError, match="folder: is there already; remove it"):
            refuse(folder)
    assert os.listdir(folder.parent) == ["folder"]


EARLIER = {"folder", "folder/earlier", "folder.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An earlier folder with its index, in an output folder with nothing else."""
    folder = tmp_path / "out" / "folder"
    folder.mkdir(parents=True)
    (folder / "earlier").touch()
    index_of(folder).write_text("earlier")
    return folder


def index_of(folder: Path) -> Path:
    return folder.with_suffix(".json")


def replace(folder: Path, fill: Fill = touch_whole) -> AbstractContextManager[object]:
    return files.replacing_folder(folder, index_of(folder), fill)


def entries(folder: Path) -> set[str]:
    """Everything in the output folder."""
    return {path.relative_to(folder.parent).as_posix() for path in folder.parent.rglob("*")}


def test_a_folder_appears_whole_and_its_earlier_index_is_gone(folder: Path) -> None:
    def fill(draft: Path) -> None:
        touch_whole(draft)
        assert entries(folder) > EARLIER and index_of(folder).read_text() == "earlier"
        assert draft.parent == folder.parent and is_junk(draft.name)

    with replace(folder, fill):
        visible = {name for name in entries(folder) if not is_junk(name.partition("/")[0])}
        assert visible == {"folder", "folder/whole"}
    assert entries(folder) == {"folder", "folder/whole"}
    # Nothing changes any more once the index is in place.
    with pytest.raises(KeyboardInterrupt), replace(folder):
        index_of(folder).write_text("later")
        raise KeyboardInterrupt
    assert entries(folder) == {"folder", "folder/whole", "folder.json"}
    assert index_of(folder).read_text() == "later"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_earlier_pairs_stay(error: type[BaseException], folder: Path, monkeypatch: Patch) -> None:
    """While the folder is filled, while it is put in place, and while the index is."""

    def fail(draft: Path) -> None:
        touch_whole(draft)
        raise error

    def fail_to_rename(path: Path, target: Path) -> Path:
        if target == folder and not (path / "earlier").exists():
            raise error
        return rename(path, target)

    rename = Path.rename
    with pytest.raises(error), replace(folder, fail):
        pytest.fail("the folder was put in place")
    with pytest.raises(error), replace(folder):
        raise error
    monkeypatch.setattr(Path, "rename", fail_to_rename)
    with pytest.raises(error), replace(folder):
        pytest.fail("the folder was put in place")
    assert entries(folder) == EARLIER and index_of(folder).read_text() == "earlier"


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
    [*enumerate([EARLIER, {"folder", "folder/earlier"}, set(), {"folder", "folder/later"}])],
)
def test_a_kill_leaves_no_wrong_index(renames: int, visible: set[str], folder: Path) -> None:
    process = run_code(KILL, folder, renames)
    assert process.returncode == (0 if renames == 3 else -9), process.stderr
    assert {name for name in entries(folder) if not is_junk(name)} == visible


@posix_only
def test_what_a_killed_run_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    left = tmp_path / ".folder.0123abcd.tmp"
    (left / "a").mkdir(parents=True)
    (other := tmp_path / ".other.0123abcd.tmp").mkdir()
    with files.new_folder(path), files.new_folder(tmp_path / "folder2"):
        # Names end at random, so the other draft of the pair is told by what it is not.
        [in_use] = set(tmp_path.glob(".folder.*.tmp")) - {left}
        # Another run into the same place, which is done before this one.
        with files.new_folder(path):
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

        with files.replacing(index, files.replacing_folder(folder, index, fill)) as file:
            file.write(str(number).encode())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(replace, range(40)))
    assert (folder / "a").read_text() == index.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "folder.json"]
