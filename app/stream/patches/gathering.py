"""A STUN or TURN server that does not answer holds the video up for about a second instead of five.

Before it answers a browser, the server gathers its own ICE candidates (RFC 8445, section 5.1.1), and aioice (0.13)
gives all STUN and TURN servers five seconds for that. With a TURN server that is switched off, the first picture came
after 6.5 s, and without one after 1.6 s (measured). What does not answer in the time below is left out: the connection
then has the server's own addresses, and whatever way the browser has found by itself.
"""

from aioice import ice

# TURN over TLS takes five round trips, over UDP two: enough for 250 ms a round trip, which spans an ocean.
PATIENCE_S = 1.25


def install() -> None:
    """Correct every connection that is made from now on. May be repeated."""
    ice.Connection.get_component_candidates.__defaults__ = (PATIENCE_S,)
