"""Page opened until the first annotated frame, in Chromium: directly, and through coturn on loopback over UDP and TCP.

`python -m tests.measure.turn` (needs `turnserver`: tests/helpers/install_system.sh). The ways take turns, so that a
busy machine is equally busy for each.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.helpers.browser import launch
from tests.helpers.camera import write_clip
from tests.helpers.coturn import RELAY_ONLY, SECRET, Coturn
from tests.helpers.drawings import empty_scene
from tests.helpers.server import Server
from tests.helpers.video import ANNOTATED

TRIES = 9


def seconds_to_video(browser: Browser, url: str, relay: bool) -> float:
    """From opening the page in a fresh window until its video shows the panel."""
    context = browser.new_context()
    if relay:
        context.add_init_script(RELAY_ONLY)
    page = context.new_page()
    began = time.monotonic()
    page.goto(url)
    page.wait_for_function(ANNOTATED, polling=50, timeout=60_000)
    took = time.monotonic() - began
    context.close()
    return took


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        browser = launch(playwright, write_clip(scratch / "camera.mjpeg", [(empty_scene(), 3)]))
        stack.callback(browser.close)
        ways = {"direct": Server(scratch / "direct.txt").wait_until_ready()}
        for transport in ("udp", "tcp"):
            folder = scratch / transport
            folder.mkdir()
            coturn = Coturn(folder, transport)
            stack.callback(coturn.stop)
            settings = {"WHICHBIN_ICE_SERVERS": coturn.address, "WHICHBIN_TURN_SECRET": SECRET}
            ways[f"TURN over {transport.upper()}"] = Server(folder / "log.txt", **settings).wait_until_ready()
        for server in ways.values():
            stack.callback(server.stop)
        took: dict[str, list[float]] = {way: [] for way in ways}
        for way, server in ways.items():  # not counted: the first page of a server and a browser
            seconds_to_video(browser, server.url, way != "direct")
        for _ in range(TRIES):
            for way, server in ways.items():
                took[way].append(seconds_to_video(browser, server.url, way != "direct"))
        direct = statistics.median(took["direct"])
        for way, times in took.items():
            more = f"{statistics.median(times) - direct:+.1f} s"
            print(f"{way:<15} {statistics.median(times):.1f} s ({min(times):.1f} to {max(times):.1f})  {more}")


if __name__ == "__main__":
    main()
