"""Whether a kiosk's page is alive: the server knows, and what restarts the browser asks it."""

import math
import time


class Heartbeat:
    """The last sign of life. Any thread may give one."""

    def __init__(self) -> None:
        self._last = -math.inf

    def beat(self) -> None:
        """A page has given a sign of life."""
        self._last = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last sign of life; infinite if there was none."""
        return time.monotonic() - self._last
