"""COCO's records, each stated once, and a COCO file written and read.

A file of another tool may lack any field of a record, so a field that is missing is UNSET. COCO
asks for the fields that are `needed`. Other fields than those stated are passed over.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from cityscapes_coco.errors import UserError
from cityscapes_coco.labels import LABELS
from cityscapes_coco.options import CategoryIds, ChosenCategory, Options
from cityscapes_coco.run.files import read_file, replacing, waiting_file

if TYPE_CHECKING:
    from cityscapes_coco.pixels.rle import Runs

T = TypeVar("T")

# How the names of this program's files begin, as the original script has them.
PREFIX = "instancesonly_filtered_"
# And those of its panoptic files, as the official createPanopticImgs.py has them.
PANOPTIC_PREFIX = "cityscapes_panoptic_"
# How the names of the PNG files end that belong to a panoptic file.
PANOPTIC_SUFFIX = "_panoptic.png"

# Numbers beyond these bounds fit into no array of numpy.
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Number = Integer | Annotated[float, Meta(ge=-(2.0**63), le=2.0**63)]


Id = int | UnsetType


class Category(Struct):
    needed: ClassVar[tuple[str, ...]] = ("id", "name")
    id: Integer | UnsetType = UNSET
    name: str | UnsetType = UNSET
    supercategory: str | UnsetType = UNSET


class Image(Struct):
    """A photograph, `width` and `height` in pixels. `seg_file_name` is the name of the map, as the
    original script calls it."""

    needed: ClassVar = ("id", "file_name", "width", "height")
    id: Integer | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    seg_file_name: str | UnsetType = UNSET
    width: Integer | UnsetType = UNSET
    height: Integer | UnsetType = UNSET


class Annotation(Struct, gc=False):
    """An instance or group in an image.

    `bbox` is (x, y, width, height) in pixels, `area` counts pixels. `map_value` is not part of
    COCO: the value in the map tells where an annotation comes from. `segmentation` stays JSON until
    `decode_segmentation`, as most readers of a file need few segmentations.
    """

    needed: ClassVar = ("id", "image_id", "category_id", "iscrowd", "area", "bbox")
    id: Integer | UnsetType = UNSET
    image_id: Integer | UnsetType = UNSET
    category_id: Integer | UnsetType = UNSET
    iscrowd: Integer | bool | UnsetType = UNSET
    area: Number | UnsetType = UNSET
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET
    map_value: Integer | UnsetType = UNSET
    segmentation: Raw | UnsetType = UNSET


class PanopticCategory(Category):
    """`isthing` is 1 for a class with instances and 0 for stuff; `color` is RGB, 0..255."""

    needed: ClassVar[tuple[str, ...]] = ("id", "name", "isthing")
    isthing: Integer | bool | UnsetType = UNSET
    color: tuple[int, int, int] | UnsetType = UNSET


class PanopticImage(Struct):
    """A photograph, as `Image`; Cityscapes' id of an image is a text, COCO's a number."""

    needed: ClassVar = ("id", "file_name", "width", "height")
    id: Integer | str | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    width: Integer | UnsetType = UNSET
    height: Integer | UnsetType = UNSET


class Segment(Struct, gc=False):
    """The pixels of one id in the PNG file of an image: a thing, a group of things (COCO: crowd),
    or all stuff of one category. `bbox` and `area` are as those of an annotation."""

    needed: ClassVar = ("id", "category_id", "iscrowd", "area", "bbox")
    id: Integer | UnsetType = UNSET
    category_id: Integer | UnsetType = UNSET
    iscrowd: Integer | bool | UnsetType = UNSET
    area: Number | UnsetType = UNSET
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET


class PanopticAnnotation(Struct):
    """All segments of an image; `file_name` is that of the PNG file that shows where they are."""

    needed: ClassVar = ("image_id", "file_name", "segments_info")
    image_id: Integer | str | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    segments_info: list[Segment] | UnsetType = UNSET


class Result(Struct, gc=False):
    """A prediction, as trainers write it and `results.py` reads it.

    `id` is the place among the results, from 1, as pycocotools hands it out. `image_id` may be the
    name of an image, until it has been looked up. `bbox` and `segmentation` are an annotation's.
    """

    image_id: Integer | str
    category_id: Integer
    score: Number
    bbox: tuple[Number, Number, Number, Number] | UnsetType = UNSET
    segmentation: Raw | UnsetType = UNSET
    id: Integer | UnsetType = UNSET


class License(Struct):
    id: int
    name: str
    url: str


class Info(Struct):
    """How a file of this program was made; `options` are those of `Options`, and the type of the
    maps as `annotations`. `skipped` names the maps that could not be read, `foreign` those with
    values that Cityscapes' own tools never write."""

    description: str
    url: str
    contributor: str
    version: str
    options: dict[str, Any]
    skipped: list[str]
    foreign: list[str] | UnsetType = UNSET


class CocoFile(Struct):
    """What is read of a file; `info` and `licenses` are JSON, of any form."""

    needed: ClassVar = ("info", "licenses", "images", "annotations", "categories")
    categories: list[Category]
    images: list[Image]
    annotations: list[Annotation]
    info: Raw | UnsetType = UNSET
    licenses: Raw | UnsetType = UNSET


class PanopticRecords(Struct):
    """What is read of a panoptic file."""

    needed: ClassVar = ("images", "annotations", "categories")
    categories: list[PanopticCategory]
    images: list[PanopticImage]
    annotations: list[PanopticAnnotation]
    info: Raw | UnsetType = UNSET
    licenses: Raw | UnsetType = UNSET


class PanopticFile(CocoFile, kw_only=True):
    """A panoptic file, told as one of instances: each segment is an annotation whose `map_value` is
    its id in the PNG file, the images are numbered in their order, and `seg_file_name` is that of
    the PNG file. The file's own `records` are there too."""

    records: PanopticRecords


CITYSCAPES_LICENSE = License(
    1, "Cityscapes Dataset License Agreement", "https://www.cityscapes-dataset.com/license/"
)

# A segmentation that is there but empty, in a compact file or in one with line breaks.
_NOTHING = re.compile(rb"null|\[\s*\]|\{\s*\}")

# So many bytes at the beginning of a file of this program hold the options.
_HEAD = 1 << 16

_encoder = msgspec.json.Encoder()

AnyRecord = TypeVar("AnyRecord", Annotation, Result)


def list_categories(chosen: Iterable[ChosenCategory], ids: CategoryIds = "one") -> list[Category]:
    """Return the categories that are chosen, which are in the order of the label table.

    Their `ids` count from "one" or from "zero", or are those of the "label" table. What several
    classes have become has the id there, and the supercategory, of the first.
    """
    labels = {label.name: label for label in LABELS}
    start = {"one": 1, "zero": 0}.get(ids)
    categories = []
    for index, category in enumerate(chosen):
        first = labels[category.classes[0]]
        number = first.id if start is None else start + index
        categories.append(Category(number, category.name, first.category))
    return categories


def encode_segmentation(segmentation: object) -> Raw:
    """Return a segmentation as JSON: lists of coordinates, or a dictionary of run lengths whose
    counts are bytes."""
    if isinstance(segmentation, dict):
        segmentation = {**segmentation, "counts": segmentation["counts"].decode()}
    return Raw(_encoder.encode(segmentation))


def decode_segmentation(record: Annotation | Result) -> "list[list[float]] | Runs | None":
    """Return the polygons or the run lengths of an annotation or a result; None if there are none.

    Raises ValueError if its segmentation is something else.
    """
    if record.segmentation is UNSET or not has_segmentation(record):
        return None
    try:
        return _segmentation_decoder().decode(record.segmentation)
    except msgspec.ValidationError as error:
        raise ValueError(_explain(error, "segmentation")) from error


def has_segmentation(record: Annotation | Result) -> bool:
    """Return whether an annotation or a result has a segmentation at all, readable or not."""
    return record.segmentation is not UNSET and not _NOTHING.fullmatch(record.segmentation)


@cache
def _segmentation_decoder() -> "msgspec.json.Decoder[list[list[float]] | Runs]":
    # Whoever needs no segmentation need not wait for numpy.
    from cityscapes_coco.pixels.rle import Runs

    return msgspec.json.Decoder(list[list[float]] | Runs)


class CocoWriter:
    """A COCO file that is being written: `add` the images in order, then `finish`.

    Images and annotations wait in two temporary files, as one follows the other in the file.
    """

    def __init__(self, path: Path, file: IO[bytes], parts: Mapping[str, IO[bytes]]) -> None:
        self._path = path
        self._file = file
        self._parts = parts

    def add(
        self, image: Image | PanopticImage, annotations: Sequence[Annotation | PanopticAnnotation]
    ) -> None:
        with blaming(self._path):
            for part, records in ("images", [image]), ("annotations", annotations):
                if records:
                    file = self._parts[part]
                    file.write(b"," if file.tell() else b"")
                    file.write(_encode(records)[1:-1])

    def finish(self, info: Info, categories: Sequence[Category]) -> None:
        head = {"info": info, "licenses": [CITYSCAPES_LICENSE], "categories": categories}
        with blaming(self._path):
            self._file.write(_encode(head)[:-1])
            for part, records in self._parts.items():
                self._file.write(b',"%b":[' % part.encode())
                records.seek(0)
                shutil.copyfileobj(records, self._file)
                self._file.write(b"]")
            self._file.write(b"}")
            # What does not fit on the disk is told here, before other files are put in place.
            self._file.flush()


@contextmanager
def write_coco(
    path: Path,
    beside: AbstractContextManager[object] = nullcontext(),  # noqa: B008  (has no state)
) -> Iterator[CocoWriter]:
    """Give a writer of the COCO file at `path`, which appears, within the context `beside`, when
    this context is left.

    Until then, and whatever goes wrong, an earlier file stays as it was. Raises UserError if the
    file cannot be written.
    """
    with ExitStack() as stack:
        with blaming(path):
            file = stack.enter_context(replacing(path, beside))
            parts = {
                part: stack.enter_context(waiting_file(path.parent))
                for part in ("images", "annotations")
            }
        yield CocoWriter(path, file, parts)
        with blaming(path):
            stack.close()


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """Blame an error of the system on the file or folder at `path`, which is being written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            path, f"cannot be written: {error.strerror}; choose a folder with --outdir"
        ) from error


def read_coco(path: Path) -> CocoFile:
    """Return the COCO file at `path`, which any tool may have written; a PanopticFile if it has
    segments.

    Raises UserError if the file cannot be read or is not a COCO file; the error names the record
    and the field.
    """
    content = read_file(path)
    if is_list(content):
        raise UserError(path, "a list, perhaps of results; give the COCO file with the images")
    # No other record of COCO has this field.
    if b'"segments_info"' in content:
        return _tell_as_instances(decode_file(path, content, PanopticRecords, "a COCO file"))
    return decode_file(path, content, CocoFile, "a COCO file")


def is_list(content: bytes) -> bool:
    """Return whether the JSON of a file, in UTF-8 or UTF-16, is a list."""
    return content.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"["


def decode_file(path: Path, content: bytes, kind: type[T], what: str, root: str = "") -> T:
    """Return the `content` of the file at `path`, which any tool may have written, as `kind`.

    Raises UserError if the content is not `what` it should be; the error names the record and the
    field. `root` is the name of a list that has no name of its own.
    """
    try:
        return _decode(content, msgspec.json.Decoder(kind))
    except msgspec.ValidationError as error:
        reason = _explain(error, root)
        if b"NaN" in content or b"Infinity" in content:
            # They have become texts: see `_decode`.
            reason = reason.replace("not a text", "not a text, NaN or Infinity")
        raise UserError(path, f"not {what}: {reason}") from error
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise UserError(path, f"not a JSON file ({error}); write it again") from error


def read_info(coco: CocoFile) -> Info | None:
    """Return how a file of this program was made; None for a file of another tool."""
    try:
        return msgspec.json.decode(coco.info or b"null", type=Info)
    except msgspec.ValidationError:
        return None


def read_options(info: Info | None) -> Options:
    """Return the options that a file was made with; the defaults where they are unknown."""
    try:
        options = msgspec.convert(info.options if info else {}, Options)
    except msgspec.ValidationError:
        return Options()
    # No name of a file is longer: a pattern that is longer is foreign, and slow to match.
    return options if max(map(len, options.images)) < 256 else Options()


def peek_options(path: Path) -> dict[str, Any] | None:
    """Return the options that a file of this program was made with, without reading all of it; None
    for any other file, or if there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode(errors="replace")
    except OSError:
        return None
    # The options come first in this program's files.
    start = re.search(r'"options":\s*', head)
    try:
        options = json.JSONDecoder().raw_decode(head, start.end())[0] if start else None
    except ValueError:
        return None
    return options if isinstance(options, dict) else None


def list_stuff(coco: CocoFile) -> set[Id]:
    """Return the ids of the categories that are stuff, which only a panoptic file tells of."""
    categories = coco.records.categories if isinstance(coco, PanopticFile) else ()
    return {category.id for category in categories if category.isthing == 0}


def group_by_image(records: Iterable[AnyRecord]) -> dict[Id | str, list[AnyRecord]]:
    """Return the annotations, or the results, of each image id; under UNSET those that name no
    image."""
    groups: dict[Id | str, list[AnyRecord]] = {}
    for record in records:
        groups.setdefault(record.image_id, []).append(record)
    return groups


def _encode(records: object) -> bytes:
    """Return records as JSON of ASCII characters: some readers open a file in another encoding."""
    encoded = _encoder.encode(records)
    if encoded.isascii():
        return encoded
    return json.dumps(json.loads(encoded), separators=(",", ":")).encode()


def _tell_as_instances(records: PanopticRecords) -> PanopticFile:
    """Return a panoptic file as one of instances. Of two images with one id the first has the
    segments, and of two annotations of one image the first has the PNG file."""
    numbers: dict[object, int] = {}
    images = []
    for number, image in enumerate(records.images, 1):
        numbers.setdefault(image.id, number)
        images.append(Image(number, image.file_name, UNSET, image.width, image.height))
    annotations = []
    for record in records.annotations:
        number = numbers.get(record.image_id, 0)
        if number and images[number - 1].seg_file_name is UNSET:
            images[number - 1].seg_file_name = record.file_name
        annotations += [
            Annotation(
                id=segment.id,
                image_id=number or UNSET,
                category_id=segment.category_id,
                iscrowd=segment.iscrowd,
                area=segment.area,
                bbox=segment.bbox,
                map_value=segment.id,
            )
            for segment in record.segments_info or ()
        ]
    return PanopticFile(
        categories=list(records.categories),
        images=images,
        annotations=annotations,
        info=records.info,
        licenses=records.licenses,
        records=records,
    )


def _decode(content: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Some tools write NaN and Infinity, which JSON does not have. As texts, they are found
        # where they stand. Others write half a character, which Python has and UTF-8 does not.
        loaded = json.loads(content, parse_constant=str)
        return decoder.decode(json.dumps(loaded, ensure_ascii=False).encode(errors="replace"))


def _explain(error: msgspec.ValidationError, root: str = "") -> str:
    """Return what another tool's record gets wrong: "annotations[3].bbox should be ...".

    msgspec says "Expected `int`, got `str` - at `$.annotations[3].id`".
    """
    message, _, path = str(error).partition(" - at `$")
    for name, plain in _PLAIN.items():
        message = message.replace(f"`{name}`", plain)
    message = re.sub(r"^Expected ", "should be ", message).replace(", got ", ", not ")
    where = f"{root}{path.rstrip('`')}".removeprefix(".")
    missing = r"has no \1" if where else r"no list of \1 in it"
    message = re.sub(r"^Object missing required field `(\w+)`", missing, message)
    return f"{where} {message}".strip()


_PLAIN = {
    "int": "an integer",
    "float": "a number",
    "int | float": "a number",
    "int | str": "an integer or a text",
    "str | int": "an integer or a text",
    "int | bool": "an integer or a boolean",
    "bool | int": "an integer or a boolean",
    "str": "a text",
    "bool": "a boolean",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "str | array": "a text or a list",
    "object | array": "polygons or run lengths",
}
