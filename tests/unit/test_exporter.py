"""The Prometheus endpoint."""

import socket
import urllib.request

import pytest

from app.network.exporter import serve_metrics
from app.stream.engine import Engine
from app.stream.metrics import Metrics, Totals
from tests.helpers.fakes import StubClassifier
from tests.helpers.server import free_port


def test_sums_over_all_streams_also_those_that_have_ended():
    engine, totals, port = Engine(StubClassifier()), Totals(), free_port()
    engine.open(lambda outcome: None)
    for _ in range(2):
        metrics = Metrics(totals)
        metrics.frame(1.0)
        metrics.frame(1.1)
        metrics.result(finished_at=1.2, inference_s=0.01, taken_at=1.1)
        metrics.error()
    serve_metrics(engine, totals, port, "127.0.0.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    values = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if not line.startswith("#")}
    assert values["whichbin_streams"] == 1
    assert values["whichbin_frames_total"] == 4
    assert values["whichbin_frames_dropped_total"] == 0
    assert values["whichbin_frames_not_annotated_total"] == 2
    assert values["whichbin_inference_seconds_count"] == 2
    assert values["whichbin_inference_seconds_sum"] == pytest.approx(0.02)
    assert values["whichbin_verdict_age_seconds_sum"] == pytest.approx(0.2)


def test_a_taken_port_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            serve_metrics(Engine(StubClassifier()), Totals(), taken.getsockname()[1], "127.0.0.1")
