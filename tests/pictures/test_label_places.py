"""Where labels go."""

import numpy as np

from cityscapes_coco.pictures.label_places import place_labels

ROOM = np.array([0, 0, 800, 400])


def overlap(some: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", other: object) -> float:
    sizes = np.minimum(some[2:], np.array(other)[2:]) - np.maximum(some[:2], np.array(other)[:2])
    return float(sizes.clip(0).prod())


def test_labels_of_a_crowded_street_cover_neither_each_other_nor_what_is_small() -> None:
    boxes = np.array([[300 + 9 * n, 300, 308 + 9 * n, 320] for n in range(25)], np.float64)
    placed = place_labels(boxes, [(60, 18)] * 25, ROOM)
    places = [place for place, _ in placed]
    for n, place in enumerate(places):
        assert (place[:2] >= 0).all() and (place[2:] <= ROOM[2:]).all()
        assert not any(overlap(place, other) for other in places[:n])
        assert sum(overlap(place, box) for box in boxes) == 0
    assert any(line is None for _, line in placed)


def test_a_label_that_is_away_has_a_line_from_its_box_to_it() -> None:
    boxes = np.array([[300, 200, 310, 210]] * 30, np.float64)
    for place, line in place_labels(boxes, [(60, 18)] * 30, ROOM):
        near = overlap(place, (299, 199, 311, 211)) > 0
        assert (line is None) == near
        if line is not None:
            assert overlap(np.array([300, 200, 310, 210]), (*(line[:2] - 1), *(line[:2] + 1)))
            assert overlap(place, (*(line[2:] - 1), *(line[2:] + 1)))


def test_a_label_wider_than_the_picture_begins_at_its_left() -> None:
    [(place, _)] = place_labels(np.array([[1.0, 1, 2, 2]]), [(900, 18)], ROOM)
    assert place[0] == 0
