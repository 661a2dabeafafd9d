"""Admission control: how many may stream at once, and who is next.

First come, first served; and whoever shows no sign of life for a while has gone.
"""

import threading
import time
from collections.abc import Callable

PATIENCE_S = 8.0  # A visitor without a sign of life for so long has gone; pages give one four times a second.


class Places:
    """A line of visitors, of whom the first `limit` are admitted. Thread-safe.

    Attributes:
        limit: The number of places.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with an empty line.

        Args:
            limit: The number of places, at least 1.
            clock: Seconds that never go back.

        Raises:
            ValueError: `limit` is less than 1.
        """
        if limit < 1:
            raise ValueError(f"limit must be at least 1; got {limit}")
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        # Who -> when they last gave a sign of life, in seconds; in the order of arrival. Guarded by the lock.
        self._line: dict[str, float] = {}

    def ask(self, who: str) -> int:
        """Give a sign of life and ask for a place.

        Args:
            who: The visitor's name, the same each time. Whoever is not yet in the line joins its end.

        Returns:
            0 if the visitor has a place, else their number among those who wait, from 1.
        """
        with self._lock:
            now = self._clock()
            self._line[who] = now
            self._line = {name: seen for name, seen in self._line.items() if now - seen <= PATIENCE_S}
            return max(0, list(self._line).index(who) + 1 - self.limit)

    def leave(self, who: str) -> None:
        """Give the place back at once, or the place in the line. May be repeated."""
        with self._lock:
            self._line.pop(who, None)
