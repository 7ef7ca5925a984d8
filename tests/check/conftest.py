"""The street, twice, as a COCO file and as panoptic files, and what the check finds in them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cityscapes_coco.check.verify import Report, verify_file
from cityscapes_coco.cli.tables import describe_check
from tests.conftest import WriteMap, convert, street
from tests.damage import Change
from tests.files import OUTPUT, load, write_json

NAME, OTHER = "aachen_000000_000019", "aachen_000001_000019"
ALL_EXACT = {"car": (4, 4, 0, 0, 0), "person": (2, 2, 0, 0, 0), "bicycle": (2, 2, 0, 0, 0)}

Spoil = Callable[..., Report]

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
