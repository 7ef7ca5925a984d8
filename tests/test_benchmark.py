"""The benchmarks print their tables; a wrong output has no figure."""

import re
from pathlib import Path

import pytest

from benchmarks.benchmark import BenchmarkError, verify
from tests.conftest import OUTPUT, PATIENCE, ROOT, SAMPLE, load, posix_only, run_script, write_json

GOLDEN = ROOT / "tests" / "golden" / OUTPUT


TABLES = {
    "benchmark.py": ("`main.py --workers 1`", "`main.py --help`", 15),
    "stages.py": ("decode the maps", "- inflate with zlib-ng", 13),
}


@posix_only
@pytest.mark.parametrize("script", TABLES)
def test_each_row_of_a_table_has_a_figure(script: str) -> None:
    first, last, count = TABLES[script]
    tiny = ["--frames", 1, "--runs", 1]
    if script == "benchmark.py":
        tiny += ["--long", 2, "--large", 2]
    done = run_script(f"benchmarks/{script}", *tiny, cwd=ROOT, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    _, _, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert rows[0].startswith(f"| {first}") and rows[-1].startswith(f"| {last}")
    assert len(rows) == count
    assert all(re.search(r"\| [\d.]+ (s|ms|ms a frame) \|", row) for row in rows)


@posix_only
def test_a_wrong_mask_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark runs in the folder that its names of files start from."""
    monkeypatch.chdir(tmp_path)
    Path("short").mkdir()
    Path("short/gtFine").symlink_to(SAMPLE / "gtFine")
    coco = load(GOLDEN)
    write_json(Path("short/right.json"), coco)
    coco["annotations"][0]["segmentation"][0][0] += 1
    write_json(Path("short/wrong.json"), coco)
    assert verify("short/right.json", "").startswith("81 of 81 masks exact")
    with pytest.raises(BenchmarkError, match="inexact"):
        verify("short/wrong.json", "")
