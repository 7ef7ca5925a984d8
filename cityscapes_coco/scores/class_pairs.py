"""Results that lie on an instance of another class: which other ids would be right."""

from collections import Counter
from collections.abc import Iterator, Mapping

from cityscapes_coco.coco.records import CocoFile
from cityscapes_coco.scores.numberings import list_numberings

# Other ids are named if they repair at least so many results and so large a share of the wrong
# ones, spoil few, and make so large a share of all right. The best are named, or common ones that
# are nearly as good.
_FEWEST, _SHARE, _AS_GOOD = 3, 0.5, 0.8
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


def explain_pairs(pairs: Pairs, called: set[int], coco: CocoFile) -> list[str]:
    """Return a note if the categories of results are wrong, and not only often so: what is seen,
    and which ids would repair it. `called` are all category ids of the results."""
    names = {int(category.id or 0): str(category.name) for category in coco.categories}
    wrong = Counter({pair: times for pair, times in pairs.items() if pair[0] != pair[1]})
    if not wrong:
        return []
    (taken, there), times = max(wrong.items(), key=lambda item: (item[1], item[0]))
    seen = (
        f"{wrong.total()} of {pairs.total()} results that lie on an instance have the id of another"
        f" class, such as {names[taken]} on a {names[there]} ({times})"
    )
    if len(called) == 1:
        is_clear = len(wrong) > 1 and wrong.total() >= max(_FEWEST, _SHARE_OF_ONE * pairs.total())
        return [f"{seen}; all results are called {names[taken]}"] if is_clear else []
    kinds = {number: _KINDS.get(name, name) for number, name in names.items()}
    remedies = [(_count_right(pairs, ids, kinds), name) for name, ids in _list_remedies(coco)]
    right, name = max(remedies, key=lambda remedy: remedy[0])
    permutation = _find_permutation(pairs)
    of_permutation = _count_right(pairs, {number: number for number in names} | permutation, {})
    if _AS_GOOD * of_permutation > right:
        right = of_permutation
        changed = [f"{names[there]} instead of {names[c]}" for c, there in permutation.items()]
        name = ", ".join(changed)
    return [f"{seen}; with {name}, {right} would be right"] if right else []


def _count_right(pairs: Pairs, ids: Mapping[int, int], kinds: Mapping[int, str]) -> int:
    """Return how many results would be right with other ids; 0 unless these are most, and explain
    most of what is wrong, or most of those of another kind."""
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


def _list_remedies(coco: CocoFile) -> Iterator[tuple[str, Mapping[int, int]]]:
    """Yield common mistakes with ids: what follows "with", and the ids in the file by those in the
    results."""
    for sign in 1, -1:
        ids = {number: number + sign for number in (int(c.id or 0) for c in coco.categories)}
        yield f"ids {'+' if sign > 0 else '-'} 1", ids
    for numbering in list_numberings(coco):
        yield numbering.name, numbering.ids


def _find_permutation(pairs: Pairs) -> dict[int, int]:
    """Return the category that most results of a category lie on, where that is another one.

    No two share one: where a network takes one class for another, the other has more results.
    """
    ids: dict[int, int] = {}
    for (called, there), times in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        of_class = sum(n for (c, _), n in pairs.items() if c == called)
        if called not in ids and there not in ids.values() and 2 * times > of_class:
            ids[called] = there
    changed = {
        called: there
        for called, there in sorted(ids.items())
        if called != there and pairs[called, there] >= _FEWEST_OF_CLASS
    }
    is_sure = len(changed) > 1 or sum(pairs[pair] for pair in changed.items()) >= _FEWEST_OF_ONE
    return changed if is_sure else {}
