"""COCO files of any tool, looked at before they are believed."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from cityscapes_coco.coco.json_file import (
    has_json_lines,
    has_segments,
    is_list,
    mend_records,
    read_json,
)
from cityscapes_coco.coco.records import (
    Annotation,
    CocoFile,
    Id,
    Image,
    Info,
    PanopticFile,
    PanopticRecords,
    Result,
)
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import Options
from cityscapes_coco.run.json_errors import explain, name_odd_numbers

T = TypeVar("T")
AnyRecord = TypeVar("AnyRecord", Annotation, Result)

# The options are among the first bytes of a file of this program.
_HEAD = 1 << 16


def read_coco(path: Path) -> CocoFile:
    """Return the COCO file at `path`, of any tool; a PanopticFile if it has segments. Raises
    UserError, which names the record and the field, if it cannot be read or is not a COCO file."""
    content = read_json(path)
    if is_list(content):
        raise UserError(path, "a list, perhaps of results; give the COCO file with the images")
    if has_segments(content):
        return _to_instances(decode_file(path, content, PanopticRecords, "a COCO file"))
    return decode_file(path, content, CocoFile, "a COCO file")


def read_info(coco: CocoFile) -> Info | None:
    """Return how a file of this program was made; None for a file of another tool."""
    try:
        return msgspec.json.decode(coco.info or b"null", type=Info)
    except msgspec.ValidationError:
        return None


def read_options(coco: CocoFile) -> Options:
    """Return the options that a file was made with; the defaults where they are unknown."""
    info = read_info(coco)
    try:
        options = msgspec.convert(info.options if info else {}, Options)
    except msgspec.ValidationError:
        return Options()
    # No name of a file is longer: a pattern that is longer is foreign, and slow to match.
    return options if max(map(len, options.images)) < 256 else Options()


def read_listed(coco: CocoFile) -> int | None:
    """Return how many frames were on the list that a file was made from; None without a list."""
    info = read_info(coco)
    listed = info.options.get("frames") if info else None
    number = listed.get("number") if isinstance(listed, dict) else None
    return number if type(number) is int else None


def peek_options(path: Path) -> dict[str, Any] | None:
    """Return the options that a file of this program was made with, without reading all of it; None
    for any other file, or if there is none."""
    options = None
    with suppress(OSError, ValueError):
        if path.is_file():  # opening a pipe would wait for ever
            with path.open("rb") as file:
                head = file.read(_HEAD).decode(errors="replace")
            if start := re.search(r'"options":\s*', head):
                options, _ = json.JSONDecoder().raw_decode(head, start.end())
    return options if isinstance(options, dict) else None


def name_categories(coco: CocoFile) -> dict[Id, str]:
    return {category.id: category.name or "unnamed" for category in coco.categories}


def fills_with_opencv(coco: CocoFile) -> bool:
    """Return whether the polygons of a file are for readers that fill them with OpenCV."""
    return read_options(coco).segmentation == "opencv"


def list_stuff(coco: CocoFile) -> set[Id]:
    """Return the ids of the categories that are stuff, as a panoptic file or the options say."""
    if isinstance(coco, PanopticFile):
        return {category.id for category in coco.records.categories if category.isthing == 0}
    chosen = read_options(coco).parsed_categories
    stuff = {category.name for category in chosen if category.is_stuff}
    return {category.id for category in coco.categories if category.name in stuff}


def group_by_image(records: Iterable[AnyRecord]) -> dict[Id | str, list[AnyRecord]]:
    """Return the annotations or results of each image id; under UNSET, those without one."""
    groups: dict[Id | str, list[AnyRecord]] = {}
    for record in records:
        groups.setdefault(record.image_id, []).append(record)
    return groups


def decode_file(path: Path, content: bytes, kind: type[T], what: str, root: str = "") -> T:
    """Return the `content` of the file at `path`, of any tool, as an object of the type `kind`.

    Raises UserError if the content is not `what` it should be; the error names the record and the
    field. `root` is the name of a list that has no name of its own.
    """
    try:
        return _decode(content, kind)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        reason = f"not a JSON file ({error}); write it again"
        if has_json_lines(content):
            reason = "JSON lines, with an object in each; write one list of them, as jq -s . does"
        elif isinstance(error, msgspec.ValidationError):
            reason = f"not {what}: {explain(error, root)}"
            # They have become texts: see `_decode`.
            reason = name_odd_numbers(reason, content)
        raise UserError(path, reason) from error


def _to_instances(records: PanopticRecords) -> PanopticFile:
    """Return a panoptic file as instance records. Of two images with one id the first has the
    segments, and of two annotations of one image the first has the PNG file."""
    numbers: dict[object, int] = {}
    images = []
    for number, image in enumerate(records.images, 1):
        numbers.setdefault(image.id, number)
        images.append(Image(number, image.file_name, UNSET, image.width, image.height))
    annotations = []
    for record in records.annotations:
        number = numbers.get(record.image_id, 0)
        if number and images[number - 1].seg_file_name is UNSET:
            images[number - 1].seg_file_name = record.file_name
        annotations += [
            Annotation(s.id, number or UNSET, s.category_id, s.iscrowd, s.area, s.bbox, s.id)
            for s in record.segments_info or ()
        ]
    return PanopticFile(
        [*records.categories], images, annotations, records.info, records.licenses, records=records
    )


def _decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError:
        # Where a number stands in place of an object, as in a text file, msgspec looks no further.
        if content.lstrip()[:1] not in (b"[", b"{"):
            json.loads(content)
    except msgspec.DecodeError:
        # Some tools write NaN and Infinity, which JSON does not have. As texts, they become errors
        # that name the field. Others write half a character, which Python has and UTF-8 does not.
        loaded = json.loads(content, parse_constant=str)
        content = json.dumps(loaded, ensure_ascii=False).encode(errors="replace")
    return msgspec.json.decode(mend_records(content), type=kind)
