"""The benchmark must say everything that it promises, and nothing if the output is wrong."""

from pathlib import Path

import pytest

from benchmarks.benchmark import BenchmarkError, check_repeats, read_annotations, verify
from tests.conftest import OUTPUT, PATIENCE, ROOT, SAMPLE, load, posix_only, run_script, write_json

GOLDEN = ROOT / "tests" / "golden" / OUTPUT

# Takes the place of mmdetection's converter.
CONVERTER = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from main import main
raise SystemExit(main(["--datadir", sys.argv[1], "--outdir", sys.argv[3]]))
"""
ROWS = [
    *("measured", "---", "decode", "one worker"),
    *("- read", "- find", "- outline", "- records", "- write"),
    *("- Pillow", "- kornia-rs", "- our strict reader", "- inflate with zlib", "- inflate with z"),
    *("instances and panoptic files", "the official tool"),
    *("`main.py`, one process", "mmdetection", "verify, 1 worker", "verify, "),
    *(
        "decode 3 frames",
        "3 frames, 1 worker",
        "3 frames, ",
        "peak memory, 1 frames",
        "peak memory, 3 frames",
    ),
    *("pycocotools loads 3 images", "`inspect_coco.py` prints"),
    *("`inspect_coco.py` draws", "`inspect_coco.py --verify`"),
    *("score, 1 worker", "the official script scores", "peak memory, scoring 1 frames"),
    "peak memory, scoring 3 frames",
    *("size of an annotation", "`main.py --help`"),
]


@posix_only
def test_each_row_of_the_table_is_there(tmp_path: Path) -> None:
    converter = tmp_path / "cityscapes.py"
    converter.write_text(CONVERTER)
    tiny = ["--frames", 2, "--runs", 1, "--long", 3, "--memory", 1, 3]
    done = run_script(
        "benchmarks/benchmark.py",
        *tiny,
        "--mmdet",
        converter,
        "--official",
        cwd=ROOT,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    caption, _, *table = done.stdout.splitlines()
    assert "OpenCV" in caption and "2 generated frames of 2048 x 1024 pixels" in caption
    for line, start in zip(table, ROWS, strict=True):
        assert line.startswith(f"| {start}") and line.count(" | ") == 2


def test_a_wrong_mask_stops_it(tmp_path: Path) -> None:
    coco = load(GOLDEN)
    coco["annotations"][0]["segmentation"][0][0] += 1
    verify(GOLDEN, SAMPLE)
    with pytest.raises(BenchmarkError, match="inexact"):
        verify(write_json(tmp_path / OUTPUT, coco), SAMPLE)


def test_frames_that_come_out_otherwise_the_second_time_stop_it() -> None:
    annotations = read_annotations(GOLDEN)
    check_repeats(GOLDEN, annotations, 3)
    for repeated, frames in (annotations, 4), (annotations[::-1], 3):
        with pytest.raises(BenchmarkError, match=f"{frames} frames"):
            check_repeats(GOLDEN, repeated, frames)
