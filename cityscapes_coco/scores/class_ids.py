"""Results under wrong category ids: how trainers number classes, and which ids would be right."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.errors import command
from cityscapes_coco.labels import LABELS

# COCO's own ids of the classes that Cityscapes has too; the last of its classes has the id 90.
_OF_COCO = {1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 6: "bus", 7: "train", 8: "truck"}
_LAST_OF_COCO = 90
# Other ids are named if they repair at least so many results and so large a share of the wrong
# ones, spoil few, and make so large a share of all right. The best are named, or common ones that
# are nearly as good.
_FEWEST, _SHARE, _AS_GOOD = 3, 0.5, 0.8
# So few results that lie on an instance show nothing.
_FEWEST_PAIRS = 10
# Classes that a network takes for each other; other mistakes are rarer, so they say more.
_KINDS = {
    **dict.fromkeys(("person", "rider"), "human"),
    **dict.fromkeys(("car", "truck", "bus", "train", "caravan", "trailer"), "on four wheels"),
    **dict.fromkeys(("motorcycle", "bicycle"), "on two wheels"),
}
# If all results are of one class, so large a share of them is not.
_SHARE_OF_ONE = 0.2
# The fewest results that show that a class is another one, if several are, and if one is.
_FEWEST_OF_CLASS, _FEWEST_OF_ONE = 3, 8

# How often results of one category, called so, lie on an instance of another.
Pairs = Counter[tuple[int, int]]


class Numbering(NamedTuple):
    """A way to number classes: how it is called, what results with such numbers need, and the ids
    in the COCO file by these numbers."""

    name: str
    remedy: str
    ids: dict[int, int]


def find_kind(name: str) -> str:
    """Return what a category has in common with those that a network takes it for."""
    return _KINDS.get(name, name)


def list_numberings(coco: CocoFile) -> list[Numbering]:
    ids = {str(category.name): int(category.id or 0) for category in coco.categories}
    made = f"{command('convert')} --category-ids {{}} writes a file for them"
    other, by_name = "write the ids of the file", "classes in alphabetical order, counted from"
    labels = [label for label in LABELS if label.name in ids]
    label_ids = {label.id: ids[label.name] for label in labels}
    train_ids = {label.train_id: ids[label.name] for label in labels}
    alphabetical = [ids[name] for name in sorted(ids)]
    of_coco = {number: ids[name] for number, name in _OF_COCO.items() if name in ids}
    from_0 = {number - 1: own for number, own in of_coco.items()}
    return [
        Numbering("classes counted from 1", made.format("one"), dict(enumerate(ids.values(), 1))),
        # Both may fit numbers without 0, but nearly all results have the first class.
        Numbering("classes counted from 0", made.format("zero"), dict(enumerate(ids.values()))),
        Numbering("Cityscapes' label ids", made.format("label"), label_ids),
        Numbering("Cityscapes' train ids", other, train_ids),
        Numbering(f"{by_name} 1", other, dict(enumerate(alphabetical, 1))),
        Numbering(f"{by_name} 0", other, dict(enumerate(alphabetical))),
        Numbering("COCO's own ids", other, of_coco),
        Numbering("COCO's own classes, counted from 0", other, from_0),
    ]


def explain_numbers(numbers: Collection[int], coco: CocoFile) -> str:
    """Return what the category ids of results are, and what to do, if they are not all in the COCO
    file but fit another way to number its classes; nothing if they fit none."""
    for numbering in list_numberings(coco)[:4]:
        if numbering.ids.keys() >= set(numbers):
            return f"the ids fit {numbering.name}: {numbering.remedy}"
    if 10 < max(numbers) <= _LAST_OF_COCO and min(numbers) >= 0:
        return "the ids fit COCO's own classes: was the network trained on this file?"
    return ""


def explain_pairs(
    pairs: Pairs,
    called: Collection[int],
    coco: CocoFile,
    located: str = "results that lie on an instance",
    kind: str = "results",
) -> list[str]:
    """Return a note if the categories of results are wrong, and not only often so: what is seen,
    and which ids would repair it. `called` are all category ids of the results. `located` and
    `kind` name what the pairs count, and all that the ids are of: results or segments."""
    names = {int(category.id or 0): str(category.name) for category in coco.categories}
    wrong = Counter({pair: times for pair, times in pairs.items() if pair[0] != pair[1]})
    if not wrong or pairs.total() < _FEWEST_PAIRS:
        return []
    (taken, there), times = max(wrong.items(), key=lambda item: (item[1], item[0]))
    seen = (
        f"{wrong.total()} of {pairs.total()} {located} have the id of another class, such as"
        f" {names[taken]} on {names[there]} ({times})"
    )
    if {*called} == {pair[0] for pair in pairs} and len(called) == 1:
        is_clear = len(wrong) > 1 and wrong.total() >= max(_FEWEST, _SHARE_OF_ONE * pairs.total())
        return [f"{seen}; {names[taken]} is the only class of the {kind}"] if is_clear else []
    kinds = {number: find_kind(name) for number, name in names.items()}
    # What may follow "with", and the ids in the file by those in the results.
    mistakes = [("ids + 1", {n: n + 1 for n in names}), ("ids - 1", {n: n - 1 for n in names})]
    mistakes += [(numbering.name, numbering.ids) for numbering in list_numberings(coco)]
    remedies = [(_count_right(pairs, ids, kinds), name) for name, ids in mistakes]
    right, name = max(remedies, key=lambda remedy: remedy[0])
    permutation = _find_permutation(pairs)
    of_permutation = _count_right(pairs, {number: number for number in names} | permutation, {})
    if _AS_GOOD * of_permutation > right:
        right = of_permutation
        name = ", ".join(f"{names[t]} instead of {names[c]}" for c, t in permutation.items())
    return [f"{seen}; with {name}, {right} would be right"] if right else []


def _count_right(pairs: Pairs, ids: Mapping[int, int], kinds: Mapping[int, str]) -> int:
    """Return how many results would be right with other ids; 0 unless these are most, and explain
    most mistakes, or most mistakes between kinds."""
    right = sum(n for (called, there), n in pairs.items() if ids.get(called) == there)
    spoiled = sum(n for (c, there), n in pairs.items() if c == there != ids.get(c))
    wrong = {pair: n for pair, n in pairs.items() if pair[0] != pair[1]}
    repaired = sum(n for (called, there), n in wrong.items() if ids.get(called) == there)
    if right < _SHARE * pairs.total() or not repaired:
        return 0
    if repaired >= max(_FEWEST, _SHARE * sum(wrong.values()), 3 * spoiled):
        return right
    wrong = {pair: n for pair, n in wrong.items() if kinds and kinds[pair[0]] != kinds[pair[1]]}
    of_kind = sum(n for (c, t), n in wrong.items() if c in ids and kinds.get(ids[c]) == kinds[t])
    is_most = of_kind >= max(_FEWEST, _SHARE * sum(wrong.values()), 10 * spoiled)
    return right if is_most else 0


def _find_permutation(pairs: Pairs) -> dict[int, int]:
    """Return the category that most results of a category lie on, where that is another one. No two
    share one: where a network takes one class for another, the other has more results."""
    ids: dict[int, int] = {}
    for (called, there), times in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        of_class = sum(n for (c, _), n in pairs.items() if c == called)
        if called not in ids and there not in ids.values() and 2 * times > of_class:
            ids[called] = there
    clear = [pair for pair in sorted(ids.items()) if pairs[pair] >= _FEWEST_OF_CLASS]
    changed = {called: there for called, there in clear if called != there}
    is_sure = len(changed) > 1 or sum(pairs[pair] for pair in changed.items()) >= _FEWEST_OF_ONE
    return changed if is_sure else {}
