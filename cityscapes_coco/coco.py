"""The records of a COCO file; how a file is written, whole or not at all, and how any is read."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from cityscapes_coco.errors import DatasetError
from cityscapes_coco.labels import LABELS

LICENSES = [
    {
        "id": 1,
        "name": "Cityscapes Dataset License Agreement",
        "url": "https://www.cityscapes-dataset.com/license/",
    }
]

# What `read_coco` promises of the fields that a record has. A record may still lack any of them.
_FIELDS = {
    "categories": {"id": "an integer", "name": "a text"},
    "images": {
        "id": "an integer",
        "file_name": "a text",
        "seg_file_name": "a text",
        "width": "an integer",
        "height": "an integer",
    },
    "annotations": {
        "id": "an integer",
        "image_id": "an integer",
        "category_id": "an integer",
        "iscrowd": "an integer",
        "area": "a number",
        "bbox": "four numbers",
        "instance_id": "an integer",
    },
}


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


class Annotation(TypedDict):
    """An instance, without its outline, and without the ids of its own and its image.

    `bbox` is [x, y, width, height], `area` the number of pixels. `instance_id` is not part of COCO:
    it is the value in the map, so that the source can be found.
    """

    category_id: int
    iscrowd: int
    area: int
    bbox: list[int]
    instance_id: int


def list_categories(names: Iterable[str]) -> list[Category]:
    """Return the categories called `names`, in the order of the label table, with ids from 1."""
    chosen = set(names)
    labels = [label for label in LABELS if label.name in chosen]
    return [
        {"id": category_id, "name": label.name, "supercategory": label.category}
        for category_id, label in enumerate(labels, start=1)
    ]


def encode(record: object) -> bytes:
    """Return `record` as JSON without white space."""
    return json.dumps(record, separators=(",", ":")).encode()


def encode_annotation(annotation: Annotation, polygons: Iterable[NDArray[np.int32]]) -> bytes:
    """Return an annotation with its segmentation as JSON; a polygon has shape (n, 2).

    Ids are missing: `number_annotation` adds them when all frames are in order.
    """
    texts = b"],[".join(_numbers(polygon) for polygon in polygons)
    return b'%b,"segmentation":[[%b]]}' % (encode(annotation).removesuffix(b"}"), texts)


def number_annotation(annotation_id: int, image_id: int, annotation: bytes) -> bytes:
    """Return an encoded annotation with its ids in front."""
    return b'{"id":%d,"image_id":%d,%b' % (annotation_id, image_id, annotation.removeprefix(b"{"))


def _numbers(values: NDArray[np.int32]) -> bytes:
    """Return non-negative integers as text, with commas between, ten times as fast as `json`."""
    texts = _number_texts(int(values.max()).bit_length())
    return texts.take(values.ravel()).tobytes().replace(b"\0", b"").removesuffix(b",")


@cache
def _number_texts(bits: int) -> NDArray[np.bytes_]:
    """Tabulate the text of each number of so many bits, filled up with zero bytes."""
    return np.array([b"%d," % number for number in range(1 << bits)])


def write_coco(
    path: Path,
    info: Mapping[str, object],
    categories: Sequence[Category],
    frames: Iterable[tuple[Image, Iterable[bytes]]],
) -> None:
    """Write a COCO file from images with their encoded annotations, one frame at a time.

    The file appears when it is complete; until then, and whatever `frames` raises, an earlier one
    stays as it was. `info` is encoded last, so it may tell of what came up on the way. Raises
    DatasetError if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            _replacing(path) as file,
            tempfile.TemporaryFile(dir=path.parent) as images,
            tempfile.TemporaryFile(dir=path.parent) as annotations,
        ):
            for image, image_annotations in frames:
                _append(images, encode(image))
                for annotation in image_annotations:
                    _append(annotations, annotation)
            parts = {"info": info, "licenses": LICENSES, "categories": categories}
            file.write(encode(parts).removesuffix(b"}"))
            for name, records in ((b"images", images), (b"annotations", annotations)):
                file.write(b',"%b":[' % name)
                records.seek(0)
                shutil.copyfileobj(records, file)
                file.write(b"]")
            file.write(b"}")
    except OSError as error:
        raise DatasetError(path, f"cannot be written: {error.strerror}; see --outdir") from error


def read_coco(path: Path) -> dict[str, Any]:
    """Return the COCO file at `path`, which any tool may have written.

    Its categories, images and annotations are lists of dictionaries. The fields that those have are
    as `_FIELDS` says, and their numbers finite; but any field may be missing.
    Raises DatasetError if the file cannot be read or is not so.
    """
    try:
        # A large file is coordinates for the most part: each number is kept once, which takes a
        # third of the memory.
        coco = json.loads(path.read_bytes(), parse_int=cache(int))
    except OSError as error:
        raise DatasetError(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(path, f"not a JSON file ({error}); write it again") from error
    for name, fields in _FIELDS.items():
        records = coco.get(name) if isinstance(coco, dict) else None
        if not isinstance(records, list):
            raise DatasetError(path, f"not a COCO file: no list of {name} in it")
        for index, record in enumerate(records):
            wrong = _wrong_field(record, fields)
            if wrong:
                raise DatasetError(path, f"not a COCO file: {name}[{index}] {wrong}")
    return dict(coco)


def group_by_image(annotations: Iterable[dict[str, Any]]) -> dict[Any, list[dict[str, Any]]]:
    """Return the annotations of each image id; under None those that name no image."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for annotation in annotations:
        groups.setdefault(annotation.get("image_id"), []).append(annotation)
    return groups


def _wrong_field(record: object, fields: Mapping[str, str]) -> str | None:
    if not isinstance(record, dict):
        return "is not an object"
    for name, kind in fields.items():
        if name in record and not _is(kind, record[name]):
            return f"has a field {name} that is not {kind}"
    return None


def _is(kind: str, value: object) -> bool:
    if kind == "a text":
        return isinstance(value, str)
    if kind == "four numbers":
        return (
            isinstance(value, list) and len(value) == 4 and all(_is("a number", v) for v in value)
        )
    types = int if kind == "an integer" else (int, float)
    # The bounds keep out NaN and infinity, which Python's JSON allows, and what numpy cannot hold.
    return isinstance(value, types) and -(2**63) < value < 2**63


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


def _append(file: IO[bytes], record: bytes) -> None:
    if file.tell():
        file.write(b",")
    file.write(record)
