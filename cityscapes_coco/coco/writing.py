"""A COCO file, written record by record."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Raw

from cityscapes_coco.coco.records import (
    Annotation,
    Category,
    Image,
    Info,
    License,
    PanopticAnnotation,
    PanopticImage,
)
from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import replacing, waiting_file

CITYSCAPES_LICENSE = License(
    1, "Cityscapes Dataset License Agreement", "https://www.cityscapes-dataset.com/license/"
)

_encoder = msgspec.json.Encoder()


def encode_segmentation(segmentation: object) -> Raw:
    """Return a segmentation as JSON: lists of coordinates, or a dictionary of run lengths whose
    counts are bytes."""
    if isinstance(segmentation, dict):
        segmentation = {**segmentation, "counts": segmentation["counts"].decode()}
    return Raw(_encoder.encode(segmentation))


class CocoWriter:
    """A COCO file that is being written: `add` the images in order, then `finish`.

    Images and annotations wait in two temporary files, as one follows the other in the file.
    """

    def __init__(self, path: Path, file: IO[bytes], parts: Mapping[str, IO[bytes]]) -> None:
        self._path = path
        self._file = file
        self._parts = parts

    def add(
        self, image: Image | PanopticImage, annotations: Sequence[Annotation | PanopticAnnotation]
    ) -> None:
        with blaming(self._path):
            for part, records in ("images", [image]), ("annotations", annotations):
                if records:
                    file = self._parts[part]
                    file.write(b"," if file.tell() else b"")
                    file.write(_encode(records)[1:-1])

    def finish(self, info: Info, categories: Sequence[Category]) -> None:
        head = {"info": info, "licenses": [CITYSCAPES_LICENSE], "categories": categories}
        with blaming(self._path):
            self._file.write(_encode(head)[:-1])
            for part, records in self._parts.items():
                self._file.write(b',"%b":[' % part.encode())
                records.seek(0)
                shutil.copyfileobj(records, self._file)
                self._file.write(b"]")
            self._file.write(b"}")
            # What does not fit on the disk is told here, before other files are put in place.
            self._file.flush()


@contextmanager
def write_coco(
    path: Path,
    beside: AbstractContextManager[object] = nullcontext(),  # noqa: B008  (has no state)
) -> Iterator[CocoWriter]:
    """Give a writer of the COCO file at `path`, which appears, within the context `beside`, when
    this context is left.

    Until then, and whatever goes wrong, an earlier file stays as it was. Raises UserError if the
    file cannot be written.
    """
    with ExitStack() as stack:
        with blaming(path):
            file = stack.enter_context(replacing(path, beside))
            parts = {
                part: stack.enter_context(waiting_file(path.parent))
                for part in ("images", "annotations")
            }
        yield CocoWriter(path, file, parts)
        with blaming(path):
            stack.close()


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """Blame an error of the system on the file or folder at `path`, which is being written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            path, f"cannot be written: {error.strerror}; choose a folder with --outdir"
        ) from error


def _encode(records: object) -> bytes:
    """Return records as JSON of ASCII characters: some readers open a file in another encoding."""
    encoded = _encoder.encode(records)
    if encoded.isascii():
        return encoded
    return json.dumps(json.loads(encoded), separators=(",", ":")).encode()
