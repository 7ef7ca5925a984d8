"""datumaro: a group of annotations for each instance, which are polygons and a box."""

from itertools import groupby

from datumaro import AnnotationType
from recipe import SPLITS, Found, fill, judge, run_recipe


def look(data, split):
    names = [label.name for label in data.categories()[AnnotationType.label]]
    for item in data.get_subset(split):
        for _, group in groupby(item.annotations, key=lambda annotation: annotation.group):
            *polygons, box = group
            mask = fill([polygon.points for polygon in polygons], *item.media.size)
            pixels = item.media.data[..., ::-1]  # from BGR
            yield Found(item.id, names[box.label], box.get_bbox(), mask, pixels=pixels)


run_recipe("datumaro")
data = run_recipe("datumaro")["data"]  # over what the first run made
judge({split: look(data, split) for split in SPLITS})
