"""hotcoco: boxes, masks and scores, its health check, panoptic quality, and analysis of errors."""

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

from hotcoco import COCO, COCOeval
from hotcoco.panoptic import pq_compute
from recipe import DATADIR, OTHERS, PAGE, blocks, judge_coco, other, predict, section

VAL = "instancesonly_filtered_gtFine_val.json"

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

# Results with the right classes, and others with a wrong one: the first are better by all of it.
annotations = json.loads(Path(DATADIR, "annotations", VAL).read_text())["annotations"]
right = [{**annotation, "score": 0.5} for annotation in annotations]
wrong = [{**result, "category_id": 1} for result in right]
with redirect_stdout(io.StringIO()) as printed:
    for name, results in ("results.json", right), ("other_results.json", wrong):
        Path(name).write_text(json.dumps(results))
    predict("Error analysis and comparison")
Path("results.json").unlink()  # no trainer has written it
assert re.search(r"^Cls: 0.000$.*^AP -[01].\d+ \(-", printed.getvalue(), re.M | re.S), printed

judge_coco("hotcoco", COCOeval)
