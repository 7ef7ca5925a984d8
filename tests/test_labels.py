"""Our label table, and the judge's, are the official package's."""

import pytest

from cityscapes_coco.labels import LABELS, category_instancesonly
from tests.oracle import CLASSES, EVALUATED

official = pytest.importorskip("cityscapesscripts.helpers.labels").labels


def test_the_table_is_the_official_one() -> None:
    names = "name", "id", "trainId", "category", "hasInstances", "ignoreInEval", "color"
    assert [*map(tuple, LABELS)] == [tuple(getattr(label, n) for n in names) for label in official]
    assert {label.id: label.name for label in official if label.hasInstances} == CLASSES


def test_the_default_classes_are_those_with_instances_that_are_evaluated() -> None:
    evaluated = [label for label in official if label.hasInstances and not label.ignoreInEval]
    assert list(category_instancesonly) == [label.name for label in evaluated]
    assert set(category_instancesonly) == EVALUATED
