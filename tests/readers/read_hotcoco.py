"""hotcoco: boxes, masks and scores, its health check, and the score of a panoptic file."""

from hotcoco import COCO, COCOeval
from hotcoco.panoptic import pq_compute
from recipe import DATADIR, OTHERS, PAGE, blocks, judge_coco, other, section

for name in OTHERS:
    health = COCO(other(name)).healthcheck()
    # What remains are remarks on the streets: a narrow instance, and rare classes.
    remarks = {warning["code"] for warning in health["warnings"]}
    assert health["errors"] == [], health
    assert remarks <= {"extreme_aspect_ratio", "low_instance_category"}, health

# hotcoco takes no texts as image ids; the page on panoptic files replaces them.
panoptic = str(DATADIR / "others/panoptic/cityscapes_panoptic_train.json")
[code] = blocks(section("Numbers for image ids", PAGE.with_name("panoptic.md")), "python")
exec(code, {"PANOPTIC": panoptic})
quality = pq_compute(panoptic, panoptic)
assert quality["All"]["pq"] == quality["Things"]["pq"] == quality["Stuff"]["pq"] == 1, quality

judge_coco("hotcoco", COCOeval)
