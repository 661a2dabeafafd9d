"""How sure an answer is, in a few words that change seldom: a figure that flickers helps nobody at a bin."""

from enum import Enum


class Sureness(Enum):
    """A range of confidence. The value is the key of its words in the language files."""

    VERY = "sure_very"
    QUITE = "sure_quite"
    FAIRLY = "sure_fairly"
    PROBABLY = "sure_probably"


FLOORS = {Sureness.VERY: 0.90, Sureness.QUITE: 0.75, Sureness.FAIRLY: 0.60, Sureness.PROBABLY: 0.0}  # confidences
MARGIN = 0.05  # of confidence beyond a border between two ranges, before the words change (hysteresis)
SHORTEST_S = 1.0  # that the words stay at least


def range_of(confidence: float) -> Sureness:
    """The range that a confidence from 0 to 1 lies in."""
    return next(sureness for sureness, floor in FLOORS.items() if confidence >= floor)


class SurenessTracker:
    """The words for the confidence in one answer as it changes. Not thread-safe."""

    def __init__(self) -> None:
        self._label: str | None = None
        self._shown = Sureness.PROBABLY
        self._since = 0.0

    def update(self, label: str | None, confidence: float, now: float) -> Sureness:
        """Take a confidence into account.

        Args:
            label: What the answer is. Another one begins anew, with the range of its confidence.
            confidence: From 0 to 1.
            now: In seconds of the caller's clock, never going back.

        Returns:
            The range to show.
        """
        if label != self._label:
            self._label, self._shown, self._since = label, range_of(confidence), now
            return self._shown
        wanted = range_of(confidence)
        rises = FLOORS[wanted] > FLOORS[self._shown]
        # Past the border by the margin: a rising confidence is lowered by it, a falling one is raised.
        wanted = range_of(max(0.0, confidence - MARGIN if rises else confidence + MARGIN))
        changes = FLOORS[wanted] > FLOORS[self._shown] if rises else FLOORS[wanted] < FLOORS[self._shown]
        if changes and now - self._since >= SHORTEST_S:
            self._shown, self._since = wanted, now
        return self._shown
