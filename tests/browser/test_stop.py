"""The server is told to end while pages stream from it."""

import time

from tests.helpers.server import Server

STREAMS = """() => {
  const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
  return video && video.currentTime > 0.5;
}"""


def test_sigterm_with_streams_open_ends_within_five_seconds(chromium, tmp_path):
    running = Server(tmp_path / "log.txt").wait_until_ready()
    contexts = [chromium.new_context() for _ in range(2)]
    try:
        pages = [context.new_page() for context in contexts]
        for page in pages:
            page.goto(running.url)
        for page in pages:
            page.wait_for_function(STREAMS, timeout=60_000)
        begun = time.monotonic()
        assert running.stop(seconds=30) in (0, -15)
        assert time.monotonic() - begun < 5
    finally:
        for context in contexts:
            context.close()
        running.stop()
    assert "Traceback" not in running.log.read_text()
