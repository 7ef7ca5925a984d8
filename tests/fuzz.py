"""Looks for input that breaks the programs.

    python tests/fuzz.py --seconds 1200
    python tests/fuzz.py --pngs 100000

Maps, polygons, boxes, data folders, COCO files and results are made up, damaged, and given to the
three scripts. Either the program prints an error in printable lines and leaves the earlier output
as it was, or its result is exact, judged by Pillow's pixels, the official drawer of polygons and
pycocotools' masks. Results that are plausible and wrong must get a note, and right ones none;
panoptic quality is the official script's. Nothing else on the disk may change. --pngs calls only
the reader of maps, with and without its fast packages: it must refuse a file that breaks a rule of
PNG, and find the right pixels in any other. The exit code is 0 if nothing was found. --seed repeats
a run.
"""

import argparse
import contextlib
import copy
import io
import json
import math
import multiprocessing
import os
import shutil
import struct
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import shapely  # noqa: F401  (the oracle would skip without it)
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

import evaluate_coco
import inspect_coco
import main
from cityscapes_coco.cli.program import open_streams
from cityscapes_coco.errors import one_line
from cityscapes_coco.labels import LABELS
from cityscapes_coco.pixels import png
from tests import boxes, oracle
from tests.cityscapes.polygons import draw_officially, make_up
from tests.conftest import PATIENCE, annotate, save_map
from tests.damage import Chunk, encode_png, join_chunks
from tests.files import OUTPUT, PANOPTIC, touch
from tests.oracle import Coco, box_of, masks_in, name_of
from tests.scores import wrong_results as wrong
from tests.scores.conftest import read_panoptic, save_panoptic
from tests.scores.test_panoptic_quality import predict

SUFFIX = "_gtFine_instanceIds.png"
OLD = b"an earlier file"
MAGENTA = (255, 0, 255)  # the colour of a photograph outside the data folder


class Bench:
    """Runs the programs on one input in a folder. It redirects the errors of the whole process, so
    it needs one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "data"
        self.outdir = folder / "out"
        self.errors = (folder.parent / "stderr").open("w+b", buffering=0)
        os.dup2(self.errors.fileno(), 2)
        open_streams()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.outdir.mkdir()
        (self.outdir / OUTPUT).write_bytes(OLD)

    def call(self, program: Callable[[list[str]], int], *options: object) -> tuple[int, str]:
        """Return the exit code and what was printed; check the text and what was changed."""
        before = self.snapshot()
        self.errors.truncate(0)
        self.errors.seek(0)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = program([str(option) for option in options])
        sys.stderr.flush()
        self.errors.seek(0)
        errors = self.errors.read().decode(errors="replace")
        assert code in (0, 1, 3), (code, errors)
        for line in [*out.getvalue().splitlines(), *errors.splitlines()]:
            assert line.isprintable(), line
        for line in errors.splitlines():
            assert line.startswith(("error: ", str(self.folder))), errors
        assert code == 0 or errors or "\n  all exact\n" not in out.getvalue()
        assert self.snapshot() == before
        return code, out.getvalue()

    def snapshot(self) -> list[tuple[str, int, int, int]]:
        """Return what there is outside of the output folder."""
        outside = {
            entry.path: entry.stat(follow_symlinks=False)
            for folder, _, _ in os.walk(self.folder)
            if not Path(folder).is_relative_to(self.outdir)
            for entry in os.scandir(folder)
            if entry.name != self.outdir.name
        }
        return sorted((p, s.st_mode, s.st_size, s.st_mtime_ns) for p, s in outside.items())

    def convert(self, *options: object) -> Coco | None:
        """Return the file that main.py writes; None after an error, which left the earlier one."""
        code, _ = self.call(
            main.main, "--datadir", self.root, "--outdir", self.outdir, "--workers", 1, *options
        )
        written = (self.outdir / OUTPUT).read_bytes()
        assert os.listdir(self.outdir) == [OUTPUT]
        if code:
            assert written == OLD
            return None
        written.decode("ascii")
        coco = json.loads(written, parse_constant=refuse)
        # Readers in other languages refuse halves of surrogate pairs.
        json.dumps(coco, ensure_ascii=False).encode()
        return dict(coco)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


VALUES = [7, 23, 24, 26, 33, 24000, 26000, 26001, 26999, 28000, 33000, 31005, 29000, 0, 4, 1000]
VALUES_WITHOUT_LABEL = [999, 34000, 65535]

# Chunks beside a PNG's pixels; some readers let these change the pixels.
EXTRAS = [
    *((b"gAMA", struct.pack(">I", 1)), (b"sBIT", b"\x0c"), (b"tRNS", struct.pack(">H", 26000))),
    *((b"PLTE", bytes(range(48))), (b"bKGD", struct.pack(">H", 7)), (b"CgBI", b"\x50\0\x20\x02")),
    *((b"iCCP", b"x\0\0" + zlib.compress(b"no profile")), (b"tEXt", b"name\0\x1b[31m")),
    *((b"zTXt", b"x\0\0" + zlib.compress(bytes(10_000))), (b"IDAT", b""), (b"IEND", b"")),
    (b"noTH", b"\x1b[2J"),
]
CHANGES = ["header", "data", "end", "pixels", "pixels", "split", "add", "animate", "drop", "swap"]


def make_map(dice: Random) -> bytes:
    """Make up a PNG file, usually damaged."""
    height, width = dice.randint(1, 12), dice.randint(1, 12)
    palette = VALUES + (VALUES_WITHOUT_LABEL if dice.random() < 0.1 else [])
    pixels = np.array(dice.choices(palette, k=height * width)).reshape(height, width)
    chunks = encode_png(pixels, dice.choices(range(5), k=4), dice.random() < 0.5)
    for change in dice.choices(CHANGES, k=dice.randint(0, 3)):
        chunks = damage(dice, chunks, change)
    data = join_chunks(chunks)
    return splice(dice, data) if dice.random() < 0.2 else data


def damage(dice: Random, chunks: list[Chunk], change: str) -> list[Chunk]:
    """Change the chunks of a file; their checksums are computed later, and right."""
    if change == "swap":
        return dice.sample(chunks, len(chunks))
    place = dice.randrange(len(chunks))
    name, data = chunks[place]
    new = [(name, data)]
    cut = dice.randint(0, len(data))
    if change == "header":
        header = bytearray(chunks[0][1].ljust(13, b"\0"))
        field = dice.choice([0, 3, 4, 7, 8, 9, 10, 11, 12])
        header[field] = dice.choice([0, 1, 2, 3, 4, 6, 8, 13, 16, 255])
        place, new = 0, [(chunks[0][0], bytes(header))]
    elif change == "data":
        new = [(name, splice(dice, data))]
    elif change == "end":
        new = [(name, dice.choice([data[:cut], data + b"more"]))]
    elif change == "pixels":
        with contextlib.suppress(zlib.error):
            stream = deflate(dice, splice(dice, zlib.decompress(data)))
            # Perhaps with the checksum of the pixels that were there before.
            new = [(name, dice.choice([stream, stream[:-4] + data[-4:]]))]
    elif change == "split":
        between = [dice.choice(EXTRAS)] if dice.random() < 0.3 else []
        new = [(name, data[:cut]), *between, (name, data[cut:])]
    elif change == "add":
        new = [(name, data), dice.choice(EXTRAS)]
    elif change == "animate":
        number = dice.choice([0, 1, 2, 3, 2**31])
        control = struct.pack(">IIIIIHHBB", number, *dice.choices(range(9), k=4), 1, 1, 0, 0)
        frame = [(b"fcTL", control), (b"fdAT", struct.pack(">I", number) + data)]
        new = [*new, (b"acTL", struct.pack(">II", number, 0)), *frame]
        new = dice.sample(new, dice.randint(2, 4))
    elif len(chunks) > 1:  # drop
        new = []
    return [*chunks[:place], *new, *chunks[place + 1 :]]


def deflate(dice: Random, data: bytes) -> bytes:
    """Compress with random settings."""
    level, window, strategy = dice.randint(0, 9), dice.randint(9, 15), dice.randint(0, 4)
    stream = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    return stream.compress(data) + stream.flush()


def splice(dice: Random, data: bytes) -> bytes:
    """Replace up to four bytes by up to four random ones."""
    place, count = dice.randint(0, len(data)), dice.randint(0, 4)
    more = count if dice.random() < 0.5 else dice.randint(0, 4)
    return data[:place] + dice.randbytes(more) + data[place + count :]


def check_map(bench: Bench, data: bytes) -> str:
    path = bench.root / "gtFine" / "train" / "a" / f"a_0_0{SUFFIX}"
    touch(path).write_bytes(data)
    coco = bench.convert()
    pixels = oracle.read_strictly(data)
    values = set() if pixels is None else set(pixels.ravel().tolist())
    numbered = [value for value in values if value >= 1000]
    no_label = any(33 < value < 1000 or value >= 34_000 for value in values)
    foreign = not all(map(name_of, numbered)) and not any(map(name_of, numbered))
    assert (coco is None) == (pixels is None or no_label or foreign)
    if coco is None or pixels is None:
        return "error"
    [image] = coco["images"]
    oracle.check_exact(coco, {image["seg_file_name"]: pixels})
    return "exact"


STUFF_OPTIONS = [[], ["--stuff", "parts"], ["--stuff", "parts", "--min-area", "3"]]
SEGMENTATIONS = [[], ["--segmentation", "rle"], ["--segmentation", "opencv"]]


def make_polygons(dice: Random) -> tuple[bytes, bool, list[str]]:
    """Make up a file of polygons, usually damaged; say whether it is whole; and options."""
    made = make_up(dice)
    whole = json.dumps(made).encode()
    data = make_json(dice, made) if dice.random() < 0.7 else whole
    options = dice.choice(STUFF_OPTIONS) + dice.choice(SEGMENTATIONS)
    return data, data == whole, ["--categories", "all", "--crowd", "keep", *options]


def check_polygons(bench: Bench, made: tuple[bytes, bool, list[str]]) -> str:
    """The map must be the official drawer's, and the annotations those of the map."""
    data, is_whole, options = made
    path = bench.root / "gtFine" / "train" / "a" / "a_0_0_gtFine_polygons.json"
    touch(path).write_bytes(data)
    coco = bench.convert()
    assert coco is not None or not is_whole
    if coco is None:
        return "error"
    found = json.loads(data)
    found["objects"] = [each for each in found["objects"] if len(each["polygon"]) > 1]
    path.write_text(json.dumps(found))
    pixels = draw_officially(path)
    oracle.check_exact(coco, {path.name: pixels})
    (bench.outdir / OUTPUT).write_bytes(OLD)
    coco = bench.convert(*options, "--verify")
    assert coco is not None
    if "--min-area" not in options:
        stuff = [a["area"] for a in coco["annotations"] if a["map_value"] < 24]
        labels = [label.id for label in LABELS if not label.ignored and not label.has_instances]
        assert sum(stuff) == np.isin(pixels, labels).sum()
    return "exact"


# What the reader of PNG files imports where its fast packages are not installed.
WITHOUT_FAST_PACKAGES = dict(fast_zlib=zlib, decode_image_png_u8=None, decode_image_png_u16=None)


def check_png(_: Bench, data: bytes) -> str:
    """Read a file in every way there is: all refuse it, or all find the same pixels."""
    expected = oracle.read_strictly(data)
    if expected is not None:
        pillows = oracle.pixels_of(data)
        assert pillows is not None and np.array_equal(pillows, expected)
    for packages in {}, WITHOUT_FAST_PACKAGES:
        with patch.dict(vars(png), packages):
            try:
                found = png.decode_png(data)
            except ValueError as error:
                assert expected is None and str(error).isprintable()
            else:
                assert expected is not None and np.array_equal(found, expected)
    return "error" if expected is None else "exact"


GOOD = join_chunks(encode_png(np.array([[26000, 7], [26001, 26]])))


def link_elsewhere(path: Path) -> None:
    """Link to a map in a place where the converter does not look."""
    elsewhere = path.parent / f"{len(os.listdir(path.parent))}.elsewhere"
    elsewhere.write_bytes(GOOD)
    path.symlink_to(elsewhere)


KINDS: dict[str, Callable[[Path], object]] = {
    "map": lambda path: path.write_bytes(GOOD),
    "link": link_elsewhere,
    "empty": lambda path: path.touch(),
    "damaged": lambda path: path.write_bytes(GOOD[:-30]),
    "folder": lambda path: path.mkdir(),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "loop": lambda path: path.symlink_to(path.name),
    "pipe": lambda path: os.mkfifo(path),
}
Folder = tuple[dict[tuple[str, str], str], str | None, bool]


def make_folder(dice: Random) -> Folder:
    """Make up a kind for each city and frame, something in place of a city, and --skip-bad."""
    entries = {}
    for _ in range(dice.randint(0, 4)):
        stem = "".join(dice.choices("aü_-. \n\x1b\u202e\udcff'\"\\$%{}", k=dice.randint(1, 12)))
        city = dice.choice(["a", "b ü", "-", "\n", "\udcfc"])
        entries[city, stem] = dice.choice([*KINDS, "map", "map"])
    strange = dice.choice(["empty", "folder", "dangling", "loop"]) if dice.random() < 0.4 else None
    return entries, strange, dice.random() < 0.5


def check_folder(bench: Bench, made: Folder) -> str:
    entries, strange, skip_bad = made
    train = bench.root / "gtFine" / "train"
    train.mkdir(parents=True)
    images, bad = [], []
    for (city, stem), kind in entries.items():
        (train / city).mkdir(exist_ok=True)
        KINDS[kind](train / city / (stem + SUFFIX))
        name = f"leftImg8bit/train/{city}/{stem}_leftImg8bit.png"
        if stem.startswith("."):
            continue  # debris
        if kind in ("map", "link") and "\udcff" not in stem and "\udcfc" not in city:
            images.append(name)
        else:
            bad.append(one_line(stem + SUFFIX))
    if strange:
        KINDS[strange](train / "strange")
    coco = bench.convert(*["--skip-bad"] * skip_bad)
    unlistable = strange in ("dangling", "loop")
    assert (coco is None) == (unlistable or not images or bool(bad and not skip_bad))
    if coco is None:
        return "error"
    assert [image["file_name"] for image in coco["images"]] == sorted(images)
    assert sorted(coco["info"]["skipped"]) == sorted(bad)
    return "exact"


PIXELS = np.full((12, 16), 7)
PIXELS[2:8, 1:9] = 26000
PIXELS[4:6, 3:5] = 24001
PIXELS[8:11, 10:16] = 33002
PIXELS[0, 0:3] = 26
CATEGORIES = {"car": 1, "person": 2, "bicycle": 3}
MASKS = ["polygons", "runs", "text"]
TASKS = ["verify"] * 18 + ["draw", "stats"]
VALUES_IN_JSON: list[Any] = [
    *(None, True, -1, 0, 1, 2, 3, 7, 0.5, 1e308, float("nan"), float("inf"), 2**31, 2**63, 10**30),
    *("", "a", "car", "../secret.png", "/etc/passwd", "..\\secret.png", "\x1b[31m\n", "\ud800"),
    *("\u202e", "$x^$", "a" * 300, "C:x", "P7", "0" * 50, "ooooooooo", "\0", "leftImg8bit"),
    *([], {}, [[]], [1, 2, 3, 4], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, 6]], [0, 0, 1e9, 1e9], [192]),
    *({"size": [12, 16], "counts": [0, 192]}, {"size": [12, 16], "counts": "P6"}),
    *({"size": [60000, 60000], "counts": [3600000000]}, {"size": [], "counts": ""}),
    *([[-5, -5, 40, -5, 40, 40, -5, 40]], [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]], [-3, -3, 2, 2]),
]


def valid_file(masks: str) -> Coco:
    """Return the COCO file of two equal frames, with masks as polygons or RLE."""
    coco: Coco = {"info": {}, "licenses": [], "categories": [], "images": [], "annotations": []}
    coco["categories"] = [{"id": number, "name": name} for name, number in CATEGORIES.items()]
    for image_id in (1, 2):
        names = {"file_name": f"leftImg8bit/train/a/a_{image_id}_0_leftImg8bit.png"}
        names["seg_file_name"] = f"a_{image_id}_0{SUFFIX}"
        coco["images"].append({"id": image_id, "width": 16, "height": 12} | names)
        for value, mask in masks_in(PIXELS):
            ids = {"id": len(coco["annotations"]) + 1, "image_id": image_id}
            annotation = annotate(mask, category_id=CATEGORIES[name_of(value)], **ids)
            if masks == "runs":
                annotation["segmentation"]["counts"] = oracle.count_runs(mask)
            elif masks == "polygons" and value != 26000:
                x, y, w, h = box_of(mask)
                annotation["segmentation"] = [[x, y, x, y + h, x + w, y + h, x + w, y]]
            coco["annotations"].append(annotation)
    return coco


def make_coco_file(dice: Random) -> tuple[bytes, str]:
    """Make up a COCO file, perhaps damaged, and what to do with it."""
    return make_json(dice, valid_file(dice.choice(MASKS))), dice.choice(TASKS)


def make_json(dice: Random, coco: Any) -> bytes:
    """Return a file as JSON, perhaps damaged."""
    for _ in range(dice.randint(0, 3)):
        holder, key = coco, dice.choice(list(coco))
        while isinstance(holder[key], dict | list) and holder[key] and dice.random() < 0.8:
            holder = holder[key]
            key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        kind = dice.randint(0, 7)
        if kind == 0 and holder is not coco:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif kind == 2 and type(holder[key]) in (int, float):
            holder[key] += dice.choice([-1, 1, 0.5, 100, -100, 2**15, 2**40])
        elif kind == 3 and isinstance(holder[key], str):
            place = dice.randint(0, len(holder[key]))
            more = dice.choice(["", "0", "1", "o", "?", "\x1b", "/", "..", "\u00e4"])
            holder[key] = holder[key][:place] + more + holder[key][place + dice.randint(0, 1) :]
        elif kind == 4 and type(holder[key]) is int:
            # As pandas writes whole numbers; perhaps all of one field.
            of_all = dice.random() < 0.5 and isinstance(holder, dict)
            for record in [r for r in list_records(coco) if key in r] if of_all else [holder]:
                record[key] = float(record[key]) if type(record[key]) is int else record[key]
        elif kind == 5:
            holder[key] = None
        else:
            holder[key] = copy.deepcopy(dice.choice(VALUES_IN_JSON))
    data = json.dumps(coco).encode()
    if dice.random() < 0.2:
        place = dice.randint(0, len(data))
        junk = dice.choice([b"", b"\0", b"\xff", b'"', b"]", b"}", b"[" * 2000, b"NaN"])
        data = data[:place] + junk + data[place + dice.randint(0, 40) :]
    return data


def list_records(part: Any) -> list[Coco]:
    """Return all objects in a file, at any depth."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    found = [record for child in inner for record in list_records(child)]
    return [part, *found] if isinstance(part, dict) else found


def store_coco_file(bench: Bench, data: bytes) -> Path:
    """Store a COCO file with its maps and photographs, and a picture outside the data folder."""
    path = bench.root / "file.json"
    path.write_bytes(data)
    (bench.root / "leftImg8bit" / "train" / "a").mkdir(parents=True)
    for stem in ("a_1_0", "a_2_0"):
        save_map(bench.root / "gtFine" / "train" / "a" / (stem + SUFFIX), PIXELS)
        photograph = bench.root / "leftImg8bit" / "train" / "a" / f"{stem}_leftImg8bit.png"
        Image.new("RGB", (16, 12), (9, 99, 9)).save(photograph)
    Image.new("RGB", (16, 12), MAGENTA).save(bench.folder / "secret.png")
    return path


def inspect(bench: Bench, data: bytes, task: str) -> str:
    """Verify or draw a COCO file, and return the outcome."""
    path = store_coco_file(bench, data)
    arguments = ["--coco_dir", bench.root, "--coco", path]
    if task != "verify":
        options = ["--stats"] if task == "stats" else ["--seed", 0]
        code, _ = bench.call(inspect_coco.main, *arguments, "--save", bench.outdir, *options)
        for picture in bench.outdir.glob("*.png"):
            with Image.open(picture) as image:
                assert not (np.asarray(image.convert("RGB")) == MAGENTA).all(axis=2).any()
        return "error" if code else "drawn"
    code, printed = bench.call(inspect_coco.main, *arguments, "--verify")
    if code:
        return "error"
    assert "all exact" in printed
    return "boxes" if "the file has no masks" in printed else "exact"


def check_coco_file(bench: Bench, made: tuple[bytes, str]) -> str:
    data, task = made
    outcome = inspect(bench, data, task)
    if outcome != "exact":
        return outcome
    coco = json.loads(data)
    names = {category["id"]: category["name"] for category in coco["categories"]}
    groups = any(annotation["iscrowd"] for annotation in coco["annotations"])
    sources = list(masks_in(PIXELS, names.values(), groups))
    for image in coco["images"]:
        claims = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        assert len(claims) == len(sources)
        for source in sources:
            assert any(oracle.is_exact(a, names[a["category_id"]], *source) for a in claims)
    return "exact"


def make_results(dice: Random) -> tuple[bytes, str]:
    """Make up results for the valid COCO file, perhaps damaged, and what to do with them."""
    kept = ["image_id", "category_id", *dice.sample(["bbox", "segmentation"], dice.randint(1, 2))]
    coco = valid_file(dice.choice(MASKS))
    results = [{n: a[n] for n in kept} | {"score": dice.random()} for a in coco["annotations"]]
    return make_json(dice, {"annotations": results}), dice.choice(["score"] * 19 + ["draw"])


def check_results(bench: Bench, made: tuple[bytes, str]) -> str:
    data, task = made
    path = store_coco_file(bench, json.dumps(valid_file("text")).encode())
    results = bench.root / "results.json"
    results.write_bytes(data)
    arguments = ["--coco_dir", bench.root, "--results", results]
    if task == "draw":
        options = ["--coco", path, "--seed", 0, "--save", bench.outdir]
        code, _ = bench.call(inspect_coco.main, *arguments, *options)
        return "error" if code else "drawn"
    scores = bench.outdir / "scores.json"
    options = ["--coco", path, "--workers", 1, "--scores", scores]
    code, _ = bench.call(evaluate_coco.main, *arguments, *options)
    if code:
        return "error"
    read = json.loads(scores.read_bytes())
    averages = [*read["coco"]["average"].values()]
    averages += [read["cityscapes"]["average"]] if read["cityscapes"] else []
    # Cityscapes asks for no instance as small as these.
    assert all(0 <= (average["ap"] or 0) <= 1 for average in averages)
    return "exact"


CELL = 256  # pixels; each instance has a cell of its frame for itself


FORMS = wrong.same, wrong.corners, wrong.center
# What may be done to results, each with choices of its own.
MISTAKES: dict[str, Callable[[Random], wrong.Make]] = {
    "none": lambda dice: wrong.right,
    "corners": lambda dice: wrong.boxed(wrong.corners),
    "centers": lambda dice: wrong.boxed(wrong.center),
    "y before x": lambda dice: wrong.boxed(lambda x, y, w, h: [y, x, h, w]),
    "shares": lambda dice: wrong.boxed(wrong.share(dice.choice(FORMS))),
    "another size": lambda dice: wrong.boxed(
        wrong.scaled(dice.choice([0.1, 0.3, 0.5, 2, 9]), dice.choice([0, 0.2, 0.45, 1.9]))
    ),
    "padded": lambda dice: wrong.boxed(
        wrong.scaled(dice.uniform(0.2, 0.6), down=dice.uniform(90, 400))
    ),
    "shifted classes": lambda dice: turn_classes(dice.choice([1, -1]), 0),
    "turned classes": lambda dice: turn_classes(dice.randint(2, 6), 8),
    "alphabetical": lambda dice: wrong.in_order(sorted(wrong.NAMES)),
    "one class": lambda dice: turn_classes(dice.randint(1, 8), 1),
    "turned images": lambda dice: turn_images(dice.randint(1, 3)),
    "halved polygons": lambda dice: wrong.outlined(lambda x, y: (x / 2, y / 2)),
    "swapped polygons": lambda dice: wrong.outlined(lambda x, y: (y, x)),
    "polygons as shares": lambda dice: wrong.outlined(lambda x, y: (x / 2048, y / 1024)),
}


def turn_classes(step: int, classes: int) -> wrong.Make:
    """Ids that are so many higher, in a ring of so many classes if there is one."""

    def number(name: str) -> int:
        place = wrong.NAMES.index(name) + step
        return place % classes + 1 if classes > 1 else step if classes else place + 1

    return wrong.called(number)


def turn_images(step: int) -> wrong.Make:
    return wrong.shown_by(lambda number: (number - 1 + step) % 4 + 1)


def make_wrong_results(dice: Random) -> tuple[Coco, list[Coco], str]:
    """Make up the COCO file of four frames, results that find most of it, and a mistake in them."""
    coco: Coco = {"images": [], "annotations": [], "categories": []}
    coco["categories"] = [{"id": n, "name": name} for n, name in enumerate(wrong.NAMES, 1)]
    results: list[Coco] = []
    for number in range(1, 5):
        size = {"width": 8 * CELL, "height": 4 * CELL}
        coco["images"].append({"id": number, "file_name": f"{number}.png"} | size)
        for cell in dice.sample(range(32), dice.randint(12, 20)):
            w, h = dice.randint(20, 120), dice.randint(20, 120)
            x = cell % 8 * CELL + dice.randint(5, CELL - w - 5)
            y = cell // 8 * CELL + dice.randint(5, CELL - h - 5)
            ids = {"id": len(coco["annotations"]) + 1, "image_id": number}
            what = {"category_id": dice.choice([1, 1, 2, 3, 3, 4, 5, 6, 7, 8]), "iscrowd": 0}
            form = {"area": w * h, "bbox": [x, y, w, h]}
            form["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            coco["annotations"].append(ids | what | form)
            if dice.random() < 0.9:
                moved = [value + dice.uniform(-1, 1) for value in (x, y, w, h)]
                found = {"category_id": what["category_id"], "bbox": moved}
                results.append({"image_id": number, "score": dice.random()} | found)
    mistake = dice.choice(list(MISTAKES))
    return coco, MISTAKES[mistake](dice)(coco, results), mistake


def check_wrong_results(bench: Bench, made: tuple[Coco, list[Coco], str]) -> str:
    """Results with a mistake have a note or are refused, and others have none."""
    coco, results, mistake = made
    path, scores = bench.root / "file.json", bench.outdir / "scores.json"
    path.write_text(json.dumps(coco))
    (bench.root / "results.json").write_text(json.dumps(results))
    arguments = ["--coco_dir", bench.root, "--coco", path, "--workers", 1, "--scores", scores]
    code, _ = bench.call(evaluate_coco.main, *arguments, "--results", bench.root / "results.json")
    if code:
        return "error"
    notes = [n for n in json.loads(scores.read_bytes())["notes"] if "cannot be had" not in n]
    assert bool(notes) == (mistake != "none"), notes
    return "noted" if notes else "exact"


SEGMENTS = {7: "road", 26: "car", 24001: "person", 26000: "car", 33002: "bicycle"}


def make_panoptic(dice: Random) -> tuple[bytes, bytes, str]:
    """Make up a panoptic file of two equal frames, their one PNG file, and what to do with them."""
    names = {**CATEGORIES, "road": 4}
    coco: Coco = {"categories": [], "images": [], "annotations": []}
    for name, number in names.items():
        coco["categories"].append({"id": number, "name": name, "isthing": int(name != "road")})
    for stem in ("a_1_0", "a_2_0"):
        size = {"width": 16, "height": 12}
        photograph = f"leftImg8bit/train/a/{stem}_leftImg8bit.png"
        coco["images"].append({"id": stem, "file_name": photograph} | size)
        segments = [describe_segment(v) | {"category_id": names[n]} for v, n in SEGMENTS.items()]
        record = {"image_id": stem, "file_name": f"{stem}_gtFine_panoptic.png"}
        coco["annotations"].append(record | {"segments_info": segments})
    png = io.BytesIO()
    rgb = np.stack((PIXELS % 256, PIXELS // 256, 0 * PIXELS), axis=2)
    Image.fromarray(rgb.astype(np.uint8)).save(png, "png")
    data = splice(dice, png.getvalue()) if dice.random() < 0.2 else png.getvalue()
    return make_json(dice, coco), data, dice.choice(TASKS)


def describe_segment(value: int) -> Coco:
    mask, is_group = np.equal(PIXELS, value), int(value == 26)
    return {"id": value, "iscrowd": is_group, "area": int(mask.sum()), "bbox": box_of(mask)}


def check_panoptic(bench: Bench, made: tuple[bytes, bytes, str]) -> str:
    data, png, task = made
    (bench.root / "file").mkdir()
    for stem in ("a_1_0", "a_2_0"):
        (bench.root / "file" / f"{stem}_gtFine_panoptic.png").write_bytes(png)
    outcome = inspect(bench, data, task)
    if outcome != "exact" or b'"segments_info"' not in data:
        return outcome
    coco = json.loads(data)
    with Image.open(io.BytesIO(png)) as image:
        assert (np.asarray(image) @ np.array([1, 256, 65536]) == PIXELS).all()
    names = {category["id"]: category["name"] for category in coco["categories"]}
    for annotation in coco["annotations"]:
        found = {segment["id"]: segment for segment in annotation["segments_info"]}
        assert found.keys() == SEGMENTS.keys()
        for value, name in SEGMENTS.items():
            assert names[found[value]["category_id"]] == name
            segment = found[value] | {"bbox": tuple(found[value]["bbox"])}
            assert segment.items() >= describe_segment(value).items()
    return outcome


SEGMENT_VALUES = [8, 11, 21, *(value for value in VALUES if value != 1000)]


def make_segments(dice: Random) -> tuple[Any, int]:
    """Make up a map with groups and void, and a seed for results of it."""
    draw = np.random.default_rng(dice.randrange(1 << 32))
    scale, shape = dice.randint(4, 9), (dice.randint(2, 8), dice.randint(2, 12))
    blocks = draw.choice(draw.choice(SEGMENT_VALUES, dice.randint(1, 12)), shape)
    return np.kron(blocks, np.ones((scale, scale), int)), dice.randrange(1 << 32)


def check_segments(bench: Bench, made: tuple[Any, int]) -> str:
    """Panoptic quality is what the official script makes of the same files."""
    values, seed = made
    save_map(bench.root / "gtFine" / "train" / "a" / f"a_0_0{SUFFIX}", values)
    where = "--datadir", bench.root, "--outdir", bench.outdir, "--workers", 1
    assert bench.call(main.main, *where, "--panoptic")[0] == 0
    coco, ids = read_panoptic(truth := bench.outdir / PANOPTIC)
    results = save_panoptic(bench.outdir / "results.json", *predict(coco, ids, seed))
    scores = bench.outdir / "scores.json"
    options = "--coco", truth, "--results", results, "--scores", scores, "--workers", 1
    code, _ = bench.call(evaluate_coco.main, *options)
    if code:
        assert not coco["annotations"][0]["segments_info"]
        return "error"
    found = json.loads(scores.read_bytes())["panoptic"]
    for ours, judged in zip(
        (found["average"], found["classes"]), oracle.official_panoptic(truth, results), strict=True
    ):
        for name, numbers in judged.items():
            of_class = [*ours[name].values()]
            assert (of_class[0] is None) == (numbers is None), name
            assert numbers is None or np.allclose(of_class, numbers, rtol=0, atol=1e-9), name
    return "exact"


NUMBERS = {"pedestrian": 1, "rider": 2, "sitting person": 3, "person (other)": 4}
NUMBERS |= {"person": 1, "car": 3, "truck": 4}


def make_boxes(dice: Random) -> tuple[str, bytes, bytes, str]:
    """Make up which boxes there are, a file of them, one of COCO, and what to do with them; at most
    one of the files is damaged."""
    kind = dice.choice([*boxes.OBJECTS])
    task = dice.choice([*["convert"] * 10, *["verify"] * 8, "draw", "stats"])
    files = [json.dumps(valid_record(kind)).encode(), json.dumps(valid_boxes(kind)).encode()]
    damaged = 0 if task == "convert" else dice.choice([0, 1, 1, 1])
    files[damaged] = make_json(dice, json.loads(files[damaged]))
    return kind, files[0], files[1], task


def valid_record(kind: str) -> Coco:
    record: Coco = {"imgHeight": 100, "imgWidth": 200, "objects": boxes.OBJECTS[kind]}
    return record | ({"classes": boxes.CLASSES} if kind == boxes.VALIDATED else {})


def valid_boxes(kind: str) -> Coco:
    """Return the COCO file of a frame with boxes and ignore regions."""
    names = [n for n in NUMBERS if (n in boxes.CLASSES) == (kind == boxes.VALIDATED)]
    coco: Coco = {"info": {}, "licenses": [], "annotations": []}
    coco["categories"] = [{"id": NUMBERS[name], "name": name} for name in names]
    photograph = "leftImg8bit/train/a/a_1_0_leftImg8bit.png"
    image = {"id": 1, "file_name": photograph, "seg_file_name": f"a_1_0_{kind}.json"}
    coco["images"] = [image | {"width": 200, "height": 100}]
    if kind == boxes.VALIDATED:
        coco["images"][0]["soft_label_classes"] = boxes.CLASSES
    for found in boxes.OBJECTS[kind]:
        number = NUMBERS.get(name_box(found), 0)
        flags = {"iscrowd": int(not number), "ignore": int(not number)}
        ids = {"id": len(coco["annotations"]) + 1, "image_id": 1, "category_id": number or 1}
        coco["annotations"].append(ids | flags | boxes.describe_box(found))
    return coco


def name_box(found: Coco) -> str:
    if "label" in found:
        return str(found["label"])
    soft_label: list[float] = found["soft_label"]
    return boxes.CLASSES[soft_label.index(max(soft_label))]


def check_boxes(bench: Bench, made: tuple[str, bytes, bytes, str]) -> str:
    """Files of boxes are converted as they are, or refused; in a COCO file each difference from
    them is found."""
    kind, record, data, task = made
    whole = record == json.dumps(valid_record(kind)).encode()
    path = bench.root / kind / "train" / "a" / f"a_1_0_{kind}.json"
    touch(path).write_bytes(record)
    if task != "convert":
        outcome = inspect(bench, data, task)
        if outcome == "exact" and whole:
            found = json.loads(data)["annotations"]
            # A file without any region need not have one.
            with_regions = any(annotation["iscrowd"] for annotation in found)
            expected = [a for a in valid_boxes(kind)["annotations"] if with_regions >= a["ignore"]]
            for annotation in found:
                same = {"id": annotation["id"], "image_id": annotation["image_id"]}
                expected.remove(next(a for a in expected if a | same | annotation == annotation))
            assert not expected
        return outcome
    where = ["--datadir", bench.root, "--outdir", bench.outdir, "--workers", 1]
    code, _ = bench.call(main.main, *where, "--annotations", kind, "--crowd", "keep", "--verify")
    written = bench.outdir / f"instancesonly_filtered_{kind}_train.json"
    assert written.exists() == (code == 0) and (code == 0 or not whole)
    if code:
        return "error"
    objects = json.loads(record, parse_constant=refuse)["objects"]
    told = json.loads(written.read_bytes(), parse_constant=refuse)["annotations"]
    known = {name for box in boxes.OBJECTS[kind] for name in box}
    for annotation, box in zip(told, objects, strict=True):
        kept = {name: value for name, value in box.items() if name in known}
        assert annotation.items() >= boxes.describe_box(kept).items()
    return "exact"


CHECKS: dict[str, tuple[Callable[[Random], Any], Callable[[Bench, Any], str]]] = {
    "maps": (make_map, check_map),
    "polygons": (make_polygons, check_polygons),
    "folders": (make_folder, check_folder),
    "COCO files": (make_coco_file, check_coco_file),
    "results": (make_results, check_results),
    "wrong results": (make_wrong_results, check_wrong_results),
    "panoptic files": (make_panoptic, check_panoptic),
    "panoptic scores": (make_segments, check_segments),
    "boxes": (make_boxes, check_boxes),
    "PNG files": (make_map, check_png),
}
OUTCOMES = ("error", "exact", "boxes", "drawn", "noted")
# How many inputs of a kind one process tries; it takes seconds.
ROUND, ROUND_OF_PNGS = 100, 5000


def explore(kind: str, seed: int, count: int, deadline: float, folder: Path, tally: Any) -> None:
    """Try `count` inputs of one kind; a finding is printed, and ends the process with 1."""
    make, check = CHECKS[kind]
    bench = Bench(folder / "bench")
    for number in range(count):
        if time.monotonic() > deadline:
            return
        made = make(Random(f"{kind} {seed} {number}"))
        if kind != "PNG files":
            bench.clear()
        try:
            tally[OUTCOMES.index(check(bench, made))] += 1
        except Exception:  # whatever a check or a program raises is a finding
            print(f"{made!r}\n{traceback.format_exc()}", flush=True)
            raise SystemExit(1) from None


def run(kinds: Sequence[str], seeds: Iterable[int], count: int, seconds: float) -> int:
    """Try `count` inputs of each kind for each seed until the time is over; return the number of
    findings."""
    end = time.monotonic() + seconds
    tallies: dict[str, Any] = {kind: multiprocessing.Array("L", len(OUTCOMES)) for kind in kinds}
    findings = 0
    for seed, kind in ((seed, kind) for seed in seeds for kind in kinds):
        if time.monotonic() > end:
            break
        with tempfile.TemporaryDirectory() as folder:
            process = multiprocessing.Process(
                target=explore, args=(kind, seed, count, end, Path(folder), tallies[kind])
            )
            process.start()
            process.join(PATIENCE)
            if process.exitcode != 0:
                findings += 1
                how = f"ended with {process.exitcode}" if process.exitcode else "hangs"
                print(f"found in {kind} with --seed {seed}: {how}", flush=True)
                process.kill()
                process.join()
    total = 0
    for kind, tally in tallies.items():
        counts = list(tally)
        told = ", ".join(f"{n} {name}" for n, name in zip(counts, OUTCOMES, strict=True) if n)
        print(f"{kind}: {sum(counts)} inputs ({told})")
        total += sum(counts)
    print(f"{total} inputs, {findings} findings")
    return findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pngs", type=int, metavar="N", help="PNG files and nothing else")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    seconds, pngs, seed = vars(parser.parse_args()).values()
    if pngs:
        seeds = range(seed, seed + math.ceil(pngs / ROUND_OF_PNGS))
        sys.exit(bool(run(["PNG files"], seeds, ROUND_OF_PNGS, math.inf)))
    kinds = [kind for kind in CHECKS if kind != "PNG files"]
    sys.exit(bool(run(kinds, range(seed, sys.maxsize), ROUND, seconds)))
