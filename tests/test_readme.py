"""The README held against the program."""

import argparse
import re
from pathlib import Path

import pytest

import inspect_coco
import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    _, found, rest = README.partition(f"# {title}\n")
    assert found, title
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    return [
        action.option_strings[-1] for action in parser._actions if action.option_strings[0] != "-h"
    ]


@pytest.mark.parametrize(
    ("program", "parser"),
    [("main.py", main.build_parser()), ("inspect_coco.py", inspect_coco.build_parser())],
)
def test_the_options_are_those_of_the_program(
    program: str, parser: argparse.ArgumentParser
) -> None:
    listed = re.findall(r"^\| `(--[\w-]+)", section(f"Options of {program}"), re.MULTILINE)
    assert listed == options_of(parser)


def test_each_module_is_in_the_tour_and_each_stop_exists() -> None:
    stops = re.findall(r"^\d+\. `(cityscapes_coco/\w+\.py)`", section("Read the code"), re.M)
    modules = {f"cityscapes_coco/{path.name}" for path in (ROOT / "cityscapes_coco").glob("*.py")}
    assert len(stops) == len(set(stops))
    assert set(stops) == modules - {"cityscapes_coco/__init__.py"}


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_one_line_installs_each_set_of_requirements(requirements: str) -> None:
    assert len(re.findall(rf"^python3 .*-r {requirements} ", README, re.MULTILINE)) == 1
