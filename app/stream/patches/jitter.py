"""A jitter buffer that lets the video go on at once after the network has been gone for some seconds.

A jitter buffer puts packets that arrive out of order into order again. That of aiortc (1.16) holds 512 packets, and at
a gap it waits until it is full. After an outage of 5 s, whose packets no browser sends again, that took another 6 s
(measured), in which no picture got through.
"""

import time

from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

# After so long without a packet the missing ones are not waited for: browsers repeat only younger ones.
GONE_AFTER_S = 1.0


class PromptJitterBuffer(JitterBuffer):
    """A jitter buffer that starts afresh after a silence, and then has the sender asked for a key frame."""

    _heard = 0.0  # when the last packet came, in seconds

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet.

        Returns:
            Whether to ask the sender for a key frame; and the frame that this packet completes, or None.
        """
        now = time.monotonic()
        silent, self._heard = now - self._heard > GONE_AFTER_S, now
        anew = silent and self._origin is not None
        if anew:
            self.remove(self.capacity)
            self._origin = None
        ask, frame = super().add(packet)
        return ask or (anew and self._is_video), frame


def install() -> None:
    """Have every connection that is made from now on use it. May be repeated."""
    rtcrtpreceiver.JitterBuffer = PromptJitterBuffer  # type: ignore[attr-defined]
