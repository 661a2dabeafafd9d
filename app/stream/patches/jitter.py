"""Video that goes on at once after a network that was gone for some seconds.

aiortc (1.16) puts packets in order in a buffer of 512 and waits at a hole until the buffer is full: after an outage of
5 s, whose packets no browser sends again, that took another 6 s (measured), in which no picture got through.
"""

import time

from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

GONE = 1.0  # seconds without a packet after which those missing are not waited for; browsers repeat younger ones only


class PromptJitterBuffer(JitterBuffer):
    """Begins anew after a silence, and asks for a whole picture."""

    _heard = 0.0

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Whether to ask the sender for a whole picture, and the frame that is complete now."""
        now = time.monotonic()
        silent, self._heard = now - self._heard > GONE, now
        anew = silent and self._origin is not None
        if anew:
            self.remove(self.capacity)
            self._origin = None
        ask, frame = super().add(packet)
        return ask or (anew and self._is_video), frame


def install() -> None:
    """Have every connection made from now on use it. May be repeated."""
    rtcrtpreceiver.JitterBuffer = PromptJitterBuffer  # type: ignore[attr-defined]
