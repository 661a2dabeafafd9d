"""Whether a kiosk's page is alive. The server keeps track, and whatever restarts the browser asks it."""

import math
import time


class Heartbeat:
    """The last sign of life of a kiosk's page. Any thread may give one, or ask."""

    def __init__(self) -> None:
        self._last = -math.inf

    def beat(self) -> None:
        """Note a sign of life, now."""
        self._last = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last sign of life; infinite if there was none."""
        return time.monotonic() - self._last
