"""A browser that vanishes without a word (killed, out of battery) is given up within ten seconds.

WebRTC keeps asking the peer whether it may still be sent to (consent freshness, RFC 7675). aioice (0.13) gives up
after six failures five seconds apart: for half a minute the connection of a browser that is gone keeps its sockets,
threads and memory. With the values below, a network that fails for five seconds still costs nobody the connection.
"""

from aioice import ice

INTERVAL_S = 1.0  # between two requests; aioice draws each from 0.8 to 1.2 times it
FAILURES = 5  # in a row, after which the peer is given up; an unanswered request takes half a second more


def install() -> None:
    """Correct every connection that is made from now on. May be repeated."""
    ice.CONSENT_INTERVAL, ice.CONSENT_FAILURES = INTERVAL_S, FAILURES  # type: ignore[assignment]
