"""Files of scores: JSON and CSV with all digits, and tables for Markdown and LaTeX in percent.

Each names the truth and the programs that made the scores, and says whether the scores can be
compared with the Cityscapes benchmark.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from cityscapes_coco.coco.reading import read_coco, read_options
from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.labels import LABELS
from cityscapes_coco.options import Options
from cityscapes_coco.run.files import read_file, write_file
from cityscapes_coco.scores.coco_score import LIBRARY
from cityscapes_coco.scores.evaluate import Scores
from cityscapes_coco.scores.evaluate_panoptic import PanopticScores
from cityscapes_coco.version import __version__

# How the files begin that are not JSON, by the ending of their names. See `targets.py`, too.
BEGINS = {
    ".csv": "protocol,class,score,value,comparable,truth,sha256,program\n",
    ".md": "<!-- Scores of cityscapes-coco -->\n",
    ".tex": "% Scores of cityscapes-coco\n",
}
# The size of Cityscapes' photographs.
_SIZE = 2048, 1024
# How many frames val has, the split that papers report.
_FRAMES = 500
# The names of val's photographs, and of their images in the official panoptic file.
_OF_VAL = re.compile(r"(frankfurt|lindau|munster)_\d{6}_\d{6}(_gtFine)?_leftImg8bit")
_COLUMNS = {"ap": "AP", "ap50": "AP50", "ap75": "AP75"}
_SPECIAL = re.compile(r"([&%$#_{}])")


class Origin(Struct):
    """Where scores come from: the file of the truth, its digest, and the programs; and for each
    protocol "yes", or "no: " and why it cannot be compared with the benchmark's."""

    truth: str
    sha256: str
    program: str
    comparable: dict[str, str]


class ScoreTable(NamedTuple):
    """The scores of one protocol; None where there is nothing to score. `rows` has the name and the
    numbers of each class, then of the averages: a class may be called average, too."""

    protocol: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float | None]]]


def find_origin(truth_path: Path, scores: Scores | PanopticScores) -> Origin:
    """Return where scores with the COCO file or panoptic file at `truth_path` come from."""
    coco = read_coco(truth_path)
    reason = _find_difference(coco)
    if isinstance(scores, PanopticScores):
        asked_for = {label.name for label in LABELS if not label.ignored}
        protocols = {"panoptic quality": reason or _compare(scores.panoptic.classes, asked_for)}
    else:
        protocols = {f"COCO {shape}": "no: COCO's protocol" for shape in scores.coco.average}
        if scores.cityscapes:
            asked_for = {lab.name for lab in LABELS if lab.has_instances and not lab.ignored}
            compared = reason or _compare(scores.cityscapes.classes, asked_for)
            protocols["Cityscapes"] = compared
        if scores.citypersons:
            protocols["CityPersons"] = reason or _compare_persons(coco, scores.citypersons.category)
    digest = hashlib.sha256(read_file(truth_path)).hexdigest()
    program = f"cityscapes-coco {__version__}"
    if isinstance(scores, Scores):
        program += f", {LIBRARY}"
        with suppress(PackageNotFoundError):  # in a bundle without its metadata
            program += f" {version(LIBRARY)}"
    return Origin(truth_path.name, digest, program, protocols)


def write_scores(path: Path, scores: Scores | PanopticScores, origin: Origin) -> None:
    """Write scores in the form that the ending of `path` names: .csv, .md or .tex, or else JSON.

    Raises UserError if the file cannot be written.
    """
    write = _FORMS.get(path.suffix.lower())
    if write:
        tables = [*list_tables(scores)]
        content = BEGINS[path.suffix.lower()].encode() + "".join(write(tables, origin)).encode()
    else:
        numbers = msgspec.structs.asdict(scores) | {"origin": origin}
        numbers.pop("curves", None)
        content = msgspec.json.format(msgspec.json.encode(numbers)) + b"\n"
    # A link stays; the file that it leads to is replaced.
    write_file(path.resolve(), content, "--scores")


def list_tables(scores: Scores | PanopticScores) -> Iterator[ScoreTable]:
    """Yield the scores of each protocol."""
    if isinstance(scores, PanopticScores):
        averages = msgspec.structs.asdict(scores.panoptic.average).items()
        yield _table("panoptic quality", [*scores.panoptic.classes.items(), *averages])
        return
    for shape, average in scores.coco.average.items():
        of_shape = [(name, score[shape]) for name, score in scores.coco.classes.items()]
        yield _table(f"COCO {shape}", [*of_shape, ("average", average)])
    if scores.cityscapes:
        of_cityscapes = scores.cityscapes.classes.items()
        yield _table("Cityscapes", [*of_cityscapes, ("average", scores.cityscapes.average)])
    if scores.citypersons:
        category, rates = scores.citypersons.category, scores.citypersons.setups
        yield ScoreTable("CityPersons", [*rates], [(category, [*rates.values()])])


def _table(protocol: str, scores: Sequence[tuple[str, Any]]) -> ScoreTable:
    fields = scores[-1][1].__struct_fields__
    columns = [_COLUMNS.get(f, f.removeprefix("ap_") if "_" in f else f.upper()) for f in fields]
    rows = [(name, [getattr(score, field) for field in fields]) for name, score in scores]
    return ScoreTable(protocol, columns, rows)


def _find_difference(coco: CocoFile) -> str:
    """Return "no: " and what the truth has that the benchmark has not; nothing if there is none."""
    options = read_options(coco)
    if any(len(chosen.classes) > 1 for chosen in options.parsed_categories):
        return "no: merged classes"
    if options.annotations == "gtCoarse":
        return "no: coarse maps"
    if options.images != Options().images:
        return f"no: images {', '.join(options.images)}"
    for image in coco.images:
        if (image.width, image.height) != _SIZE:
            return f"no: {image.width} x {image.height}"
    if len(coco.images) != _FRAMES:
        return f"no: {len(coco.images)} images, and val has {_FRAMES}"
    names = {PureWindowsPath(image.file_name or "without a name").stem for image in coco.images}
    if others := sorted(name for name in names if not _OF_VAL.fullmatch(name)):
        return f"no: the image {others[0]} is no photograph of val"
    if len(names) < _FRAMES:
        return f"no: {len(names)} different images, and val has {_FRAMES}"
    return ""


def _compare(classes: Mapping[str, object], asked_for: set[str]) -> str:
    if classes.keys() == asked_for:
        return "yes"
    return f"no: {len(classes.keys() & asked_for)} of {len(asked_for)} classes"


def _compare_persons(coco: CocoFile, category: str) -> str:
    """Return "no: " and what the truth has that CityPersons' val has not; or "yes"."""
    options = read_options(coco)
    if category != "pedestrian":
        return f"no: the miss rate of {category}"
    if options.min_area or options.empty_frames == "drop":
        return "no: left out by --min-area or --empty-frames"
    return "yes"


def _write_csv(tables: Iterable[ScoreTable], origin: Origin) -> Iterator[str]:
    """Yield a line for each number; empty where there is nothing to score."""
    for protocol, columns, rows in tables:
        for name, numbers in rows:
            for column, number in zip(columns, numbers, strict=True):
                value = "" if number is None else repr(number)
                cells = [protocol, name, column, value, origin.comparable[protocol]]
                cells += [origin.truth, origin.sha256, origin.program]
                yield ",".join(map(_quote, cells)) + "\n"


def _write_markdown(tables: Iterable[ScoreTable], origin: Origin) -> Iterator[str]:
    for protocol, columns, rows in tables:
        yield f"\n| {protocol} | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}\n"
        for name, numbers in rows:
            escaped = name.replace("|", r"\|").replace("\n", " ")
            yield f"| {escaped} | {' | '.join(_percent(number, '-') for number in numbers)} |\n"
        yield f"\n{_describe(protocol, origin)}\n"


def _write_latex(tables: Iterable[ScoreTable], origin: Origin) -> Iterator[str]:
    """Yield tables for the package booktabs."""
    for protocol, columns, rows in tables:
        explained = _describe(protocol, origin).replace("\n", " ")
        averages = ("average", "all")
        yield f"\n% {explained}\n\\begin{{tabular}}{{l{'r' * len(columns)}}}\n\\toprule\n"
        heads = " & ".join(_SPECIAL.sub(r"\\\1", column) for column in columns)
        yield f"{protocol} & {heads} \\\\\n\\midrule\n"
        last = max((n for n, (name, _) in enumerate(rows) if name in averages), default=0)
        for place, (name, numbers) in enumerate(rows):
            if place == last > 0:
                yield "\\midrule\n"
            cells = (_percent(number, "--") for number in numbers)
            escaped = _SPECIAL.sub(r"\\\1", name.replace("\\", "/").replace("\n", " "))
            # Alone, ~ is a space, and ^ an error outside of formulas.
            escaped = escaped.replace("~", r"\~{}").replace("^", r"\^{}")
            # Such a name would be an argument of the command before it.
            if escaped.lstrip().startswith(("[", "*")):
                escaped = "{}" + escaped
            yield f"{escaped} & {' & '.join(cells)} \\\\\n"
        yield "\\bottomrule\n\\end{tabular}\n"


def _describe(protocol: str, origin: Origin) -> str:
    return (
        f"{protocol}, in percent; truth: {origin.truth} (sha256 {origin.sha256});"
        f" {origin.program}; comparable with the benchmark: {origin.comparable[protocol]}"
    )


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def _percent(number: float | None, nothing: str) -> str:
    return nothing if number is None else f"{100 * number:.1f}"


_FORMS: dict[str, Callable[[Iterable[ScoreTable], Origin], Iterator[str]]] = {
    ".csv": _write_csv,
    ".md": _write_markdown,
    ".tex": _write_latex,
}
