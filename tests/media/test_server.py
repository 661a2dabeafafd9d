"""The server as a process: starts from any folder, says what is wrong, ends when told to."""

import subprocess
import urllib.error
import urllib.request

import pytest

from tests.helpers.server import Server


def test_ends_when_told_to(tmp_path):
    running = Server(tmp_path / "log.txt").wait_until_ready()
    assert running.stop(seconds=10) in (0, -15)
    assert "Traceback" not in running.log.read_text()


def test_under_a_sub_path_the_kiosks_sign_of_life_is_not_answered_with_a_page(tmp_path):
    running = Server(tmp_path / "log.txt", STREAMLIT_SERVER_BASE_URL_PATH="bins")
    root = running.url
    running.url += "/bins"
    running.wait_until_ready()
    try:
        for base in (running.url, root):  # a proxy may have taken the sub-path away
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{base}/kiosk/alive")
            assert (caught.value.code, caught.value.read()) == (503, b"no kiosk\n")
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WHICHBIN_MODEL", "/nowhere", "no such folder"),
        ("WHICHBIN_BINS", "/nowhere.toml", "cannot be read"),
        ("WHICHBIN_THRESHOLD", "high", "WHICHBIN_THRESHOLD must be a number from 0.4 to 0.95"),
        ("WHICHBIN_COUNTS_FILE", "/nowhere/counts.sqlite3", "/nowhere/counts.sqlite3: cannot be opened"),
    ],
)
def test_a_mistake_is_one_line_and_ends_the_start(tmp_path, name, value, words):
    failing = Server(tmp_path / "log.txt", **{"WHICHBIN_COUNT_ANSWERS": "on", name: value})
    try:
        status = failing.process.wait(60)
    except subprocess.TimeoutExpired:
        failing.process.kill()
        raise
    log = failing.log.read_text()
    assert status != 0
    assert "whichbin cannot start: " in log
    assert words in log
    assert "Traceback" not in log


def test_a_full_disk_for_the_counts_does_not_keep_the_app_down(tmp_path):
    running = Server(tmp_path / "log.txt", WHICHBIN_COUNT_ANSWERS="on", WHICHBIN_COUNTS_FILE="/dev/full")
    running.wait_until_ready()
    running.stop()
    log = running.log.read_text()
    assert "Answers are not counted until the next start: /dev/full: cannot be used for counts (database or" in log
    assert "Traceback" not in log
