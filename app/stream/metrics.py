"""Rates and latencies of one stream, cheap enough to leave on."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from statistics import median

WINDOW_S = 3.0  # how far the rates and medians look back
WINDOW_EVENTS = 512  # most events kept for that: enough for 120 frames a second, and a bound on memory


@dataclass(frozen=True)
class Figures:
    """The figures of one stream at one moment.

    Rates and medians are of the last WINDOW_S; counts are since the stream began.

    Attributes:
        video_fps: Frames a second that arrived.
        classifications_per_s: Frames a second that were classified.
        inference_ms: Median time that the model took, in milliseconds; None if nothing was classified.
        verdict_age_ms: Median time from a frame's arrival until its verdict was ready, in milliseconds; None if nothing
            was classified.
        frames: How many frames arrived.
        dropped: How many of them were not classified, because a newer one had come.
        errors: How many could not be annotated.
    """

    video_fps: float
    classifications_per_s: float
    inference_ms: float | None
    verdict_age_ms: float | None
    frames: int
    dropped: int
    errors: int


@dataclass(frozen=True)
class Sums:
    """Sums over all streams since the process began.

    Attributes:
        frames: How many frames arrived.
        errors: How many frames could not be annotated.
        results: How many frames were classified.
        inference_s: Time that the model took for them, in seconds.
        age_s: Time from their arrival until their verdicts were ready, in seconds.
    """

    frames: int = 0
    errors: int = 0
    results: int = 0
    inference_s: float = 0.0
    age_s: float = 0.0


class Totals:
    """The sums over all streams of a process, those that have ended too. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = Sums()

    def read(self) -> Sums:
        """The sums now."""
        return self._sums

    def add(self, frames: int = 0, errors: int = 0, results: int = 0, inference_s: float = 0, age_s: float = 0) -> None:
        """Add to the sums; the parameters are the attributes of `Sums`."""
        with self._lock:
            old = self._sums
            self._sums = replace(
                old,
                frames=old.frames + frames,
                errors=old.errors + errors,
                results=old.results + results,
                inference_s=old.inference_s + inference_s,
                age_s=old.age_s + age_s,
            )


class Metrics:
    """Counts what happens to one stream, and adds it to the process's totals. Thread-safe.

    All times are in seconds of one clock, which never goes back.
    """

    def __init__(self, totals: Totals | None = None) -> None:
        """Start counting at zero.

        Args:
            totals: Where the sums over all streams are kept; by default nobody else sees them.
        """
        self._totals = totals or Totals()
        self._lock = threading.Lock()  # guards all the rest
        self._frames: deque[float] = deque(maxlen=WINDOW_EVENTS)  # when they arrived
        self._results: deque[tuple[float, float, float]] = deque(maxlen=WINDOW_EVENTS)  # finished at, inference, age
        self._frame_count = 0
        self._errors = 0

    def frame(self, now: float) -> None:
        """Count a frame that arrived."""
        with self._lock:
            self._frames.append(now)
            self._frame_count += 1
        self._totals.add(frames=1)

    def result(self, finished_at: float, inference_s: float, taken_at: float) -> None:
        """Count a frame that was classified.

        Args:
            finished_at: When its verdict was ready.
            inference_s: How long the model took.
            taken_at: When the frame arrived.
        """
        age = finished_at - taken_at
        with self._lock:
            self._results.append((finished_at, inference_s, age))
        self._totals.add(results=1, inference_s=inference_s, age_s=age)

    def error(self) -> int:
        """Count a frame that could not be annotated; return how many there have been in this stream."""
        self._totals.add(errors=1)
        with self._lock:
            self._errors += 1
            return self._errors

    def figures(self, now: float, dropped: int) -> Figures:
        """The figures at one moment.

        Args:
            now: The moment.
            dropped: How many frames were passed over, which the stream's slot and track count.
        """
        with self._lock:
            frames = [t for t in self._frames if t > now - WINDOW_S]
            results = [r for r in self._results if r[0] > now - WINDOW_S]
            return Figures(
                video_fps=_rate(frames),
                classifications_per_s=_rate([finished for finished, _, _ in results]),
                inference_ms=1000 * median(r[1] for r in results) if results else None,
                verdict_age_ms=1000 * median(r[2] for r in results) if results else None,
                frames=self._frame_count,
                dropped=dropped,
                errors=self._errors,
            )


def _rate(times: list[float]) -> float:
    """Events a second, from the gaps between events, so that a stream that has just begun does not seem slow."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
