"""A conversion that both programs check."""

from pathlib import Path

from tests import conftest
from tests.conftest import Coco, verify


def convert(datadir: Path, *options: object) -> Coco:
    coco = conftest.convert(datadir, *options, "--verify")
    assert verify(datadir, coco) == 0
    return coco
