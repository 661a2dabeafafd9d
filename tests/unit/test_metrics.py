"""Rates and latencies."""

import threading

import pytest

from app.stream.metrics import WINDOW_EVENTS, WINDOW_S, Metrics


def test_rates_and_medians():
    metrics = Metrics()
    for n in range(60):
        metrics.frame(n / 30)
    for n, inference in enumerate((0.005, 0.006, 0.100)):
        metrics.result(finished_at=1 + n / 10, inference_s=inference, taken_at=0.98 + n / 10)
    figures = metrics.figures(now=2.0, dropped=7)
    assert figures.video_fps == pytest.approx(30)
    assert figures.classifications_per_s == pytest.approx(10)
    assert figures.inference_ms == pytest.approx(6)
    assert figures.verdict_age_ms == pytest.approx(20)
    assert (figures.frames, figures.dropped, figures.errors) == (60, 7, 0)


def test_nothing_yet_and_nothing_any_more():
    metrics = Metrics()
    assert metrics.figures(0.0, 0).video_fps == 0
    assert metrics.figures(0.0, 0).inference_ms is None
    for n in range(10):
        metrics.frame(n / 30)
    assert metrics.figures(1.0 + WINDOW_S, 0).video_fps == 0
    assert metrics.figures(1.0 + WINDOW_S, 0).frames == 10


def test_memory_is_bounded_and_threads_count_together():
    metrics = Metrics()
    threads = [threading.Thread(target=lambda: [metrics.frame(n / 1000) for n in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.figures(1.0, 0).frames == 4000
    assert len(metrics._frames) == WINDOW_EVENTS
    assert metrics.error() == 1
    assert metrics.figures(1.0, 0).errors == 1
