"""SAM 3: the objects of each query of a dataset; a query is the name of a class."""

import numpy as np
from pycocotools import mask as coco_mask
from recipe import SPLITS, Found, from_corners, judge, run_recipe


def look(data):
    for number, datapoint in enumerate(map(data.__getitem__, range(len(data)))):
        [photograph] = data.coco.loadImagesFromDatapoint(number)
        for query in datapoint.find_queries:
            for index in query.object_ids_output:
                image = datapoint.images[query.image_id]
                found = image.objects[index]
                mask = coco_mask.decode(found.segment) == 1
                box = from_corners(found.bbox.tolist())
                name, pixels = photograph["file_name"], np.array(image.data)
                yield Found(name, query.query_text, box, mask, pixels=pixels)


judge({split: look(run_recipe("SAM 3", split)["data"]) for split in SPLITS})
