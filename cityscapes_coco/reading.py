"""A COCO file as any tool may have written it: read, and looked at before it is believed.

Only the standard library is needed here, so that a summary need not wait for numpy.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cityscapes_coco.errors import DatasetError

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
        "iscrowd": "an integer or a boolean",
        "area": "a number",
        "bbox": "four numbers",
        "instance_id": "an integer",
    },
}


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
    if isinstance(value, bool):  # Python takes it for an integer; numpy, for a size, does not
        return kind == "an integer or a boolean"
    types = (int, float) if kind == "a number" else int
    # The bounds keep out NaN and infinity, which Python's JSON allows, and what numpy cannot hold.
    return isinstance(value, types) and -(2**63) < value < 2**63
