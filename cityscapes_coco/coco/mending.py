"""Records that only pycocotools can read, in JSON that can be checked strictly.

Some tools write null where others leave a field out (FiftyOne: `supercategory`), or 2048.0 for 2048
(pandas: ids). pycocotools reads both, so a file with such records is not wrong.
"""

import re

import msgspec
from msgspec import Raw

from cityscapes_coco.coco.json_file import is_list

# The fields that are lists of records.
_OF_RECORDS = {"categories", "images", "annotations", "segments_info"}
# The fields that are integers.
_INTEGERS = {"id", "image_id", "category_id", "iscrowd", "width", "height", "map_value", "isthing"}
# The fields in which pycocotools can bear null, at least for the scores of boxes or of masks.
_UNNEEDED = {
    *("file_name", "seg_file_name", "width", "height", "name", "supercategory"),
    *("bbox", "segmentation", "map_value", "color", "ignore", "vis_bbox", "vis_ratio"),
    *("soft_label", "vote_counts", "added_from_original_annotations"),
}
_POINT_ZERO = re.compile(rb"(?<=\d)\.0+(?=[\s,\]}]|$)")


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
