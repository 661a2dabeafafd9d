"""Who may see the operator page: somebody who knows the password, or whose e-mail address is an operator's."""

import hmac
import threading
import time
from collections.abc import Callable, Collection, Mapping

FIRST_WAIT_S = 1.0  # after a wrong password; twice as long after each further one
LONGEST_WAIT_S = 60.0  # at most one guess a minute, and no longer for the operator who mistyped


class TooSoonError(Exception):
    """The password was not looked at: somebody gave a wrong one just before. seconds: until the next is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not before {seconds:.0f} s")
        self.seconds = seconds


class PasswordGate:
    """Compares passwords for all sessions of the process, slower with every wrong one; from any thread.

    Nobody sleeps meanwhile: an attempt within the wait is turned away unseen, so that many sessions guess no faster
    than one, and no session keeps another from what it is doing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._next = 0.0

    def check(self, given: str, wanted: str) -> bool:
        """Whether it is the password; an empty one never is. Raises TooSoonError during the wait after a wrong one."""
        with self._lock:
            now = self._clock()
            if self._wrong and now < self._next:
                raise TooSoonError(self._next - now)
            if wanted and hmac.compare_digest(given.encode(), wanted.encode()):  # takes as long for a near miss
                self._wrong = 0
                return True
            self._next = now + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._wrong)
            self._wrong += 1
            return False


def is_operator(user: Mapping[str, object], operators: Collection[str]) -> bool:
    """Whether somebody who signed in with OpenID Connect is an operator.

    user: the claims (https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims). The provider has to say
    that it verified the address: some let their users enter any.
    """
    email = str(user.get("email") or "").casefold()
    verified = str(user.get("email_verified")).lower() == "true"  # a boolean; some send it as a text
    return user.get("is_logged_in") is True and verified and email in {address.casefold() for address in operators}
