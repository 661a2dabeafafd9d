"""Real Chromiums on hosts of their own, whose network is cut, has no UDP, or has no internet. Linux name spaces.

`python -m tests.measure.network [outages] [kiosk] [udp] [closed]`; without a word, all of them. Prints a line for each,
and one JSON object last. Needs no root; udp needs `turnserver` (tests/helpers/install_system.sh).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

from tests.helpers.browser import launch
from tests.helpers.camera import write_clip
from tests.helpers.coturn import PAIR, RELAY_ONLY, SECRET, Coturn
from tests.helpers.drawings import empty_scene
from tests.helpers.namespaces import Network, alone, missing
from tests.helpers.server import Server
from tests.helpers.video import ANNOTATED, PICTURES
from tests.measure.turn import seconds_to_video

OUTAGES = (5.0, 60.0)  # seconds
STEADY = 4.0  # seconds of video without a gap of one second, at the begin of which it was back
TRIES = 5


class Shown:
    """How many pictures a page has shown, new connections and reloads counted on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._last = int(page.evaluate(PICTURES))
        self.count = 0

    def look(self) -> int:
        try:
            now = int(self._page.evaluate(PICTURES))
        except Error as error:  # a look into a page that is being reloaded
            if "navigati" not in str(error) and "destroyed" not in str(error):
                raise
            now = 0
        self.count += now - self._last if now >= self._last else now
        self._last = now
        return self.count


def outage(network: Network, host: str, page: Page, other: Page, seconds: float) -> dict[str, Any]:
    """Cut a host off for some seconds; when its video was back, and what the other page showed meanwhile."""
    loads: list[int] = []
    page.on("load", lambda _: loads.append(1))
    mine, others = Shown(page), Shown(other)
    network.cut(host)
    page.wait_for_timeout(1000)  # what is under way arrives
    began, before = time.monotonic() - 1, mine.look()
    while time.monotonic() - began < seconds:
        page.wait_for_timeout(200)
    lost, meanwhile = mine.look() - before, others.look()
    network.mend(host)
    mended = time.monotonic()
    times: list[float] = []  # when a picture was seen, since the network is back
    while not times or times[-1] - times[0] < STEADY:
        assert time.monotonic() - mended < 60, f"no steady video 60 s after an outage of {seconds} s"
        before = mine.look()
        page.wait_for_timeout(50)
        if mine.look() > before:
            now = time.monotonic() - mended
            times = [*times, now] if times and now - times[-1] < 1 else [now]  # a gap: it was not back
    return {
        "seconds": seconds,
        "back_s": round(times[0], 1),
        "shown_meanwhile": lost,
        "others_per_s": round(meanwhile / seconds, 1),
        "reloads": len(loads),
    }


class Lab:
    """A server on a host of its own, and browsers on others; all ended with the `with`."""

    def __init__(self, stack: ExitStack, frames: int | None = None) -> None:
        """frames: a second, of the cameras; None for a file with 30."""
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self.playwright: Playwright = stack.enter_context(sync_playwright())
        self.network = Network()
        self.address = self.network.add("server")
        self.camera = write_clip(self.folder / "camera.mjpeg", [(empty_scene(), 3)])
        self.frames = frames

    def server(self, **settings: str) -> Server:
        inside = self.network.inside("server")
        running = Server(self.folder / "log.txt", address=self.address, inside=inside, **settings)
        self.stack.callback(running.stop)
        return running.wait_until_ready()

    def browser(self, host: str, *origins: str) -> Browser:
        """A Chromium on a host. origins: of the pages that get the camera, although they come without TLS."""
        program = self.folder / f"chromium-{host}"
        self.network.wrap(host, program)
        flags = [f"--unsafely-treat-insecure-origin-as-secure={','.join(origins)}"]
        if self.frames:
            flags += [f"--use-fake-device-for-media-stream=fps={self.frames}", "--use-fake-ui-for-media-stream"]
        camera = None if self.frames else self.camera
        made = launch(self.playwright, camera, flags=flags, program=str(program))
        self.stack.callback(made.close)
        return made


def outages(stack: ExitStack, path: str = "/") -> list[dict[str, Any]]:
    """Two visitors, one of whom, on the page at `path`, loses the network. Few frames: the machine may be busy."""
    lab = Lab(stack, frames=5)
    for host in ("one", "two"):
        lab.network.add(host)
    server = lab.server()
    pages = [lab.browser(host, server.url).new_page() for host in ("one", "two")]
    for page, at in zip(pages, (path, "/"), strict=True):
        page.goto(server.url + at)
    for page in pages:
        page.wait_for_function(f"() => ({PICTURES})() > 5", polling=50, timeout=60_000)
        page.wait_for_timeout(2000)
    return [outage(lab.network, "one", pages[0], pages[1], seconds) for seconds in OUTAGES]


def kiosk(stack: ExitStack) -> list[dict[str, Any]]:
    """The same for a kiosk."""
    return outages(stack, "/kiosk")


def udp(stack: ExitStack) -> dict[str, Any]:
    """A browser that no UDP packet reaches and that sends none, and a TURN server that takes TCP."""
    lab = Lab(stack)
    lab.network.add("one")
    inside = lab.network.inside("server")
    coturn = Coturn(lab.folder, "tcp", lab.address, inside)
    stack.callback(coturn.stop)
    server = lab.server(WHICHBIN_ICE_SERVERS=coturn.address, WHICHBIN_TURN_SECRET=SECRET)
    browser = lab.browser("one", server.url)
    seconds_to_video(browser, server.url, relay=False)  # not counted: the first page of a server and a browser
    direct = statistics.median(seconds_to_video(browser, server.url, relay=False) for _ in range(TRIES))
    lab.network.cut("one", ["ipproto", "udp"])
    without = statistics.median(seconds_to_video(browser, server.url, relay=False) for _ in range(TRIES))
    context = browser.new_context()
    context.add_init_script(RELAY_ONLY.replace('iceTransportPolicy: "relay"', ""))
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_function(ANNOTATED, polling=50, timeout=60_000)
    kind, protocol, _ = page.evaluate(PAIR)
    return {"direct_s": round(direct, 1), "without_udp_s": round(without, 1), "way": f"{kind} over {protocol}"}


def closed(stack: ExitStack) -> dict[str, Any]:
    """Two hosts without internet, name server and STUN server, beside one host with itself."""
    lab = Lab(stack)
    lab.network.add("one")
    elsewhere, here = lab.server(), Server(lab.folder / "here.txt").wait_until_ready()
    stack.callback(here.stop)
    beside = launch(lab.playwright, lab.camera)
    stack.callback(beside.close)
    ways = {
        "localhost_s": (beside, here.url),
        "closed_s": (lab.browser("one", elsewhere.url), elsewhere.url),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(TRIES + 1):
        for way, (browser, url) in ways.items():
            seconds = seconds_to_video(browser, url, relay=False)
            if number:  # the first is not counted
                took[way].append(seconds)
    return {way: round(statistics.median(times), 1) for way, times in took.items()}


PARTS = {"outages": outages, "kiosk": kiosk, "udp": udp, "closed": closed}


def main() -> None:
    """In name spaces already: measure one part, and print it. Else start each part in its own."""
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"there is {', '.join(PARTS)}; got {', '.join(unknown)}")
    if os.environ.get("ALONE_IN_NAME_SPACES"):
        with ExitStack() as stack:
            print(json.dumps(PARTS[wanted[0]](stack)))
        return
    if why := missing():
        sys.exit(why)
    result = {}
    for part in wanted:
        command = alone("tests.measure.network", part)
        done = subprocess.run(
            command, env={**os.environ, "ALONE_IN_NAME_SPACES": "1"}, stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            sys.exit(done.returncode)
        result[part] = json.loads(done.stdout.splitlines()[-1])
        print(part, result[part], flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
