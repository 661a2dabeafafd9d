"""What a training run can be asked for, and its defaults."""

from dataclasses import dataclass, field
from pathlib import Path

from model.preprocessing import INPUT_SIZE
from training.data.splits import GROUPS_FILE, SPLITS
from training.errors import TrainingError
from training.network.precisions import PRECISIONS
from training.options import Options, option
from training.pictures.scene import SEE_THROUGH

# Of a quick run: nothing is cut out, and an epoch has at most so many pictures
QUICK_EPOCHS, QUICK_PICTURES = 8, 2000


@dataclass(frozen=True)
class Extra:
    """A folder of class folders that is only trained on, never validated on.

    Attributes:
        folder: The folder.
        weight: How often one of its photos is drawn, beside 1 for a photo of the main folder. Extra photos often show
            few scenes, so the default is low.
    """

    folder: Path
    weight: float = 0.35

    @classmethod
    def parse(cls, text: str) -> "Extra":
        """Read DIR or DIR=WEIGHT. Raises ValueError, which argparse turns into its own message."""
        folder, _, weight = text.rpartition("=")
        if not folder:
            return cls(Path(text))
        if not 0 < float(weight) <= 1:
            raise ValueError(weight)
        return cls(Path(folder), float(weight))


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """The options of `python -m training.train`."""

    data: Path = field(metadata=option("a folder with one folder of photos per class"))
    out: Path = field(metadata=option("folder for the artifact and, while the run lasts, for its state"))
    extra: tuple[Extra, ...] = field(
        default=(),
        metadata=option(
            "more class folders, which are only trained on; WEIGHT, above 0 and at most 1, is how much one of their "
            f"photos counts beside one of --data (default {Extra.weight})",
            repeat=True,
            convert=Extra.parse,
            metavar="DIR[=WEIGHT]",
        ),
    )
    background: tuple[Path, ...] = field(
        default=(), metadata=option("a folder of pictures that show none of the classes", repeat=True)
    )
    split: str = field(default=SPLITS[0], metadata=option("which photos are held back for validation", choices=SPLITS))
    groups: Path = field(default=GROUPS_FILE, metadata=option("the list of the grouped split"))
    weights: str = field(
        default="imagenet",
        metadata=option("starting weights: 'imagenet' (downloaded), 'none' (random) or a weights file"),
    )
    start: Path | None = field(
        default=None, metadata=option("network.keras of an earlier run with the same labels, to go on from")
    )
    see_through: tuple[str, ...] = field(
        default=SEE_THROUGH, metadata=option("classes whose items may be see-through", nargs="*")
    )
    # Two runs, averaged, know more than either (Wortsman et al. 2022, arXiv:2203.05482): docs/experiments, 8, 19 to 21
    runs: tuple[int, ...] = field(
        default=(24, 24),
        metadata=option(
            "how many epochs each of the runs takes whose weights are averaged", nargs="+", metavar="EPOCHS"
        ),
    )
    warm_up: int = field(default=2, metadata=option("epochs for the head alone, before the runs", at_least=0))
    quick: bool = field(
        default=False,
        metadata=option("take a few minutes instead of half an hour, for a somewhat less accurate network"),
    )
    size: int = field(default=INPUT_SIZE, metadata=option("side of the network's input in pixels", at_least=32))
    batch_size: int = field(default=16, metadata=option("how many pictures a training step sees", at_least=1))
    seed: int = field(default=0, metadata=option("where the random numbers start", at_least=0))
    precision: str = field(
        default=PRECISIONS[0], metadata=option("of the numbers in the exported file", choices=PRECISIONS)
    )
    data_notes: Path | None = field(
        default=None, metadata=option("a text file for the model card that names the photos' sources and licences")
    )
    skip_bad: bool = field(
        default=False, metadata=option("leave out photos that cannot be read, instead of refusing to start")
    )

    def __post_init__(self) -> None:
        """Raise TrainingError for options that no run can follow."""
        super().__post_init__()
        if self.data_notes and not self.data_notes.is_file():
            raise TrainingError(f"--data-notes {self.data_notes}: no such file")
        if min(self.epochs) < 1:
            raise TrainingError(f"--runs must be at least 1 epoch each; got {min(self.epochs)}")

    @property
    def epochs(self) -> tuple[int, ...]:
        """How many epochs each run takes."""
        return (QUICK_EPOCHS,) if self.quick else self.runs

    @property
    def most_pictures(self) -> int | None:
        """The most pictures of an epoch, or None if there is no limit."""
        return QUICK_PICTURES if self.quick else None
