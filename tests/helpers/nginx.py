"""nginx with deploy/proxy's configuration on 127.0.0.1, on free ports; ended by its process id."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from app.network.https import self_signed
from tests.helpers.server import free_port
from tests.helpers.trashnet import ROOT
from tests.helpers.waiting import wait_until

SHIPPED = ROOT / "deploy" / "proxy" / "whichbin.conf"
NAME = "bin.example.org"  # the shipped file's
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

# What Debian's nginx.conf is to the shipped file; and a log of who asked what of which process.
AROUND = """
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ }}
http {{
    log_format test '$cookie_whichbin_process|$upstream_addr|$status|$request_method $request_uri';
    access_log requests.txt test;
    {temporary}
    include whichbin.conf;
}}
"""


def write_configuration(folder: Path, ports: dict[int, int] | None = None) -> Path:
    """The shipped file with a main file around it and a certificate. ports: its ports -> those to use instead."""
    self_signed(folder / "whichbin", [NAME])
    text = SHIPPED.read_text()
    for shipped, ours in (ports or {}).items():
        assert f"listen {shipped}" in text or f":{shipped}" in text
        text = text.replace(f"listen {shipped}", f"listen 127.0.0.1:{ours}").replace(f":{shipped}", f":{ours}")
    (folder / "whichbin.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n    ".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    main = folder / "nginx.conf"
    main.write_text(AROUND.format(user="user root;" if os.getuid() == 0 else "", temporary=temporary))
    return main


def check(main: Path) -> str:
    """`nginx -t`: what it complains of, warnings too; empty if nothing."""
    assert PROGRAM is not None
    command = [PROGRAM, "-t", "-q", "-p", str(main.parent), "-c", str(main), "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stderr or f"exit status {done.returncode}" * bool(done.returncode)


class Nginx:
    """A running proxy before two processes of the app, on these ports."""

    def __init__(self, folder: Path, processes: tuple[int, int]) -> None:
        assert PROGRAM is not None
        self.port, self.plain = free_port(), free_port()
        self.url = f"https://{NAME}:{self.port}"
        self.certificate = folder / "whichbin" / "certificate.pem"
        main = write_configuration(folder, {443: self.port, 80: self.plain, 8511: processes[0], 8512: processes[1]})
        self._requests, log = folder / "requests.txt", folder / "log.txt"
        with log.open("wb") as out:
            command = [PROGRAM, "-p", str(folder), "-c", str(main), "-e", "stderr"]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until(self._listens, 10, lambda: f"nginx did not start:\n{log.read_text()}", every=0.05)
        except AssertionError:
            self.stop()
            raise

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self) -> list[list[str]]:
        """Each request that has ended: the process its cookie named, those asked, the status, and what was asked."""
        return [line.split("|") for line in self._requests.read_text().splitlines()]

    def stop(self) -> None:
        self.process.terminate()  # at once: its workers end too
        self.process.wait(10)
