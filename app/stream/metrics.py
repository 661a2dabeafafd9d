"""Rates and latencies of one stream, cheap enough to leave on."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from statistics import median

WINDOW = 3.0  # seconds that the rates and medians look back
LONGEST = 512  # events kept per window; enough for 120 frames a second, and a bound on memory


@dataclass(frozen=True)
class Figures:
    """A moment's figures of one stream.

    video_fps, classifications_per_s: over the last seconds.
    inference_ms: median time the model took, None before the first.
    verdict_age_ms: median time from a frame's arrival until its verdict was ready, None before the first.
    frames, dropped, errors: counts since the stream began; dropped frames are shown, but were not classified.
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
    """Counts and summed seconds over all streams since the process began."""

    frames: int = 0
    errors: int = 0
    results: int = 0
    inference_s: float = 0.0
    age_s: float = 0.0


class Totals:
    """The sums of all streams of a process, those that have ended too. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = Sums()

    def read(self) -> Sums:
        """The sums now."""
        return self._sums

    def add(self, frames: int = 0, errors: int = 0, results: int = 0, inference_s: float = 0, age_s: float = 0) -> None:
        """Add to the sums; times in seconds."""
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
    """Counts what happens to one stream, and adds it to the process's totals. Thread-safe. Times in seconds."""

    def __init__(self, totals: Totals | None = None) -> None:
        self._totals = totals or Totals()
        self._lock = threading.Lock()
        self._frames: deque[float] = deque(maxlen=LONGEST)
        self._results: deque[tuple[float, float, float]] = deque(maxlen=LONGEST)  # finished, inference, age
        self._frame_count = 0
        self._errors = 0

    def frame(self, now: float) -> None:
        """A frame arrived."""
        with self._lock:
            self._frames.append(now)
            self._frame_count += 1
        self._totals.add(frames=1)

    def result(self, finished_at: float, inference_s: float, taken_at: float) -> None:
        """A frame taken at `taken_at` has been classified."""
        age = finished_at - taken_at
        with self._lock:
            self._results.append((finished_at, inference_s, age))
        self._totals.add(results=1, inference_s=inference_s, age_s=age)

    def error(self) -> int:
        """A frame could not be annotated. Returns how many so far."""
        self._totals.add(errors=1)
        with self._lock:
            self._errors += 1
            return self._errors

    def figures(self, now: float, dropped: int) -> Figures:
        """The figures at `now`; `dropped` is what the stream's slot counted."""
        with self._lock:
            frames = [t for t in self._frames if t > now - WINDOW]
            results = [r for r in self._results if r[0] > now - WINDOW]
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
    """Events a second, from the gaps between events, so that a stream that has just begun is not counted as slow."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
