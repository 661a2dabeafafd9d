"""Who may see the operator page: whoever knows the password, or signs in with an operator's e-mail address."""

import hmac
import threading
import time
from collections.abc import Callable, Collection, Mapping

FIRST_WAIT_S = 1.0  # after the first wrong password; each further one doubles it
LONGEST_WAIT_S = 60.0  # allows one guess a minute at most, and an operator who mistyped waits no longer than that


class TooSoonError(Exception):
    """The password was not looked at, because somebody gave a wrong one just before.

    Attributes:
        seconds: How long it takes until one is looked at again.
    """

    def __init__(self, seconds: float) -> None:
        """The error of an attempt that came so many seconds too soon."""
        super().__init__(f"not before {seconds:.0f} s")
        self.seconds = seconds


class PasswordGate:
    """Compares passwords for all sessions of the process, with a wait that every wrong one doubles. Thread-safe.

    No thread sleeps during the wait. Instead, an attempt during it is turned away without being looked at. So many
    sessions together guess no faster than one, and no session holds up another.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a wait; `clock` gives seconds that never go back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._next = 0.0

    def check(self, given: str, wanted: str) -> bool:
        """Compare a password with the right one.

        Args:
            given: What somebody entered.
            wanted: The right password; if it is empty, none is right.

        Returns:
            Whether they are the same.

        Raises:
            TooSoonError: It was not looked at, because the wait after a wrong one has not passed.
        """
        with self._lock:
            now = self._clock()
            if self._wrong and now < self._next:
                raise TooSoonError(self._next - now)
            if wanted and hmac.compare_digest(given.encode(), wanted.encode()):  # its time tells nothing
                self._wrong = 0
                return True
            self._next = now + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._wrong)
            self._wrong += 1
            return False


def is_operator(user: Mapping[str, object], operators: Collection[str]) -> bool:
    """Whether somebody who signed in with OpenID Connect is an operator.

    The provider has to say that it has verified the e-mail address, because some let their users enter any address.

    Args:
        user: The claims (https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims), and Streamlit's
            `is_logged_in`.
        operators: The operators' e-mail addresses; upper and lower case are not told apart.

    Returns:
        True only for somebody who is signed in with a verified address of an operator.
    """
    email = str(user.get("email") or "").casefold()
    verified = str(user.get("email_verified")).lower() == "true"  # a boolean, but some providers send a string
    return user.get("is_logged_in") is True and verified and email in {address.casefold() for address in operators}
