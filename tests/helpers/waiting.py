"""Waiting until something has happened, and never longer."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object], seconds: float = 5.0, why: str | Callable[[], str] = "", every: float = 0.005
) -> None:
    """Return as soon as a condition holds.

    Args:
        condition: Asked again and again.
        seconds: How long to go on asking. It may be generous, for busy machines: it is spent only where a test fails.
        why: What to say if the time is over, or a function that finds it out then.
        every: Seconds between two askings.

    Raises:
        AssertionError: The condition did not come to hold in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {why() if callable(why) else why}")
        time.sleep(every)
