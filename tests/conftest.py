"""What several kinds of tests share: markers by folder, the shipped classifier, and a running server."""

from collections.abc import Iterator
from pathlib import Path

import aiortc  # noqa: F401 (imported after TensorFlow 2.21, its libsrtp crashes the process; so before every test)
import pytest
from _pytest.mark.expression import Expression

from app.stream.engine import Engine
from model import Classifier
from tests.helpers.server import Server

TESTS = Path(__file__).parent
KINDS = ("unit", "media", "browser", "training")  # folders here, and markers in pyproject.toml


def kind_of(path: Path) -> str | None:
    """Which kind of test a file or folder holds; None outside the folders of `KINDS`."""
    inside = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return inside[0] if inside and inside[0] in KINDS else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the marker of its folder."""
    for item in items:
        if kind := kind_of(item.path):
            item.add_marker(kind)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the tests of a kind that `-m` leaves out: those of the training import TensorFlow."""
    kind = kind_of(collection_path)
    if kind is None or not config.option.markexpr:
        return None
    wanted = Expression.compile(config.option.markexpr)
    possible = any(
        wanted.evaluate(lambda name, some=some, **_: name in some)
        for some in ({kind}, {kind, "slow"}, {kind, "patient"})
    )
    return None if possible else True


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The shipped artifact."""
    return Classifier.load()


@pytest.fixture
def engine(classifier) -> Iterator[Engine]:
    """A running engine, for modules whose own `classifier` is a StubClassifier."""
    engine = Engine(classifier)
    engine.start()
    yield engine
    classifier.gate.set()
    engine.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that look at it."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    running = Server(log, WHICHBIN_MAX_STREAMS="20").wait_until_ready()  # places of closed pages free with a delay
    yield running
    running.stop()
