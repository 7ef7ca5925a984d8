"""The records of a COCO file, and the file that they go into."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypedDict

from cityscapes_coco.errors import DatasetError
from cityscapes_coco.files import replacing
from cityscapes_coco.instances import Instance
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


def list_categories(names: Iterable[str], ids: str = "one") -> list[Category]:
    """Return the categories called `names`, in the order of the label table.

    Their `ids` count from "one" or from "zero", or are those of the "label" table.
    """
    chosen = set(names)
    labels = [label for label in LABELS if label.name in chosen]
    start = {"one": 1, "zero": 0}.get(ids)
    return [
        {
            "id": label.id if start is None else start + index,
            "name": label.name,
            "supercategory": label.category,
        }
        for index, label in enumerate(labels)
    ]


def encode(record: object) -> bytes:
    """Return `record` as JSON without white space."""
    return json.dumps(record, separators=(",", ":")).encode()


def encode_annotation(category_id: int, instance: Instance, segmentation: bytes | None) -> bytes:
    """Return the fields of an annotation as JSON, with its `segmentation`, if any, JSON already.

    `number_annotation` adds the braces and the ids, when all frames are in order. `instance_id` is
    not part of COCO: it is the value in the map, so that the source can be found.
    """
    # As text, because `json` would take five times as long, for every instance there is.
    encoded = b'"category_id":%d,"iscrowd":%d,"area":%d,"bbox":[%d,%d,%d,%d],"instance_id":%d' % (
        category_id,
        instance.is_crowd,
        instance.area,
        *instance.bbox,
        instance.id,
    )
    return encoded if segmentation is None else b'%b,"segmentation":%b' % (encoded, segmentation)


def number_annotation(annotation_id: int, image_id: int, annotation: bytes) -> bytes:
    """Return an annotation as JSON, from its ids and its encoded fields."""
    return b'{"id":%d,"image_id":%d,%b}' % (annotation_id, image_id, annotation)


def write_coco(
    path: Path,
    info: Mapping[str, object],
    categories: Sequence[Category],
    frames: Iterable[tuple[Image, Sequence[bytes]]],
) -> None:
    """Write a COCO file from images with their encoded annotations, one frame at a time.

    The file appears when it is complete; until then, and whatever `frames` raises, an earlier one
    stays as it was. `info` is encoded last, so it may tell of what came up on the way. Raises
    DatasetError if the file cannot be written.
    """
    try:
        with (
            replacing(path) as file,
            tempfile.TemporaryFile(dir=path.parent) as images,
            tempfile.TemporaryFile(dir=path.parent) as annotations,
        ):
            for image, image_annotations in frames:
                _append(images, [encode(image)])
                _append(annotations, image_annotations)
            parts = {"info": info, "licenses": LICENSES, "categories": categories}
            file.write(encode(parts).removesuffix(b"}"))
            for name, records in ((b"images", images), (b"annotations", annotations)):
                file.write(b',"%b":[' % name)
                records.seek(0)
                shutil.copyfileobj(records, file)
                file.write(b"]")
            file.write(b"}")
    except BrokenPipeError:
        # Not of the file, but of what `frames` tells the terminal.
        raise
    except OSError as error:
        raise DatasetError(
            path, f"cannot be written: {error.strerror}; choose a folder with --outdir"
        ) from error


def _append(file: IO[bytes], records: Sequence[bytes]) -> None:
    if records and file.tell():
        file.write(b",")
    file.write(b",".join(records))
