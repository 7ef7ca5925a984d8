"""A file that is read in bounds, and a file or folder that is written whole or not at all."""

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from cityscapes_coco.errors import UserError

# What is often found in the place of a file, by how it begins.
_MISTAKEN = {
    b"version https://git-lfs": "a pointer of Git LFS",
    b"<!doctype html": "a web page, perhaps of a login",
    b"<html": "a web page, perhaps of a login",
}
# Linux lists here the files that a process has open, by their numbers.
_OWN_FILES = Path("/proc/self/fd")


def read_file(path: str | os.PathLike[str], most: int = sys.maxsize) -> bytes:
    """Return the content of a file of at most so many bytes.

    Raises UserError if there is no such file, or if the content is not what it should be at all:
    a page of a login, or a pointer to a file that was never fetched.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
        # Anything but a file might never end, a pipe for example.
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise UserError(path, "cannot be read: not a file")
        if status.st_size > most:
            raise UserError(path, f"has {status.st_size} bytes, too many to be read")
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
def waiting_file(folder: Path) -> Iterator[IO[bytes]]:
    """Give a file for what waits to be written elsewhere. The file lies in `folder`, which is made
    if it is missing, and has no name, so that nothing is left of it even after kill -9."""
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closing it may fail)
    try:
        yield file
    finally:
        _close(file)


@contextmanager
def replacing(
    path: Path,
    beside: AbstractContextManager[object] = nullcontext(),  # noqa: B008  (has no state)
) -> Iterator[IO[bytes]]:
    """Open a draft that becomes the file at `path` when the context is left, and is removed if
    anything fails. The folder is made if it is missing.

    `beside` is a context in which the draft, whole by then, is put in place. Where the system can,
    the draft has no name until then, so that not even kill -9 leaves a draft behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        # Replacing a folder would fail as well, but not until all the work has been done.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():
        # The system would let a draft take the place of a pipe, or of /dev/stdout.
        raise OSError(errno.EINVAL, "not a file")
    draft = _hidden_beside(path)
    unnamed = _open_unnamed(path.parent)
    file = unnamed or draft.open("xb")
    try:
        yield file
        file.flush()
        # Without this a power cut can leave the new name on an empty file.
        os.fsync(file.fileno())
        with beside:
            if unnamed:
                _give_name(unnamed, draft)
            file.close()
            draft.replace(path)
    except BaseException:
        _close(file)
        draft.unlink(missing_ok=True)
        raise


def check_free(path: Path) -> None:
    """Raise UserError if there is something at `path`."""
    if path.exists():
        raise UserError(path, "is there already; remove it, or name another folder")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a draft folder that becomes the folder at `path` when the context is left, and is
    removed if anything fails. Raises UserError if there is something at `path` already."""
    check_free(path)
    with _draft_folder(path) as draft:
        yield draft
        draft.rename(path)


@contextmanager
def replacing_folder(path: Path, index: Path, fill: Callable[[Path], object]) -> Iterator[None]:
    """Have `fill` write the files of a draft folder, which becomes the folder at `path`.

    `index` is the file that tells what is in the folder, and whose absence tells that the folder is
    not whole. The caller puts the new index in place within the context. The earlier index is gone
    before the folder changes, so an index never stands beside a folder that is not its own, not
    even after kill -9, which may leave the draft. If anything fails, both earlier ones come back.
    """
    aside: dict[Path, Path] = {}
    with _draft_folder(path) as draft:
        fill(draft)
        _sync_files(draft)
        try:
            for earlier in index, path:
                with suppress(FileNotFoundError):
                    aside[earlier] = earlier.rename(_hidden_beside(earlier))
            draft.rename(path)
            yield
        except BaseException:
            # Beside an index, the new one or that of another run, the folder is the right one.
            if not index.exists():
                if not draft.exists():
                    path.rename(draft)
                for earlier, hidden in aside.items():
                    if not earlier.exists():
                        hidden.rename(earlier)
            raise
        finally:
            for hidden in aside.values():
                if hidden.is_dir():
                    shutil.rmtree(hidden, ignore_errors=True)
                else:
                    hidden.unlink(missing_ok=True)


@contextmanager
def _draft_folder(path: Path) -> Iterator[Path]:
    """Give a new folder beside `path`, which is removed if anything fails."""
    draft = _hidden_beside(path)
    draft.mkdir(parents=True)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _close(file: IO[bytes]) -> None:
    """Close a file that nobody needs any more: what cannot be written to it, as when the disk is
    full, is no error beside the one that there was."""
    with suppress(OSError):
        file.close()


def _hidden_beside(path: Path) -> Path:
    """Return a free name in the folder of `path` that is passed over where names are listed."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _sync_files(folder: Path) -> None:
    """Have the disk hold the files of a folder: `replacing` tells why.

    Files that wait together share a wait: one after the other takes thirty times as long.
    """

    def sync(name: str) -> None:
        with (folder / name).open("r+b") as file:
            os.fsync(file.fileno())

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(sync, os.listdir(folder)):
            pass


def _open_unnamed(folder: Path) -> IO[bytes] | None:
    """Open a file that vanishes when it is closed, unless `_give_name` names it; None if the system
    or the file system has no files without a name."""
    if not hasattr(os, "O_TMPFILE") or not _OWN_FILES.is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except OSError:
        return None


def _give_name(file: IO[bytes], path: Path) -> None:
    own_files = os.open(_OWN_FILES, os.O_RDONLY)
    try:
        # Python follows the link in /proc only if the source is named relative to an open folder.
        os.link(str(file.fileno()), path, src_dir_fd=own_files)
    finally:
        os.close(own_files)
