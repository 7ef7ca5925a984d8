"""benchmarks/: a small run measures every row; a wrong output has no figure."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.benchmark import BenchmarkError, verify
from tests.conftest import PATIENCE, posix_only, run_script
from tests.files import OUTPUT, ROOT, SAMPLE, load, write_json


@posix_only
@pytest.mark.parametrize(
    ("script", "small", "count"),
    [
        ("benchmark", ["--long=1", "--large=1"], 21 + 2 * bool(find_spec("hotcoco"))),
        ("stages", [], 13),
    ],
)
def test_a_small_run_prints_the_table(script: str, small: list[object], count: int) -> None:
    options = ["--frames", 1, "--runs", 1, *small]
    done = run_script(f"benchmarks/{script}.py", *options, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    head, rule, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert re.fullmatch(r"\|( -+:? \|)+", rule) and len(rows) == count
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}
    assert all(re.search(r" \| \d[\d.]* (s|ms|ms a frame) \| ", row) for row in rows)
    for exact, total in re.findall(r"(\d+) of (\d+) masks exact", done.stdout):
        assert 0 < int(total) == int(exact)


@posix_only
def test_a_wrong_mask_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark runs in the folder that its names of files start from."""
    monkeypatch.chdir(tmp_path)
    Path("short").mkdir()
    Path("short/gtFine").symlink_to(SAMPLE / "gtFine")
    coco = load(ROOT / "tests" / "golden" / OUTPUT)
    write_json(Path("short/right.json"), coco)
    coco["annotations"][0]["segmentation"][0][0] += 1
    write_json(Path("short/wrong.json"), coco)
    assert verify("short/right.json", "").startswith("81 of 81 masks exact")
    with pytest.raises(BenchmarkError, match="inexact"):
        verify("short/wrong.json", "")
