"""The content of a JSON file of any tool, and what other files are that are given in its place.

Some tools write null where others leave a field out (FiftyOne: `supercategory`), or 2048.0 for 2048
(pandas: ids). pycocotools reads both, so a file with such records is not wrong: they are mended.
"""

import gzip
import io
import json
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Raw

from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import read_file

# The most bytes that a gzipped file may unpack to. A file of 2 MB could fill the memory; the
# results of all of COCO's test set are a tenth of this.
_MOST_UNPACKED = 2 << 30

# How files of other kinds begin, what they are, and where their content is as JSON.
_KINDS = {
    rb"PK\x03\x04.{26}[^/]*/data\.pkl|\x80\x02\x8a\x0a\x6c\xfc\x9c\x46": "a file of PyTorch, not"
    " JSON; detectron2's COCOEvaluator writes the same results beside it, as"
    " coco_instances_results.json",
    rb"\x80": "a pickle file, not JSON; mmdetection's CocoMetric writes the same results as JSON if"
    " it has an outfile_prefix",
    rb"PK\x03\x04": "a ZIP archive, not JSON; unpack it",
    rb"\x93NUMPY": "a NumPy file, not JSON; docs/evaluation.md shows how results are written",
}

# The fields that are lists of records.
_OF_RECORDS = {"categories", "images", "annotations", "segments_info"}
# The fields that are integers.
_INTEGERS = {"id", "image_id", "category_id", "iscrowd", "width", "height", "map_value", "isthing"}
# The fields in which pycocotools can bear null, at least for the scores of boxes or of masks.
_UNNEEDED = {"file_name", "seg_file_name", "width", "height", "name", "supercategory"}
_UNNEEDED |= {"bbox", "segmentation", "map_value", "color", "ignore", "vis_bbox", "vis_ratio"}
_UNNEEDED |= {"soft_label", "soft_label_classes", "vote_counts"}
_UNNEEDED |= {"added_from_original_annotations"}
_POINT_ZERO = re.compile(rb"(?<=\d)\.0+(?=[\s,\]}]|$)")


class JsonFile(NamedTuple):
    """A file that has been read, by `open_json`."""

    path: Path
    content: bytes


def open_json(path: Path) -> JsonFile:
    """Read a file once, for all who look into it. Raises what `read_json` raises."""
    return JsonFile(path, read_json(path))


def read_json(path: Path) -> bytes:
    """Return the content of a JSON file; it may still not be JSON. A gzipped file is unpacked, and
    UTF-16, which PowerShell writes, and UTF-32 become UTF-8.

    Raises UserError if the file cannot be read, or is a known file of another kind."""
    content = read_file(path)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = file.read(_MOST_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(path, f"a gzip file that is damaged ({error}); get it again") from error
        if len(content) > _MOST_UNPACKED:
            reason = f"a gzip file that unpacks to more than {_MOST_UNPACKED} bytes"
            raise UserError(path, f"{reason}; is it the right file?")
    for begin, what in _KINDS.items():
        if re.match(begin, content, re.DOTALL):
            raise UserError(path, what)
    encoding = json.detect_encoding(content[:4])
    if not encoding.startswith("utf-8"):
        with suppress(UnicodeError):
            return content.decode(encoding).encode()
    return content


def is_list(content: bytes) -> bool:
    """Return whether the JSON of a file is a list."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["


def has_segments(content: bytes) -> bool:
    """Return whether a file is panoptic, be it of results: no other record of COCO has this
    field."""
    return b'"segments_info"' in content


def has_json_lines(content: bytes) -> bool:
    """Return whether a file has an object in each of its lines, and no list of them."""
    lines = content.lstrip(b"\xef\xbb\xbf").split(b"\n", 2)[:2]
    try:
        return len(lines) == 2 and all(msgspec.json.decode(line, type=dict) for line in lines)
    except msgspec.DecodeError:
        return False


def mend_records(content: bytes) -> bytes:
    """Return the JSON of a record, or of a list of records, without null in fields that may be
    missing, and with integers where whole numbers have a point; other JSON as it is."""
    try:
        if is_list(content):
            records = msgspec.json.decode(content, type=list[dict[str, Raw]])
            return b"[" + b",".join(map(_mend_record, records)) + b"]"
        return _mend_record(msgspec.json.decode(content, type=dict[str, Raw]))
    except msgspec.DecodeError:
        return content


def mend_segmentation(content: bytes) -> bytes:
    """Return the JSON of a segmentation with integers where whole numbers have a point."""
    return _POINT_ZERO.sub(b"", content)


def _mend_record(record: dict[str, Raw]) -> bytes:
    fields = []
    for name, raw in record.items():
        value = bytes(raw)
        if name in _OF_RECORDS:
            value = mend_records(value)
        elif name in _INTEGERS:
            value = _POINT_ZERO.sub(b"", value)
        if value != b"null" or name not in _UNNEEDED:
            fields.append(msgspec.json.encode(name) + b":" + value)
    return b"{" + b",".join(fields) + b"}"
