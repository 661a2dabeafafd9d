"""How many may stream at once, and who is next. First come, first served; whoever goes silent has gone."""

import threading
import time
from collections.abc import Callable

PATIENCE = 8.0  # seconds without a sign of life after which a visitor has gone; pages give one four times a second


class Places:
    """A line of visitors of whom the first `limit` have a place. Thread-safe."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """limit: places, at least 1."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1; got {limit}")
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._line: dict[str, float] = {}  # who -> last sign of life in seconds, in the order of arrival

    def ask(self, who: str) -> int:
        """A sign of life. Returns 0 if `who` has a place, else their number in the line of those who wait, from 1."""
        with self._lock:
            now = self._clock()
            self._line[who] = now
            self._line = {name: seen for name, seen in self._line.items() if now - seen <= PATIENCE}
            return max(0, list(self._line).index(who) + 1 - self.limit)

    def leave(self, who: str) -> None:
        """Give the place, or the place in the line, back at once. May be repeated."""
        with self._lock:
            self._line.pop(who, None)
