"""The street, twice, as a COCO file and as panoptic files, and what the check finds in them."""

from collections.abc import Callable
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.cli.tables import describe_check
from tests.conftest import OUTPUT, Change, Coco, WriteMap, convert, load, street, write_json

NAME, OTHER = "aachen_000000_000019", "aachen_000001_000019"
ALL_EXACT = {"car": (4, 4, 0, 0, 0), "person": (2, 2, 0, 0, 0), "bicycle": (2, 2, 0, 0, 0)}

Spoil = Callable[..., Report]
Damages = dict[str, tuple[str, Change]]  # by a culprit that is named: the faults, and the damage

# The faults that leave all masks, boxes, areas and classes exact.
_OF_FIELDS = {"missing field", "wrong id", "wrong map_value", "wrong image size", "wrong isthing"}
_OF_FIELDS.add("unknown category")


@pytest.fixture
def annotations(datadir: Path, write_map: WriteMap) -> Path:
    """The folder of the files of two frames. In each there are the person 24000, which is the first
    annotation, the cars 26000 and 26001, the bicycle 33000; a group of cars and the road, which is
    the first segment, are in the panoptic file alone; the trailers are in neither."""
    write_map(street())
    write_map(street(), name=OTHER)
    convert(datadir, "--panoptic")
    return datadir / "annotations"


@pytest.fixture
def spoil(annotations: Path) -> Spoil:
    """Spoils one of the files more and more, and checks it each time."""

    def spoil(change: Change = lambda coco: None, name: str = OUTPUT) -> Report:
        coco = load(annotations / name)
        change(coco)
        return verify_file(write_json(annotations / name, coco), annotations.parent)

    return spoil


def cells(report: Report) -> dict[str, tuple[int, ...]]:
    """The table without its empty rows: in maps, exact, inexact, lost, unexpected."""
    rows = {
        str(row): (tally.in_maps, tally.exact, tally.inexact, tally.lost, tally.unexpected)
        for row, tally in report.rows.items()
    }
    return {row: counts for row, counts in rows.items() if any(counts)}


def assert_found(report: Report, faults: str, culprit: str) -> None:
    """Assert that these faults, so many of each kind, are counted, named, printed and judged."""
    assert ", ".join(f"{kind} {number}" for kind, number in report.faults.items()) == faults
    text = describe_check(report)
    exact = report.faults.keys() <= _OF_FIELDS
    assert report.exit_code == (3 if exact else 1) and culprit in text
    assert text.endswith("fields are missing or wrong" if exact else "  not exact")
    for kind, number in report.faults.items():
        assert f"  {kind}: {number}\n" in text


# Damage, by its place in a file.

SEGMENTS = "annotations", 0, "segments_info"


def find(part: Any, *path: object) -> Any:
    return reduce(getitem, path, part)


def drop(*path: object) -> Change:
    return lambda coco: find(coco, *path[:-1]).pop(path[-1])


def repeat(*path: object) -> Change:
    """Repeat the first record of a list."""
    return lambda coco: find(coco, *path).append(find(coco, *path)[0])


def change(*path: object, **fields: object) -> Change:
    """Change a record, if nothing else is named the first annotation."""
    return lambda coco: find(coco, *(path or ("annotations", 0))).update(fields)


def each(part: str, change: Callable[[Coco], object]) -> Change:
    """Change all records of a part."""
    return lambda coco: [change(record) for record in coco[part]]


def swap(part: str, field: str) -> Change:
    """Swap a field of the two records of a part."""

    def swap(coco: Coco) -> None:
        first, second = coco[part]
        first[field], second[field] = second[field], first[field]

    return swap


def both(first: Change, second: Change) -> Change:
    return lambda coco: (first(coco), second(coco))
