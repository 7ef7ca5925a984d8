"""What is asked for: one split that is to be converted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cityscapes_coco.cityscapes.dataset import Dataset
from cityscapes_coco.cityscapes.frame import name_file
from cityscapes_coco.options import Options


@dataclass(frozen=True)
class Job:
    """A split of a dataset, and how its files are to be written into `outdir`; `warn` is called
    with one line for each warning."""

    dataset: Dataset
    split: str
    outdir: Path
    options: Options
    warn: Callable[[str], object]

    @property
    def kind(self) -> str:
        """What the annotation files of the split are called."""
        return name_file(self.options.annotations)

    @property
    def maps(self) -> Path:
        """The folder of the split's annotation files."""
        return self.dataset.maps / self.split
