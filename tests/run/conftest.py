"""A folder that a cluster and worker processes convert."""

from pathlib import Path

import pytest

from tests.conftest import WriteMap
from tests.files import touch


@pytest.fixture
def frames(datadir: Path, write_map: WriteMap) -> Path:
    """A folder of 30 small maps that all differ, with photographs, which are empty."""
    for n in range(30):
        write_map([[26000, 7], [24000 + n, 33000]], name=f"a_{n:06d}_000000")
        touch(datadir / f"leftImg8bit/train/a/a_{n:06d}_000000_leftImg8bit.png")
    return datadir
