"""Read a file of bounded size; write a file or a folder whole or not at all."""

import errno
import glob
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from cityscapes_coco.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# How a file begins that is not the file that was asked for, and what it is.
_MISTAKEN = {
    b"version https://git-lfs": "a pointer of Git LFS",
    b"<!doctype html": "a web page, perhaps of a login",
    b"<html": "a web page, perhaps of a login",
}
NO_OP: AbstractContextManager[object] = nullcontext()  # it has no state, so all may share it
# Linux lists the open files of a process here, by number.
_OWN_FILES = Path("/proc/self/fd")


def read_file(path: str | os.PathLike[str], most: int = sys.maxsize) -> bytes:
    """Return the content of a file of at most `most` bytes. Raises UserError if it cannot be read,
    is empty or too large, or is only a stand-in: the page of a login, or a pointer of Git LFS."""
    try:
        status = os.stat(path)  # noqa: PTH116
        # A pipe or a device might never end.
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise UserError(path, "cannot be read: not a file")
        if status.st_size > most:
            reason = f"has {status.st_size} bytes, too many to be read; is it the right file?"
            raise UserError(path, reason)
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(path, f"cannot be read: {error.strerror}") from error
    if not content:
        raise UserError(path, "an empty file; get it again")
    head = content[:100].lstrip().lower()
    for begin, what in _MISTAKEN.items():
        if head.startswith(begin):
            raise UserError(path, f"{what}, not the file itself; get the file again")
    return content


@contextmanager
def scratch_file(folder: Path) -> Iterator[IO[bytes]]:
    """Give a temporary file on the disk of `folder`, which is created if it is missing. The file
    has no name, so nothing is left of it even after kill -9."""
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closing it may fail)
    try:
        yield file
    finally:
        _close(file)


@contextmanager
def replacing(path: Path, placing: AbstractContextManager[object] = NO_OP) -> Iterator[IO[bytes]]:
    """Give a draft that becomes the file at `path` when the context is left, and is removed if
    anything fails. The folder of `path` is created if it is missing.

    `placing` is a context that is entered once the draft is complete, just before the rename. Where
    the system allows it, the draft has no name until then, so that even kill -9 leaves no draft.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Asked once: another run may move the file away between two questions.
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            # The rename would fail anyway, but only after all the work.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            # The rename would replace a pipe, or /dev/stdout.
            raise OSError(errno.EINVAL, "not a file")
    draft = _hidden_beside(path)
    unnamed = _open_unnamed(path.parent)
    file = unnamed or draft.open("xb")
    try:
        yield file
        file.flush()
        # Without this, a power cut after the rename can leave an empty file.
        os.fsync(file.fileno())
        with placing:
            if unnamed:
                _give_name(unnamed, draft)
            file.close()
            draft.replace(path)
    except BaseException:
        _close(file)
        draft.unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes, option: str) -> None:
    """Write a file whole. Raises UserError, which names the option, if it cannot be written."""
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise UserError(path, f"cannot be written: {error.strerror}; see {option}") from error


def check_free(path: Path) -> None:
    """Raise UserError if there is something at `path`."""
    if path.exists():
        raise UserError(path, "is there already; remove it, or name another folder")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a draft folder that becomes the folder at `path` when the context is left, and is
    removed if anything fails. Raises UserError if there is something at `path`."""
    check_free(path)
    with _draft_folder(path) as draft:
        yield draft
        with _locked(path.parent):
            draft.rename(path)
            _remove_leftovers(path)


@contextmanager
def replacing_folder(path: Path, index: Path, fill: Callable[[Path], object]) -> Iterator[None]:
    """Replace the folder at `path` by a draft folder that `fill` has written.

    `index` is the file that describes the folder; without an index, the folder is incomplete. The
    caller writes the new index inside the context. The old index is removed before the folder
    changes, so an index never describes another folder, not even after kill -9, which may leave the
    draft. If anything fails, the old folder and the old index come back.
    """
    aside: dict[Path, Path] = {}
    with ExitStack() as stack:
        draft = stack.enter_context(_draft_folder(path))
        fill(draft)
        _sync_files(draft)
        stack.enter_context(_locked(path.parent))
        try:
            for earlier in index, path:
                with suppress(FileNotFoundError):
                    aside[earlier] = earlier.rename(_hidden_beside(earlier, "old"))
            draft.rename(path)
            yield
            _remove_leftovers(path, index)
        except BaseException:
            # If an index exists, new or of another run, the folder matches it: leave both.
            if not index.exists():
                if not draft.exists():
                    path.rename(draft)
                for earlier, hidden in aside.items():
                    if not earlier.exists():
                        hidden.rename(earlier)
            raise
        finally:
            for hidden in aside.values():
                _remove(hidden)


@contextmanager
def _draft_folder(path: Path) -> Iterator[Path]:
    """Give a new hidden folder beside `path`, which is removed if anything fails. A lock shows that
    it is in use, so that `_remove_leftovers` of another run leaves it alone."""
    _refuse_leftovers_of_others(path)
    draft = _hidden_beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            # Another run must not find the draft before it is locked.
            with _locked(path.parent):
                draft.mkdir()
                stack.enter_context(_locked(draft))
            yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock on a folder, and give whether it is held; the lock ends with the process. Where
    the system or the file system has no such locks, the work goes on without."""
    if fcntl is None:
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            held = True
        except OSError:
            held = False
        yield held
    finally:
        os.close(handle)


def _refuse_leftovers_of_others(path: Path) -> None:
    """Raise UserError if another user's run has left a draft, which only that user can remove."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    for draft in path.parent.glob(f".{glob.escape(path.name)}.????????.tmp"):
        with suppress(FileNotFoundError):
            if user not in (0, draft.stat().st_uid):
                raise UserError(draft, "left by a killed run of another user; have it removed")


def _remove_leftovers(*paths: Path) -> None:
    """Remove what killed runs have left beside files and folders: drafts that no run holds, and
    what was moved aside. The caller holds the lock on the folder."""
    for path in paths:
        hidden = f".{glob.escape(path.name)}.????????"
        for aside in path.parent.glob(f"{hidden}.old"):
            _remove(aside)
        for draft in filter(Path.is_dir, path.parent.glob(f"{hidden}.tmp")):
            with suppress(OSError), _locked(draft, wait=False) as is_free:
                if is_free:
                    _remove(draft)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _close(file: IO[bytes]) -> None:
    """Close a file that is not needed any more. Closing it may fail, as when the disk is full; the
    first error counts, not this one."""
    with suppress(OSError):
        file.close()


def _hidden_beside(path: Path, ending: str = "tmp") -> Path:
    """Return a free hidden name in the folder of `path`."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.{ending}")


def _sync_files(folder: Path) -> None:
    """Make sure that the files of a folder are on the disk, as `replacing` does. They wait at the
    same time: one after the other takes thirty times as long."""

    def sync(name: str) -> None:
        with (folder / name).open("r+b") as file:
            os.fsync(file.fileno())

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(sync, os.listdir(folder)):
            pass


def _open_unnamed(folder: Path) -> IO[bytes] | None:
    """Open a file without a name, which is gone when it is closed unless `_give_name` names it.
    Returns None where the system or the file system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not _OWN_FILES.is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except OSError:
        return None


def _give_name(file: IO[bytes], path: Path) -> None:
    own_files = os.open(_OWN_FILES, os.O_RDONLY)
    try:
        # Python follows the link in /proc only if the source is relative to an open folder.
        os.link(str(file.fileno()), path, src_dir_fd=own_files)
    finally:
        os.close(own_files)
