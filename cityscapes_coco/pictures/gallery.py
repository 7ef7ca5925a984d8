"""One page, index.html, about the pictures in a folder: thumbnails, filters and sorting.

The page is one file. It loads nothing but the pictures beside it, and these only when somebody
opens one; so it works over any server, and from the disk. gallery.html is its template.
"""

import json
from base64 import b64encode
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import quote

import cv2

from cityscapes_coco.coco.records import Annotation, CocoFile
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.pictures.colors import OTHER_COLOR
from cityscapes_coco.pictures.composing import Pixels
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pictures.examples import Example
from cityscapes_coco.pictures.outcomes import find_worst_score, weigh_errors
from cityscapes_coco.run.files import write_file

NAME = "index.html"

_WIDTH = 320  # of a thumbnail, in pixels
_JPEG = cv2.IMWRITE_JPEG_QUALITY, 75
# By this the program knows a page of its own, which may be replaced.
_MARK = "<!-- made by cityscapes-coco -->"
# The areas in pixels between what COCO calls small, medium and large.
_LIMITS = 32**2, 96**2
_ORDERS = {"": "as chosen", "name": "name", "count": "most objects"}
_ORDERS_OF_RESULTS = {"errors": "most errors", "score": "highest score of a false result"}


class Card(NamedTuple):
    """A picture on the page: the name of its file, the title, a thumbnail as JPEG, and how many
    objects there are of each class and of each outcome. The outcomes are empty without results."""

    file: str
    title: str
    thumbnail: bytes
    classes: Counter[str]
    outcomes: Counter[str]
    errors: float
    worst_score: float


def check_page(folder: Path) -> None:
    """Raise UserError if the folder has a page of that name which is not the program's."""
    path = folder / NAME
    if path.is_file() and _MARK not in path.read_text(encoding="utf-8", errors="replace"):
        reason = "is there already, but this program did not write it; name another folder"
        raise UserError(path, reason)


def make_card(path: Path, example: Example, picture: Pixels) -> Card:
    """Return the card of a picture, RGB, that was saved at `path`."""
    height, width = picture.shape[:2]
    size = min(width, _WIDTH), max(round(height * min(1, _WIDTH / width)), 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, thumbnail = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), _JPEG)
    drawings = [*example.drawings, *(example.truth or ())]
    return Card(
        path.name,
        one_line(example.title),
        thumbnail.tobytes(),
        # What is found is there as a prediction, too.
        Counter(drawing.name for drawing in drawings if drawing.outcome != "found"),
        Counter(drawing.outcome for drawing in drawings if drawing.outcome),
        weigh_errors(drawings),
        max(find_worst_score(drawings), 0),
    )


def write_page(
    folder: Path, title: str, cards: Sequence[Card], coco: CocoFile, curves: bytes = b""
) -> Path:
    """Write index.html into `folder` and return its path. The page begins with the statistics of
    the COCO file, and with `curves`, a PNG file, if there are any.

    Raises UserError if it cannot be written.
    """
    path = folder / NAME
    classes = sorted({name for card in cards for name in card.classes})
    outcomes = [o for o in ("right", "false", "missed") if any(card.outcomes for card in cards)]
    template = Template(Path(__file__).with_name("gallery.html").read_text(encoding="utf-8"))
    orders = _ORDERS | (_ORDERS_OF_RESULTS if outcomes else {})
    text = template.substitute(
        mark=_MARK,
        title=escape(one_line(title)),
        count=len(cards),
        statistics="\n".join(_list_statistics(coco)),
        curves=f'<img src="{_embed("png", curves)}" alt="curves">' if curves else "",
        classes="".join(map(_option, classes, classes)),
        outcomes="".join(map(_option, outcomes, outcomes)),
        outcome_hidden="" if outcomes else "hidden",
        orders="".join(map(_option, orders, orders.values())),
        cards="\n".join(map(_card, cards)),
    )
    write_file(path, text.encode("utf-8", "replace"), "--save")
    return path


def _list_statistics(coco: CocoFile) -> Iterator[str]:
    """Yield a row for each class: its annotations, by size, and the images that they are in."""
    categories = read_categories(coco)
    by_class: dict[str, list[Annotation]] = {name: [] for name in categories.names.values()}
    for annotation in coco.annotations:
        name = categories.names.get(annotation.category_id, "unknown")
        by_class.setdefault(name, []).append(annotation)
    most = max(map(len, by_class.values()), default=0) or 1
    for name, annotations in by_class.items():
        sizes = Counter(bisect(_LIMITS, annotation.area or 0) for annotation in annotations)
        images = len({annotation.image_id for annotation in annotations})
        color = "#{:02x}{:02x}{:02x}".format(*categories.page_colors.get(name, OTHER_COLOR))
        width = 10 * len(annotations) / most
        bar = f'<div style="width: {width:.2f}em; background: {color}"></div>' * bool(annotations)
        counts = len(annotations), sizes[0], sizes[1], sizes[2], images
        cells = "".join(f"<td>{count:,}</td>" for count in counts)
        yield f"<tr><th>{escape(one_line(name))}</th>{cells}<td>{bar}</td></tr>"


def _embed(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _option(value: str, text: str) -> str:
    return f'<option value="{escape(value)}">{escape(text)}</option>'


def _list(names: Iterable[str]) -> str:
    return escape(json.dumps([*names]))


def _card(card: Card) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in card.classes.items()) or "nothing"
    told = ", ".join(f"{n} {outcome}" for outcome, n in card.outcomes.items() if outcome != "found")
    return (
        f'<a href="{quote(card.file)}" data-name="{escape(card.title)}"'
        f' data-classes="{_list(card.classes)}" data-outcomes="{_list(card.outcomes)}"'
        f' data-count="{card.classes.total()}" data-errors="{card.errors:g}"'
        f' data-score="{card.worst_score:g}">'
        f'<img loading="lazy" src="{_embed("jpeg", card.thumbnail)}" alt="">'
        f"<b>{escape(card.title)}</b><span>{escape(counts)}</span>"
        f'<span class="outcomes">{escape(told)}</span></a>'
    )
