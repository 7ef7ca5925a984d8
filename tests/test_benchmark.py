"""benchmarks/benchmark.py: a small run measures every row and prints a Markdown table."""

import re

from tests.conftest import PATIENCE, posix_only, run_script


@posix_only
def test_a_small_run_prints_the_table() -> None:
    small = "--frames", 1, "--runs", 1, "--long", 1, "--large", 1
    done = run_script("benchmarks/benchmark.py", *small, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    table, _, machine = done.stdout.partition("\n\n")
    head, rule, *rows = table.splitlines()
    assert re.fullmatch(r"\|( -+:? \|)+", rule) and "Python" in machine
    assert len(rows) > 10 and {row.count(" | ") for row in rows} == {head.count(" | ")}
    counts = re.findall(r"(\d+) of (\d+) masks exact", table)
    assert counts and all(0 < int(total) == int(exact) for exact, total in counts)
