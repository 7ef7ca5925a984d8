"""The text that is printed about a conversion, a COCO file, a check, scores, or a submission."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco.cli.coco_file import name_split
from cityscapes_coco.coco.reading import fills_with_opencv, name_categories
from cityscapes_coco.coco.records import CocoFile, PanopticFile
from cityscapes_coco.errors import one_line

if TYPE_CHECKING:
    # These load numpy and OpenCV, which the summary of a COCO file does not need.
    from cityscapes_coco.check.verify import Report
    from cityscapes_coco.convert.split import SplitSummary
    from cityscapes_coco.scores.evaluate import Scores
    from cityscapes_coco.scores.evaluate_panoptic import PanopticScores
    from cityscapes_coco.scores.submission import Submission

_INCOMPLETE = "all that is there is exact; fields are missing or wrong"
# What the tables of COCO's scores are of.
_SHAPES = {"COCO box": "boxes", "COCO mask": "masks"}
_VERDICTS = {0: "all exact", 1: "not exact", 3: _INCOMPLETE}


def describe_split(split: str, summary: "SplitSummary") -> str:
    counts = {"images": summary.images, "instances": summary.instances.total()}
    things = [name for name in summary.categories if name not in summary.stuff]
    counts |= {f"  {name}": summary.instances[name] for name in things}
    if summary.stuff:
        counts["stuff"] = summary.stuff.total()
        counts |= {f"  {name}": count for name, count in summary.stuff.items()}
    rows = [split, *(f"  {name:<16}{count:>8}" for name, count in counts.items())]
    left_out: dict[str, dict[str, int]] = {}
    for (reason, name), number in summary.left_out.items():
        left_out.setdefault(f"left out, {reason}", {})[name] = number
    kind = summary.kind
    if kind == "map":
        rows += _tell({"groups, as crowds": summary.groups})
    else:
        rows += _tell({"ignore regions, as crowds": summary.groups.total()})
    rows += _tell(left_out)
    rows += _tell(
        {
            "frames drawn from their polygons": summary.drawn,
            "left out, frames without such an image": summary.imageless,
            "left out, frames without an instance of these classes": summary.empty,
            f"left out, frames whose {kind} cannot be read": len(summary.skipped),
            "maps with values that Cityscapes never writes": len(summary.foreign),
            "maps with unknown labels, read as void": len(summary.unknown),
            f"photographs of another size than their {kind}": len(summary.other_sizes),
        }
    )
    if summary.panoptic_path:
        rows.append(f"  {'panoptic segments':<17}{summary.segments:>7}")
    for path in summary.paths:
        rows.append(f"  written to {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return _join(rows)


def describe_file(path: Path, coco: CocoFile) -> str:
    """Return the number of annotations, or segments of a panoptic file, and of images, by class."""
    names = name_categories(coco)
    annotations: Counter[str] = Counter()
    crowds: Counter[str] = Counter()
    images: dict[str, set[object]] = {name: set() for name in names.values()}
    for annotation in coco.annotations:
        name = names.get(annotation.category_id, "unknown")
        annotations[name] += 1
        crowds[name] += bool(annotation.iscrowd)
        images.setdefault(name, set()).add(annotation.image_id)
    what = "segments" if isinstance(coco, PanopticFile) else "annotations"
    rows = [
        f"{path} ({path.stat().st_size / 1e6:.2f} MB), split {name_split(path, coco.images)}",
        f"  {'class':<16}{what:>12}{'images':>8}",
        *(f"  {name:<16}{annotations[name]:>12}{len(ids):>8}" for name, ids in images.items()),
        f"  {'all':<16}{annotations.total():>12}{len(coco.images):>8}",
    ]
    if fills_with_opencv(coco):
        rows.append("  polygons are filled as OpenCV fills them")
    return _join(rows + _tell({"of these crowds": +crowds}))


def describe_check(report: "Report") -> str:
    kind = report.kind
    rows = [
        f"{report.path}, compared with its {kind}s ({report.frames})",
        f"  {'class':<16}{'in maps' if kind == 'map' else 'there':>8}{'exact':>8}{'inexact':>9}"
        f"{'mean IoU':>10}{'lost':>7}"
        f"{'unexpected':>12}",
    ]
    for row, tally in report.rows.items():
        # A row of groups is shown only if there are any.
        if row.is_group and not tally.in_maps and not tally.unexpected:
            continue
        iou = f"{tally.ious / tally.inexact:.4f}" if tally.inexact else "-"
        rows.append(
            f"  {row!s:<16}{tally.in_maps:>8}{tally.exact:>8}{tally.inexact:>9}{iou:>10}"
            f"{tally.lost:>7}{tally.unexpected:>12}"
        )
    if report.boxes_only and kind == "map":
        rows.append("  the file has no masks: exact means that the boxes are")
    if report.with_opencv:
        rows.append("  polygons are filled as OpenCV fills them")
    rows += _tell({f"in the {kind}s, but not claimed by the file": report.left_out})
    if report.imageless:
        rows.append(f"  without an image of the sets in the file: {report.imageless} frames")
    if report.skipped:
        rows.append(f"  skipped when the file was made: {report.skipped} frames")
    for kind, number in report.faults.items():
        rows.append(f"  {kind}: {number}")
        rows += [f"    {culprit}" for culprit in report.culprits[kind]]
        if number > len(report.culprits[kind]):
            rows.append(f"    and {number - len(report.culprits[kind])} more")
    rows.append(f"  {_VERDICTS[report.exit_code]}")
    return _join(rows)


def describe_scores(path: Path, scores: "Scores") -> str:
    """Return COCO's, Cityscapes' and CityPersons' scores of the results at `path`, as tables."""
    from cityscapes_coco.scores.score_files import list_tables

    rows = [
        f"{path}: {scores.results} results; images without a result:"
        f" {scores.without_results} of {scores.images}"
    ]
    for protocol, columns, scored in list_tables(scores):
        if protocol == "CityPersons":
            [(category, rates)] = scored
            rows.append(f"  CityPersons, log-average miss rate of {category}")
            setups = zip(columns, rates, strict=True)
            rows += [f"    {name:<22}{_round(rate)}" for name, rate in setups]
            continue
        if protocol != "COCO mask":  # it has the columns of the boxes above it
            rows.append(f"  {protocol.removesuffix(' box'):<16}" + _columns(*columns))
        if protocol in _SHAPES:
            rows.append(f"  {_SHAPES[protocol]}")
        rows += _score_rows(scored)
    return _join([*rows, *(f"  {note}" for note in scores.notes)])


def describe_panoptic_scores(path: Path, scores: "PanopticScores") -> str:
    """Return the panoptic quality of the results at `path`, as a table."""
    from cityscapes_coco.scores.score_files import list_tables

    [(protocol, columns, scored)] = list_tables(scores)
    rated = [name for name, score in scores.panoptic.classes.items() if score.pq is not None]
    things = sum(name in scores.things for name in rated)
    rows = [
        f"{path}: {scores.segments} segments of {scores.images} images",
        f"  {protocol:<16}" + _columns(*columns, "classes"),
        *_score_rows(scored),
    ]
    for row, count in (-3, len(rated)), (-2, things), (-1, len(rated) - things):
        rows[row] += f"{count:>8}"
    return _join([*rows, *(f"  {note}" for note in scores.notes)])


def describe_submission(submission: "Submission") -> str:
    masks, frames = submission.masks.total(), submission.frames
    rows = [f"{submission.folder}: {masks} masks of {frames} frames, for the server"]
    rows += [f"  {name:<16}{number:>8}" for name, number in submission.masks.items()]
    rows += _tell({"masks that repeat another one exactly": submission.repeats})
    rows += _tell({"left out, no class that Cityscapes evaluates": submission.left_out})
    return _join(rows)


def _score_rows(scored: Iterable[tuple[str, Sequence[float | None]]]) -> list[str]:
    return [f"    {name:<14}" + _columns(*map(_round, numbers)) for name, numbers in scored]


def _round(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"


def _columns(*texts: str) -> str:
    return "".join(f"{text:>8}" for text in texts)


def _tell(found: Mapping[str, int | dict[str, int]]) -> list[str]:
    """Return a row for each thing that was found: how many there are, or how many of each name."""
    told = {what: n if isinstance(n, int) else _list(n) for what, n in found.items() if n}
    return [f"  {what}: {number}" for what, number in told.items()]


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _join(rows: list[str]) -> str:
    return "\n".join(map(one_line, rows))
