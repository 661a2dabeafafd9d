"""A browser that is gone without a word (killed, out of battery) is given up within ten seconds.

Its consent to receive (RFC 7675) is asked for again and again; aioice gives up after six failures five seconds apart,
half a minute in which the connection keeps its sockets, threads and memory. A network that is gone for five seconds
still costs nobody the connection.
"""

from aioice import ice

INTERVAL = 1.0  # seconds between questions, drawn from 0.8 to 1.2 times it
FAILURES = 5  # in a row; an unanswered question takes half a second more


def install() -> None:
    """For every connection made from now on. May be repeated."""
    ice.CONSENT_INTERVAL, ice.CONSENT_FAILURES = INTERVAL, FAILURES  # type: ignore[assignment]
