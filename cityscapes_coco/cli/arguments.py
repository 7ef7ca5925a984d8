"""Arguments that several verbs have in common, and what is said of a wrong command line."""

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path

from cityscapes_coco.errors import command, one_line, typed_command

# Where the COCO files are if nobody says.
DATA_FOLDER = Path("data/cityscapes")

# Other names of options. If several options have a name, the first that the verb has is meant.
_MEANT = {
    "datadir": ("cocodir", "data", "dataroot", "input", "root"),
    "coco": ("annfile", "input", "json"),
    "outdir": ("out", "output", "outputdir"),
    "save": ("out", "outdir", "output", "outputdir"),
    "scores": ("out", "outdir", "output", "outputdir"),
    "categories": ("class", "classes"),
    "category": ("class", "classes"),
    "splits": ("subset",),
    "split": ("subset",),
    "results": ("predictions",),
    "workers": ("jobs", "threads"),
}
Others = Mapping[str, Sequence[str]]  # other options that an option depends on, by its name
# Where a word without an option most likely belongs.
_MAIN_OPTIONS = {"convert": "--datadir", "inspect": "--coco_dir", "evaluate": "--results"}


def make_parser(
    verb: str, description: str | None, needed: str, writes: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Return a parser without options yet. Its help names the options that are `needed`, says what
    the verb `writes`, and ends with examples."""
    lines = [writes, "", "examples:", *(f"  {typed_command(verb)} {words}" for words in examples)]
    return argparse.ArgumentParser(
        prog=command(verb),
        usage=" ".join(["%(prog)s", *needed.split(), "[options]"]),
        description=description,
        epilog="\n".join(lines).replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def parse(
    parser: argparse.ArgumentParser, verb: str, argv: Sequence[str] | None
) -> tuple[argparse.Namespace, set[str]]:
    """Return the arguments, and the options that were given, as the help spells them; - and _ are
    alike in them. A wrong option is exit code 2; the message says which one may be meant."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _list_options(parser)
    given = set()
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not _is_option(name):
            continue
        option = options.get(_fold(name))
        if option and not name.startswith("-"):
            parser.error(f"{name}: begins with another dash than -; write {option}")
        if option:
            given.add(option)
            words[place] = option + equals + value
        elif name.startswith("-"):
            parser.error(_explain_unknown(name, verb, options))
    args, rest = parser.parse_known_args(words)
    if rest:
        parser.error(
            f"{one_line(rest[0])}: belongs to no option; write {_MAIN_OPTIONS[verb]} before a path"
        )
    return args, given


def refuse_idle(
    parser: argparse.ArgumentParser, given: set[str], *, only_with: Others, idle_with: Others
) -> None:
    """End with exit code 2 if an option has no effect on what is asked: if none of the options that
    it is for is given, or one that it is idle with."""
    for option, others in only_with.items():
        if option in given and not given & {*others}:
            parser.error(f"argument {option}: needs {' or '.join(others)}")
    for option, others in idle_with.items():
        for other in others:
            if {option, other} <= given:
                parser.error(f"argument {option}: has no effect with {other}")


def open_results(
    parser: argparse.ArgumentParser,
    args: argparse.Namespace,
    given: set[str],
    of_instances: Collection[str],
) -> None:
    """Read the file of --results, and set `file` and `is_panoptic` in the arguments: only the file
    tells of which kind its results are. End with exit code 2 if an option is given that has no
    effect on this kind: one `of_instances`, or --pngs."""
    from cityscapes_coco.coco.json_file import has_segments, open_json

    args.file = open_json(args.results)
    args.is_panoptic = has_segments(args.file.content)
    kind = "panoptic results" if args.is_panoptic else "results of instances"
    for option in of_instances if args.is_panoptic else ("--pngs",):
        if option in given:
            parser.error(f"argument {option}: has no effect on {kind}, as in {args.results}")


def split_commas(texts: Iterable[str] | None) -> list[str] | None:
    """Return names that were written one by one or with commas between them; None for None."""
    if texts is None:
        return None
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _is_option(word: str) -> bool:
    """Return whether a word is an option, not a negative number; it may begin with a dash that a
    word processor has put in."""
    return word[:1] in ("-", "\u2013", "\u2014", "\u2212") and word.lstrip(word[0])[:1].isalpha()


def _fold(option: str) -> str:
    return option.translate(dict.fromkeys(map(ord, "-_\u2013\u2014\u2212")))


def _list_options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the options of a parser, as the help spells them, by their names without - and _."""
    spellings = [action.option_strings for action in parser._actions]
    return {_fold(name): names[-1] for names in spellings for name in names}


def _explain_unknown(name: str, verb: str, options: Mapping[str, str]) -> str:
    if name == "--json" and verb == "evaluate":
        return "--json is now --scores; the COCO file that is read is --coco"
    if name == "--json" and verb == "inspect":
        return "--json is now --coco"
    folded = _fold(name)
    reason = f"unknown option {one_line(name)}"
    meant = [options[own] for own, others in _MEANT.items() if folded in others and own in options]
    if not meant:
        if owners := [*_find_owners(folded, verb)]:
            return f"{reason}; it is one of {' and '.join(owners)}"
        meant = [options[near] for near in get_close_matches(folded.lower(), options, 1)]
    return f"{reason}; {f'did you mean {meant[0]}?' if meant else '--help lists the options'}"


def _find_owners(folded: str, verb: str) -> Iterator[str]:
    """Yield the commands of the other verbs that have an option."""
    for other in _MAIN_OPTIONS:
        if other != verb:
            parser = import_module(f"cityscapes_coco.cli.{other}").build_parser()
            if folded in _list_options(parser):
                yield command(other)


def whole_number(text: str, least: int = 0) -> int:
    """Return the number in `text`; anything else is a wrong command line."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
    return int(text)


positive = partial(whole_number, least=1)


def given_path(text: str) -> Path:
    """Return a path. An empty text, as from a shell variable that is not set, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name; is a shell variable not set?")
    return Path(text)


def is_page(path: Path) -> bool:
    """Return whether a path names the file of a page, not a folder such as run.v2."""
    return path.suffix.lower() in (".png", ".pdf", ".svg") and not path.is_dir()


def name_page(path: Path, name: str) -> Path:
    """Return the file of a page: `path` if it names one, or else `name` in that folder."""
    return path if is_page(path) else path / name


def add_workers(add: Callable[..., object]) -> None:
    """Add --workers with `add`, the method of a parser or group."""
    meaning = f"how many processes (default: the cores that may be used, {usable_cores()})"
    add("--workers", type=positive, metavar="N", help=meaning)


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
