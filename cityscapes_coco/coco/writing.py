"""A COCO file, written record by record."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO

import msgspec

from cityscapes_coco.coco.records import AnyAnnotation, AnyImage, Category, Info, License
from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import NO_OP, replacing, scratch_file

_encoder = msgspec.json.Encoder()


class CocoWriter:
    """A COCO file that is being written: `add` the images in order, then `finish`. In the file all
    annotations follow all images, so both wait in temporary files until the end."""

    def __init__(self, path: Path, file: IO[bytes], parts: Mapping[str, IO[bytes]]) -> None:
        self._path = path
        self._file = file
        self._parts = parts

    def add(self, image: AnyImage, annotations: Sequence[AnyAnnotation]) -> None:
        with blaming(self._path):
            for part, records in ("images", [image]), ("annotations", annotations):
                if records:
                    file = self._parts[part]
                    file.write(b"," if file.tell() else b"")
                    file.write(_encode(records)[1:-1])

    def finish(
        self, info: Info, licenses: Sequence[License], categories: Sequence[Category]
    ) -> None:
        head = {"info": info, "licenses": licenses, "categories": categories}
        with blaming(self._path):
            self._file.write(_encode(head)[:-1])
            for part, records in self._parts.items():
                self._file.write(b',"%b":[' % part.encode())
                records.seek(0)
                shutil.copyfileobj(records, self._file)
                self._file.write(b"]")
            self._file.write(b"}")
            # A full disk shows here, before any other file is put in place.
            self._file.flush()


@contextmanager
def write_coco(path: Path, beside: AbstractContextManager[object] = NO_OP) -> Iterator[CocoWriter]:
    """Give a writer of the COCO file at `path`, which appears when this context is left; `beside`
    is entered just before the file is put in place.

    Until then, and whatever goes wrong, an earlier file stays as it was. Raises UserError if the
    file cannot be written.
    """
    with ExitStack() as stack:
        with blaming(path):
            file = stack.enter_context(replacing(path, beside))
            waiting = [stack.enter_context(scratch_file(path.parent)) for _ in range(2)]
            parts = dict(zip(("images", "annotations"), waiting, strict=True))
        yield CocoWriter(path, file, parts)
        with blaming(path):
            stack.close()


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """Re-raise OSError as UserError that names `path`, the file or folder being written."""
    try:
        yield
    except OSError as error:
        reason = f"cannot be written: {error.strerror}; choose a folder with --outdir"
        raise UserError(path, reason) from error


def _encode(records: object) -> bytes:
    """Return records as JSON in ASCII: some readers open a file in the encoding of the system."""
    encoded = _encoder.encode(records)
    if encoded.isascii():
        return encoded
    return json.dumps(json.loads(encoded), separators=(",", ":")).encode()
