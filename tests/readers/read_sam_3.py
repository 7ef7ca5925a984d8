"""SAM 3: the objects of each query of a dataset; a query is the name of a class."""

from pycocotools import mask as coco_mask
from recipe import Found, from_corners, judge, run_recipe


def look(data):
    for number, datapoint in enumerate(map(data.__getitem__, range(len(data)))):
        [photograph] = data.coco.loadImagesFromDatapoint(number)
        for query in datapoint.find_queries:
            for index in query.object_ids_output:
                found = datapoint.images[query.image_id].objects[index]
                mask = coco_mask.decode(found.segment) == 1
                box = from_corners(found.bbox.tolist())
                yield Found(photograph["file_name"], query.query_text, box, mask)


judge(look(run_recipe("SAM 3")["data"]))
