"""What several kinds of tests share: the shipped classifier, and a running server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiortc  # noqa: F401 (imported after TensorFlow 2.21, its libsrtp crashes the process; so before every test)
import pytest

from app.stream.engine import Engine
from model import Classifier
from tests.helpers.trashnet import ROOT


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


class Server:
    """The app on a free port, started as a user would, from another folder; ended by its process id."""

    def __init__(
        self, log: Path, port: int = 0, address: str = "127.0.0.1", inside: Sequence[str] = (), **settings: str
    ) -> None:
        """port: 0 for a free one. inside: words before the command. settings: environment variables."""
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.port = port
        self.url = f"http://{address}:{port}"
        self.log = log
        command = [*inside, str(Path(sys.executable).parent / "streamlit"), "run", str(ROOT / "app" / "main.py")]
        command += ["--server.port", str(port), "--server.address", address]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=log.parent, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **settings}
            )

    def wait_until_ready(self, seconds: float = 60) -> "Server":
        """Return when the server answers; fail with its log if it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def stop(self, seconds: float = 10) -> int:
        """Ask it to end, as systemd does; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that look at it."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    running = Server(log, WHICHBIN_MAX_STREAMS="20").wait_until_ready()  # places of closed pages free with a delay
    yield running
    running.stop()
