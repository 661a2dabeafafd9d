"""Options of a command: declared once, read from a command line, checked."""

from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.options import Options, option


@dataclass(frozen=True, kw_only=True)
class SomeOptions(Options):
    words: tuple[str, ...] = field(metadata=option("words", positional=True, nargs="+"))
    out: Path = field(metadata=option("where to"))
    start: Path | None = field(default=None, metadata=option("where from"))
    runs: tuple[int, ...] = field(default=(2, 3), metadata=option("how long", nargs="+", metavar="N"))
    extra: tuple[float, ...] = field(default=(), metadata=option("more", repeat=True))
    half: float = field(default=0.5, metadata=option("a share, not 50%%", convert=lambda text: float(text) / 2))
    batch_size: int = field(default=16, metadata=option("of a step", at_least=1))
    quick: bool = field(default=False, metadata=option("hurry"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quick and self.start:
            raise TrainingError("--quick goes with no --start")


def parsed(*words: str) -> SomeOptions:
    return SomeOptions.parse("training.some", "Does something.", [*words])


def test_defaults_are_those_of_the_class() -> None:
    assert parsed("a", "--out", "o") == SomeOptions(words=("a",), out=Path("o"))


def test_every_kind_of_option_is_read() -> None:
    options = parsed(
        *("a", "b", "--out", "o", "--start", "s", "--runs", "4", "5", "--extra", "1", "--extra", "2.5"),
        *("--half", "3", "--batch-size", "1"),
    )
    assert options == SomeOptions(
        words=("a", "b"), out=Path("o"), start=Path("s"), runs=(4, 5), extra=(1.0, 2.5), half=1.5, batch_size=1
    )
    assert parsed("a", "--out", "o", "--quick").quick is True
    # A repeated option must not add to the default of the class
    assert parsed("a", "--out", "o").extra == ()


def test_options_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parsed("a", "--out", "o").quick = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a"], "the following arguments are required: --out"),
        (["--out", "o"], "the following arguments are required"),
        (["a", "--out", "o", "--batch-size", "0"], "error: --batch-size must be at least 1; got 0"),
        (["a", "--out", "o", "--batch-size", "some"], "invalid int value: 'some'"),
        (["a", "--out", "o", "--quick", "--start", "s"], "error: --quick goes with no --start"),
    ],
)
def test_what_is_wrong_is_said_with_the_usage(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(*words)
    printed = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said in printed
    assert printed.startswith("usage: python -m training.some")


def test_a_program_is_told_as_well() -> None:
    with pytest.raises(TrainingError, match="--batch-size must be at least 1; got -3"):
        SomeOptions(words=("a",), out=Path("o"), batch_size=-3)


def test_help_names_what_each_option_does_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "Does something." in said
    assert "--runs N [N ...] how long (default 2 3)" in said
    assert "a share, not 50% (default 0.5)" in said
    assert "--quick hurry" in said
    assert "where from (default" not in said
    assert "more (default" not in said
