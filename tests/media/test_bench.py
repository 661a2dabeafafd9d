"""The benchmark measures what it says; how fast anything is, it is run by hand to find out."""

import json
import subprocess
import sys

import pytest

from app.advice.caption import caption
from app.stream.frames import writable_yuv
from app.stream.overlay import Overlay
from tests.helpers.camera import coded
from tests.helpers.captions import RULES, VERDICTS
from tests.helpers.fakes import frame
from tests.helpers.trashnet import ROOT
from tests.measure.bench.client import moving_scene
from tests.measure.bench.stamp import PERIOD, read_stamp, write_stamp

KEYS = {
    "arm",
    "streams",
    "fps",
    "latency_ms_p50",
    "latency_ms_p95",
    "server_cores_per_stream",
    "classifications_per_s",
    "verdict_age_ms_p95",
    "dropped",
    "rss_mib",
}


@pytest.mark.parametrize("number", [0, 1, 0b1010101010101010, 12345, PERIOD - 1, PERIOD + 7])
def test_a_frames_number_survives_overlay_and_codec(number):
    source = writable_yuv(frame())
    write_stamp(source, number)
    Overlay().draw(source, caption(VERDICTS[0], RULES))
    assert read_stamp(coded(source, 30)) == number % PERIOD


def test_the_scene_moves():
    one, other = (picture.to_ndarray(format="gray").astype(int) for picture in moving_scene(4)[:2])
    assert one.shape == (480, 640)
    assert (abs(one - other) > 20).mean() > 0.02


def test_a_short_run_writes_one_row_an_arm(tmp_path):
    out = tmp_path / "rows.json"
    command = [sys.executable, "-m", "tests.measure.bench", "--seconds", "3", "--streams", "1"]
    subprocess.run(
        [*command, "--arms", "loopback,ours", "--json", str(out), "--plot", str(tmp_path / "plot.png")],
        cwd=ROOT,
        check=True,
        timeout=300,
        capture_output=True,
    )
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    loopback, ours = json.loads(out.read_text())
    assert set(loopback) == set(ours) == KEYS
    assert (loopback["arm"], ours["arm"]) == ("loopback", "ours")
    assert loopback["classifications_per_s"] == 0 < ours["classifications_per_s"]
    assert 0 < loopback["latency_ms_p50"] <= loopback["latency_ms_p95"]
    assert loopback["server_cores_per_stream"] < ours["server_cores_per_stream"]
    assert ours["verdict_age_ms_p95"] > 0


def test_a_short_soak_leaves_no_stream_thread_or_file():
    command = [sys.executable, "-m", "tests.measure.soak", "--warm-up", "10", "--connections", "3"]
    command += ["--stay", "0.5", "--minutes", "0.05"]
    done = subprocess.run(command, cwd=ROOT, check=True, timeout=300, capture_output=True, text=True)
    readings = [line.split() for line in done.stdout.splitlines() if line.startswith("after ")]
    assert len(readings) == 3
    for words in readings:
        assert words[words.index("streams") - 1] == "0"
    for kind in ("threads", "files"):
        first, *later = (int(words[words.index(kind) - 1]) for words in readings)
        assert max(later) < first + 3  # one that each of the connections left behind
