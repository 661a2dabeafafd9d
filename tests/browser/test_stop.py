"""The server is told to end while pages stream from it."""

import time

from playwright.sync_api import sync_playwright

from tests.helpers.browser import launch
from tests.helpers.camera import write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.server import Server

STREAMS = """() => {
  const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
  return video && video.currentTime > 0.5;
}"""


def test_sigterm_with_streams_open_ends_within_five_seconds(tmp_path):
    clip = write_clip(tmp_path / "camera.y4m", [(empty_scene(), 1.0)])
    running = Server(tmp_path / "log.txt").wait_until_ready()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright, clip)
            pages = [browser.new_context().new_page() for _ in range(2)]
            for page in pages:
                page.goto(running.url)
            for page in pages:
                page.wait_for_function(STREAMS, timeout=60_000)
            begun = time.monotonic()
            assert running.stop(seconds=30) in (0, -15)
            assert time.monotonic() - begun < 5
            browser.close()
    finally:
        running.stop()
    assert "Traceback" not in running.log.read_text()
