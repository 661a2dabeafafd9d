"""The process's figures for Prometheus, if they are asked for.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from app.stream.engine import Engine
from app.stream.metrics import Totals


class StreamsCollector(Collector):
    """Reads the sums over all streams each time it is scraped, so that nothing is counted a second time for it."""

    def __init__(self, engine: Engine, totals: Totals) -> None:
        """Collect from these two.

        Args:
            engine: Knows how many streams are open, and how many frames it did not classify.
            totals: The sums over all streams, those that have ended included.
        """
        self._engine = engine
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        """The current values of all metrics."""
        sums = self._totals.read()
        yield GaugeMetricFamily("whichbin_streams", "Streams open now.", self._engine.streams)
        for name, what, value in (
            ("frames", "Camera frames received.", sums.frames),
            ("frames_dropped", "Frames that were shown but not classified.", self._engine.dropped),
            ("frames_not_annotated", "Frames sent back as they came, after an error.", sums.errors),
        ):
            yield CounterMetricFamily(f"whichbin_{name}", what, value)
        for name, what, seconds in (
            ("inference_seconds", "Time the model took.", sums.inference_s),
            ("verdict_age_seconds", "From a frame's arrival until its verdict was ready.", sums.age_s),
        ):
            yield SummaryMetricFamily(f"whichbin_{name}", what, count_value=sums.results, sum_value=seconds)


def serve_metrics(engine: Engine, totals: Totals, port: int, address: str) -> None:
    """Answer Prometheus on a port of its own, from a daemon thread.

    Args:
        engine: See `StreamsCollector`.
        totals: See `StreamsCollector`.
        port: The TCP port to listen at.
        address: The address to listen at, such as "127.0.0.1".

    Raises:
        OSError: The port is taken, or the address is none of this machine's.
    """
    registry = CollectorRegistry()
    registry.register(StreamsCollector(engine, totals))
    start_http_server(port, address, registry)
