"""The records of a COCO file, and how a file is written: whole or not at all."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypedDict

from cityscapes_coco.errors import DatasetError
from cityscapes_coco.labels import LABELS

LICENSES = [
    {
        "id": 1,
        "name": "Cityscapes Dataset License Agreement",
        "url": "https://www.cityscapes-dataset.com/license/",
    }
]


class Category(TypedDict):
    id: int
    name: str
    supercategory: str


class Image(TypedDict):
    """A photograph, `width` and `height` in pixels; the names are those of the original script."""

    id: int
    file_name: str
    seg_file_name: str
    width: int
    height: int


class AnnotationBody(TypedDict):
    """What an instance says of itself: `bbox` is [x, y, width, height], `area` its number of
    pixels.

    `instance_id` is not part of COCO: it is the value in the map, so that the source can be found.
    """

    category_id: int
    iscrowd: int
    area: int
    bbox: list[int]
    instance_id: int
    segmentation: list[list[int]]


class Annotation(AnnotationBody):
    id: int
    image_id: int


def list_categories(names: Iterable[str]) -> list[Category]:
    """Return the categories called `names`, in the order of the label table, with ids from 1."""
    chosen = set(names)
    labels = [label for label in LABELS if label.name in chosen]
    return [
        {"id": category_id, "name": label.name, "supercategory": label.category}
        for category_id, label in enumerate(labels, start=1)
    ]


def write_coco(
    path: Path,
    info: Mapping[str, object],
    categories: Iterable[Category],
    frames: Iterable[tuple[Image, Iterable[Annotation]]],
) -> None:
    """Write a COCO file, holding one frame at a time in memory.

    The file appears when it is complete; until then, and whatever `frames` raises, an earlier one
    stays as it was. Raises DatasetError if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            _replacing(path) as file,
            tempfile.TemporaryFile(dir=path.parent) as images,
            tempfile.TemporaryFile(dir=path.parent) as annotations,
        ):
            for image, image_annotations in frames:
                _append(images, image)
                for annotation in image_annotations:
                    _append(annotations, annotation)
            parts = {"info": info, "licenses": LICENSES, "categories": list(categories)}
            file.write(_json(parts).removesuffix(b"}"))
            for name, records in ((b"images", images), (b"annotations", annotations)):
                file.write(b',"%b":[' % name)
                records.seek(0)
                shutil.copyfileobj(records, file)
                file.write(b"]")
            file.write(b"}")
    except OSError as error:
        raise DatasetError(path, f"cannot be written: {error.strerror}; see --outdir") from error


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place at the end, or goes if anything fails."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            # Without this a power cut can leave the new name on an empty file.
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _append(file: IO[bytes], record: object) -> None:
    if file.tell():
        file.write(b",")
    file.write(_json(record))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
