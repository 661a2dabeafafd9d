"""The app as a process of its own, for tests and measurements."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.trashnet import ROOT


def free_port() -> int:
    """A TCP port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def metric(port: int, name: str) -> float:
    """The value of one of the app's Prometheus metrics, which it serves at `port`."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split(" ")[1]) for line in lines if line.startswith(f"{name} "))


class Server:
    """The app on a free port, started as a user would, from another folder; ended by its process id."""

    def __init__(
        self, log: Path, port: int = 0, address: str = "127.0.0.1", inside: Sequence[str] = (), **settings: str
    ) -> None:
        """Start the process; see `wait_until_ready`.

        Args:
            log: File for what it prints; its folder is the folder that the process is started in.
            port: TCP port; 0 for a free one.
            address: Address to listen at.
            inside: Words before the command, for instance those that move it into a network name space.
            **settings: Environment variables.
        """
        self.port = port or free_port()
        self.url = f"http://{address}:{self.port}"
        self.log = log
        command = [*inside, str(Path(sys.executable).parent / "streamlit"), "run", str(ROOT / "app" / "main.py")]
        command += ["--server.port", str(self.port), "--server.address", address]
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
