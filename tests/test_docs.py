"""What the README and the pages in docs/ say, and how the package is laid out."""

import io
import json
import re
import shlex
import shutil
from collections import Counter
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cityscapes_coco
import evaluate_coco
import inspect_coco
import main
from benchmarks import benchmark, colors, stages
from cityscapes_coco.cli.convert import build_parser as build_convert
from cityscapes_coco.cli.evaluate import build_parser as build_evaluate
from cityscapes_coco.cli.inspect import build_parser as build_inspect
from cityscapes_coco.options import AnnotationType, Options
from tests.conftest import Capture, Patch, save_map
from tests.files import OUTPUT, PANOPTIC, ROOT, SAMPLE, load
from tests.messages import read_messages
from tests.readers.run import READERS, requirements, version_of_reader, versions

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md")))
}
PROGRAMS = {"main.py": main, "inspect_coco.py": inspect_coco, "evaluate_coco.py": evaluate_coco}
PARSERS = {
    "main.py": build_convert(),
    "inspect_coco.py": build_inspect(),
    "evaluate_coco.py": build_evaluate(),
    "benchmarks/benchmark.py": benchmark.build_parser(),
    "benchmarks/stages.py": stages.build_parser(),
    "benchmarks/colors.py": colors.build_parser(),
}
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def section(page: str, title: str) -> str:
    """The text under a heading, down to the next heading."""
    _, found, rest = PAGES[page].partition(f"# {title}\n")
    assert found, title
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks in a language; there must be at least one."""
    found = [code for name, code in FENCED.findall(text) if name == language]
    assert found, language
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of a section's tables, without the line of dashes."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    table = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    assert len(table) > 2, text
    return [cells for cells in table if not cells[0].startswith("---")]


def commands(page: str) -> list[str]:
    """The commands of a page that call one of the scripts, in lines of their own or in a text."""
    scripts = r"\bpython (?:main|inspect_coco|evaluate_coco|benchmarks/\w+)\.py[^`\n]*"
    return re.findall(scripts, PAGES[page])


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command of the docs in a folder; return the exit code and what was printed."""
    _, program, *argv = shlex.split(command)
    if program != "inspect_coco.py":
        argv += ["--workers", "1"]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.chdir(folder)
        code = PROGRAMS[program].main(argv)
    return code, printed.getvalue().replace("\\", "/")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample in it, converted by the README's first command."""
    folder = tmp_path_factory.mktemp("project")
    for name in "gtFine", "leftImg8bit", "gtBboxCityPersons", "gtBboxValidated":
        shutil.copytree(SAMPLE / name, folder / "data" / "sample" / name)
    shutil.copy(SAMPLE / "predictions.json", folder / "data" / "sample")
    first, shown, *_ = blocks(section("README.md", "Try it"))
    code, printed = run(first[first.index("python main.py") :], folder)
    assert code == 0 and printed.startswith(shown)
    return folder


TABLES = {
    "main.py": ("docs/options.md", "Options of main.py"),
    "inspect_coco.py": ("docs/options.md", "Options of inspect_coco.py"),
    "evaluate_coco.py": ("docs/evaluation.md", "Options"),
}


@pytest.mark.parametrize("program", TABLES)
def test_the_table_of_options_is_the_parsers(program: str) -> None:
    actions = [a for a in PARSERS[program]._actions if a.option_strings[0] != "-h"]
    options = {action.option_strings[-1]: action for action in actions}
    _, *table = rows(section(*TABLES[program]))
    assert [cells[0].strip("`").split()[0] for cells in table] == list(options)
    for name, meaning, default in table:
        action = options[name.strip("`").split()[0]]
        assert (" " in name) == (action.nargs != 0), name
        assert name.endswith(" ...`") == (action.nargs == "+"), name
        given = action.default
        usual = list(given) if isinstance(given, list | tuple) else [given]
        for choice in action.choices or ():
            assert choice in usual or f"`{choice}`" in meaning, (name, choice)
        if action.nargs == 0:
            assert default == ("" if name == "`--version`" else "off"), name
        elif given not in (None, "") and len(usual) == 1 and name != "`--workers N`":
            shown = given if isinstance(given, int | float) else f"`{Path(usual[0]).as_posix()}`"
            assert default == str(shown), name


def test_each_command_is_one_that_the_parsers_take_and_each_recipe_is_python() -> None:
    shown = [command for page in PAGES for command in commands(page)]
    recipes = re.findall(r"`(--[^`]+)`", PAGES["docs/training.md"])
    assert shown and recipes
    for command in [*shown, *(f"python main.py {options}" for options in recipes)]:
        _, program, *argv = shlex.split(command)
        PARSERS[program].parse_args(argv)
    for page in "docs/training.md", "docs/panoptic.md", "docs/evaluation.md":
        for code in blocks(PAGES[page], "python"):
            compile(code, page, "exec")


def test_each_recipe_was_run_with_the_versions_that_are_required() -> None:
    """tests/readers/run.py writes the lines, and whether results of a trainer were scored."""
    for reader, heading in READERS.items():
        lines = re.findall("^Last run with .*$", section("docs/training.md", heading), re.M)
        told = f"Last run with {versions(requirements(reader))}"
        assert [line.partition(": ")[0] for line in lines] == [told]
    table = rows(PAGES["docs/training.md"].partition("\nA recipe is")[0])[1:]
    assert [(row[0], row[1]) for row in table] == [
        (f"[{heading}](#{heading.lower().replace(' ', '-')})", version_of_reader(line))
        for heading in READERS.values()
        for line in re.findall("^Last run with .*$", section("docs/training.md", heading), re.M)
    ]
    for trainer in re.findall("^### (.+)$", PAGES["docs/evaluation.md"], re.M):
        # The code for Hugging Face is for one of its models.
        headings = [heading for heading in READERS.values() if heading.startswith(trainer)]
        lines = [section("docs/training.md", heading) for heading in headings]
        assert re.search(r"^Last run with .*, results scored", "".join(lines), re.M)


def test_the_annotation_shown_is_in_the_file(project: Path) -> None:
    text = section("README.md", "What the file holds")
    [shown] = map(json.loads, blocks(text, "json"))
    coco = load(project / "data/sample/annotations" / OUTPUT)
    [found] = [a for a in coco["annotations"] if a["id"] == shown["id"]]
    assert list(found.items()) == list(shown.items())
    [name] = [c["name"] for c in coco["categories"] if c["id"] == found["category_id"]]
    assert f"This annotation is a {name} of {found['area']} pixels" in text


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_code_prints_what_is_shown(project: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.chdir(project)
    names: dict[str, object] = {}
    parts = FENCED.findall(PAGES["docs/python.md"])
    assert len(parts) > 10
    for number, (language, code) in enumerate(parts):
        if language:
            exec(compile(code, "docs/python.md", "exec"), names)
            [told] = [text for kind, text in parts[number + 1 : number + 2] if not kind] or [""]
            assert capsys.readouterr().out.replace("\\", "/") == told
    table = [cells[0].strip("`") for cells in rows(section("docs/python.md", "All names"))[1:]]
    assert sorted(table) == cityscapes_coco.__all__


HOLDS = ("docs/file.md", "file holds", OUTPUT), ("docs/panoptic.md", "files hold", PANOPTIC)


@pytest.mark.parametrize(("page", "title", "file"), HOLDS)
def test_each_field_of_a_file_is_described(page: str, title: str, file: str, project: Path) -> None:
    assert run("python main.py --datadir data/sample --splits train --panoptic", project)[0] == 0
    described: dict[str, list[str]] = {}
    for where, _ in rows(section(page, f"What the {title}"))[1:]:
        names = re.findall(r"`(\w+)`", where)
        if where.startswith("- "):  # a field of the records in the row above
            described[list(described)[-1]] += names
        else:
            described[names[0]] = []
    coco = load(project / "data/sample/annotations" / file)
    assert set(described) == set(coco)
    for name in "images", "annotations":
        assert set(described[name]) == set(coco[name][0]), name


@pytest.mark.parametrize("title", ["Score results", "Panoptic quality", "Boxes"])
def test_commands_print_what_the_page_says(title: str, project: Path, monkeypatch: Patch) -> None:
    """Of a conversion a page may show a part, and of a score it shows everything."""
    text = PAGES["docs/boxes.md"] if title == "Boxes" else section("docs/evaluation.md", title)
    monkeypatch.chdir(project)
    printed, is_score = "", False
    for language, code in FENCED.findall(text):
        if language:
            exec(compile(code, title, "exec"), {})
        elif code.startswith("python "):
            told = [run(command, project) for command in code.splitlines()]
            assert {exit_code for exit_code, _ in told} == {0}
            printed, is_score = "".join(text for _, text in told), "evaluate_coco.py" in code
        else:
            assert printed.endswith(code) if is_score else code.strip() in printed


def test_an_option_that_means_nothing_for_boxes_is_refused() -> None:
    others: dict[str, object] = {"--segmentation": "rle", "--like-original": "original"}
    others |= {"--panoptic": "label", "--unknown-labels": "void", "--min-area": 9}
    others |= {"--images": ["fog"], "--category-ids": "label", "--crowd": "keep"}
    others |= {"--empty-frames": "drop", "--skip-bad": True, "--file-names": "base"}
    kinds: list[AnnotationType] = ["gtCoarse", "gtBboxCityPersons", "gtBboxValidated"]
    seen = []
    for options, *cells in rows(section("docs/boxes.md", "Options"))[1:]:
        for option in re.findall(r"`(--[\w-]+)", options):
            seen.append(option)
            field = option[2:].replace("-", "_").replace("like_original", "segmentation")
            for kind, cell in zip(kinds, cells if option in others else (), strict=False):
                told: Any = {field: others[option]}
                with pytest.raises(ValueError) if cell == "no" else nullcontext():
                    Options(kind, **told)
    assert {*others} <= {*seen} <= {a.option_strings[-1] for a in PARSERS["main.py"]._actions}


def test_masks_are_as_exact_as_shown(project: Path) -> None:
    text = section("README.md", "How exact")
    [command] = blocks(text)
    # A row that --verify prints: in maps, exact, inexact; mean IoU; lost.
    checked = r"^  (\w+) +(\d+) +(\d+) +(\d+) +(\S+) +(\d+) +\d+$"
    table = [list(column) for column in zip(*rows(text), strict=True)]
    for column, option, code in (1, "--like-original", 1), (2, "", 0):
        done, printed = run(command.replace("--like-original", option), project)
        counts: Counter[str] = Counter()
        for _, total, exact, inexact, _, lost in re.findall(checked, printed, re.M):
            counts.update(total=int(total), exact=int(exact), inexact=int(inexact), lost=int(lost))
        assert done == code
        assert table[0] == [f"of the sample's {counts['total']} instances", *table[0][1:]]
        assert table[column][1:] == [str(counts[name]) for name in table[0][1:]]
        if option:
            cars = re.findall(checked.replace(r"(\w+)", "car"), printed, re.M)
            train, val = [iou for *_, iou, _ in cars if iou != "-"]
            assert f"a mean IoU of {float(train):.2f} in train and {float(val):.2f} in val" in text
            losses = re.findall(r"^    \S+: (\w+) \d+, (\d+) pixels$", printed, re.M)
            pixels, name = max((int(pixels), name) for name, pixels in losses)
            assert f"The largest lost instance is a {name} of {pixels:,} pixels." in text


def test_the_readme_runs(project: Path, monkeypatch: Patch, capsys: Capture) -> None:
    text = section("README.md", "From Python")
    monkeypatch.chdir(project)
    [code] = blocks(text, "python")
    exec(compile(code, "README.md", "exec"), {})
    [told] = re.findall(r"This code prints `([^`]+)`\.", text)
    assert capsys.readouterr().out.replace("\\", "/") == f"{told}\n"


def test_the_page_of_errors_has_each_message_of_the_program_and_no_other() -> None:
    table = [row for row in rows(PAGES["docs/errors.md"]) if len(row) == 3]
    listed = [text for row in table for text in re.findall("`([^`]+)`", row[0])]
    assert all(row[0] == "message" or row[0].startswith("`") for row in table)
    patterns = [re.escape(text).replace(r"\.\.\.", ".*") for text in listed]
    messages, texts = read_messages(ROOT / "cityscapes_coco")
    assert len(messages) > 200
    known = "\n".join(messages | texts)
    pairs = zip(listed, patterns, strict=True)
    assert [text for text, p in pairs if not re.search(f"^{p}$", known, re.M)] == []
    assert [m for m in sorted(messages) if not any(re.fullmatch(p, m) for p in patterns)] == []


FOLDERS = rows(section("docs/folders.md", "Which data folder the program takes"))[1:]


@pytest.mark.parametrize("row", FOLDERS, ids=" | ".join)
def test_the_data_folder_is_found_as_the_table_tells(row: list[str], tmp_path: Path) -> None:
    maps, datadir, folder = (cell.strip("`") for cell in row)
    name = "train/ulm/ulm_000000_000019_gtFine_instanceIds.png"
    save_map(tmp_path / maps / name, [[26000, 26000], [7, 7]])
    (tmp_path / datadir).mkdir(parents=True, exist_ok=True)
    assert run(f"python main.py --datadir {datadir}", tmp_path)[0] == 0
    [written] = tmp_path.rglob("*.json")
    assert written.parent == tmp_path / folder / "annotations"


def test_the_official_script_agrees(project: Path, monkeypatch: Patch, capsys: Capture) -> None:
    pytest.importorskip("cityscapesscripts")
    text = section("docs/evaluation.md", "Compare with the official script")
    [command], [code] = blocks(text), blocks(text, "python")
    monkeypatch.chdir(project)
    monkeypatch.setattr(np, "in1d", None, raising=False)
    assert run(command, project)[0] == 0
    exec(compile(code, "docs/evaluation.md", "exec"), {})
    printed = re.sub(r"\x1b\[\d+(;\d+)*m", "", capsys.readouterr().out)
    [told] = [block for block in blocks(PAGES["docs/evaluation.md"]) if "Cityscapes " in block]
    table = told.partition("Cityscapes")[2]
    for name, *shown in re.findall(r"^ +(\w+) +(\S+) +(\S+)$", table, re.M):
        official = re.findall(rf"^{name} +: +(\S+) +(\S+)$", printed, re.M)
        assert [tuple(shown)] == [tuple(n.replace("nan", "-") for n in row) for row in official]


def test_the_figures_on_speed_are_the_benchmarks() -> None:
    text = section("README.md", "How fast")
    [_, *shown], measured = rows(text), rows(PAGES["docs/benchmark.md"])
    assert len(shown) == 4 and all(row in measured for row in shown)
    pattern = r"At ([\d.]+) s for 500 frames, the 2,975 frames .* about (\d+) s on two cores"
    [(seconds, told)] = re.findall(pattern, text)
    assert ["500 frames, `--workers 2`", f"{seconds} s"] in [row[:2] for row in shown]
    assert abs(float(seconds) * 2975 / 500 - int(told)) < 1


# The folders of the package, from the ground up; a folder knows only those before it and itself.
FLOORS = "run", "pixels", "cityscapes", "coco", "convert", "check", "scores", "pictures", "cli"


def test_no_folder_knows_one_above_it_and_the_two_sides_do_not_know_each_other() -> None:
    package = ROOT / "cityscapes_coco"
    assert {path.parent.name for path in package.glob("*/__init__.py")} == set(FLOORS)
    apart = {"cityscapes": {"coco"}, "coco": {"cityscapes"}, "cli": set()}
    for number, floor in enumerate(FLOORS):
        above = {*FLOORS[number + 1 :]} | apart.get(floor, set())
        for path in (package / floor).glob("*.py"):
            text = path.read_text(encoding="utf-8")
            known = set(re.findall(r"cityscapes_coco\.(\w+)", text))
            assert not known & above, path
            assert "from cityscapes_coco import" not in text, path


def test_each_link_leads_to_a_file_and_a_heading_and_the_readme_to_each_page() -> None:
    plain = {ROOT / page: FENCED.sub("", text) for page, text in PAGES.items()}
    linked = set()
    for page, text in plain.items():
        for name, anchor in re.findall(r"\]\((?!\w+://)([^)#\s]*)#?([^)\s]*)\)", text):
            path = (page.parent / name).resolve() if name else page
            assert path.is_file(), path
            if anchor:  # which GitHub makes of the heading
                headings = re.findall(r"^#+ (.+)$", plain[path], re.M)
                anchors = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
                assert anchor in anchors, (path, anchor)
            if page.name == "README.md":
                linked.add(path)
    assert set(plain) - {ROOT / "README.md"} <= linked


def test_the_readme_is_short_and_names_the_lowest_python() -> None:
    assert (ROOT / "README.md").stat().st_size <= 9500
    package = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [lowest] = re.findall(r'^requires-python = ">=(.+)"$', package, re.MULTILINE)
    assert re.findall(r"Python ([\d.]+) or newer", PAGES["README.md"]) == [lowest]
    assert re.findall(r"Python :: (3\.\d+)", package)[0] == lowest
    assert f"[recipes for {len(READERS)} readers]" in PAGES["README.md"]
