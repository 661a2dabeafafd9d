"""The server is told to end while pages stream from it."""

import signal
import time

import pytest

from tests.helpers.server import Server
from tests.helpers.video import ANNOTATED

# A browser that offers its microphone along with the camera
AUDIO_TOO = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => ask({ ...wanted, audio: true });
"""


# With the statuses that are right; the library that reads Streamlit's command line makes a 1 of Ctrl-C
@pytest.mark.parametrize(
    ("ending", "good"), [(signal.SIGTERM, (0, -15)), (signal.SIGINT, (0, -2, 1))], ids=["term", "int"]
)
def test_a_signal_with_streams_open_ends_it_within_five_seconds(chromium, tmp_path, ending, good):
    """One of the two streams has audio beside its video, which changes nothing."""
    running = Server(tmp_path / "log.txt").wait_until_ready()
    contexts = [chromium.new_context() for _ in range(2)]
    contexts[1].add_init_script(AUDIO_TOO)
    try:
        pages = [context.new_page() for context in contexts]
        for page in pages:
            page.goto(running.url)
        for page in pages:
            page.wait_for_function(ANNOTATED, polling=100, timeout=60_000)
        begun = time.monotonic()
        running.process.send_signal(ending)
        assert running.process.wait(30) in good
        assert time.monotonic() - begun < 5
    finally:
        for context in contexts:
            context.close()
        running.stop()
    assert "Traceback" not in running.log.read_text()
