"""Debian's coturn on 127.0.0.1, on free ports, with a shared secret; ended by its process id."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.doctor import ask
from app.network.ice import turn_rest
from tests.helpers.server import free_port

SECRET = "north-wind"

# For a page: it has no way but through the TURN server; its connections are kept, so that a test can look at them.
RELAY_ONLY = """
window.connections = [];
const Direct = RTCPeerConnection;
window.RTCPeerConnection = class extends Direct {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: "relay" });
    window.connections.push(this);
  }
};
"""
# What way the newest connection takes: the kind of candidate, the protocol to the TURN server, the configuration.
PAIR = """async () => {
  const connection = document.querySelector('iframe[title*="webrtc"]').contentWindow.connections.at(-1);
  const stats = [...(await connection.getStats()).values()];
  const transport = stats.find((s) => s.type === "transport");
  const pair = stats.find((s) => s.id === transport.selectedCandidatePairId);
  const local = stats.find((s) => s.id === pair.localCandidateId);
  return [local.candidateType, local.relayProtocol, JSON.stringify(connection.getConfiguration())];
}"""


def asked(address: str, credentials: dict[str, str]) -> tuple[str, str]:
    """The doctor's `ask`, on a thread: Playwright keeps an event loop running on the tests' own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask, address, credentials).result()


class Coturn:
    """A running TURN server. Raises RuntimeError if there is no `turnserver` (tests/helpers/install_system.sh)."""

    def __init__(
        self, folder: Path, transport: str = "udp", host: str = "127.0.0.1", inside: Sequence[str] = ()
    ) -> None:
        """folder: for its log and files. transport: "udp", or "tcp" for one that clients cannot reach over UDP.

        host: its address. inside: words before the command.
        """
        program = shutil.which("turnserver")
        if program is None:
            raise RuntimeError("no turnserver; run tests/helpers/install_system.sh")
        self.port = free_port()
        self.address = f"turn:{host}:{self.port}?transport={transport}"
        self.log = folder / "coturn.txt"
        command = [*inside, program, "-n", f"--listening-ip={host}", f"--listening-port={self.port}"]
        command += [f"--relay-ip={host}"]
        command += ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=whichbin.test"]
        command += ["--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls", "--verbose", "--log-file=stdout"]
        command += [f"--userdb={folder / 'turn.sqlite'}", f"--pidfile={folder / 'turn.pid'}"]
        command += ["--no-udp" if transport == "tcp" else "--no-tcp"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + 20
        while asked(self.address, self.credentials())[0]:
            running = time.monotonic() < end and self.process.poll() is None
            assert running, f"coturn did not start:\n{self.log.read_text()}"
            time.sleep(0.1)

    @staticmethod
    def credentials(secret: str = SECRET, lifetime: int = 600) -> dict[str, str]:
        """What a browser would be given."""
        username, credential = turn_rest(secret, lifetime, time.time())
        return {"username": username, "credential": credential}

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
