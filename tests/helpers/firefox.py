"""Debian's Firefox, headless, with its own fake camera; driven over WebDriver BiDi, which needs no driver's program.

https://w3c.github.io/webdriver-bidi/ . Playwright drives only a Firefox of its own.
"""

import json
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.helpers.server import free_port

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
PREFERENCES = {
    "media.navigator.streams.fake": True,  # a ball on grey, and a clock
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,  # the server listens on 127.0.0.1 only
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "data:,",  # nothing is asked of its maker's servers
    "remote.prefs.recommended": True,
}


class Firefox:
    """A running browser with one page; use with `with`. Raises RuntimeError if there is no Firefox."""

    def __init__(self, folder: Path) -> None:
        """folder: for its profile and log."""
        if PROGRAM is None:
            raise RuntimeError("no firefox-esr; run tests/helpers/install_system.sh")
        profile = folder / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        self._port, self._numbers, self._log = free_port(), count(), folder / "firefox.txt"
        self._open = ExitStack()
        command = [PROGRAM, "--headless", "--no-remote", "--profile", str(profile)]
        command += ["--remote-debugging-port", str(self._port), "about:blank"]
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def __enter__(self) -> "Firefox":
        try:
            self._socket = self._open.enter_context(self._connected())
            self._ask("session.new", capabilities={})
            self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connected(self, seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return connect(f"ws://127.0.0.1:{self._port}/session", max_size=None, open_timeout=30)
            except OSError:
                running = time.monotonic() < end and self._process.poll() is None
                assert running, f"Firefox did not start:\n{self._log.read_text()}"
                time.sleep(0.1)

    def _ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def goto(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, function: str) -> Any:
        """What a function without arguments gives, which has to be JSON."""
        expression = f"(async () => JSON.stringify(await ({function})()))()"
        where = {"context": self._page}
        done = self._ask("script.evaluate", expression=expression, target=where, awaitPromise=True)
        assert done["type"] == "success", done
        return json.loads(done["result"]["value"])

    def wait_for(self, function: str, seconds: float = 30) -> None:
        """Until a function gives something true."""
        end = time.monotonic() + seconds
        while not self.evaluate(function):
            assert time.monotonic() < end, f"not within {seconds} s: {function}"
            time.sleep(0.1)
