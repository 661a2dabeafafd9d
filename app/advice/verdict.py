"""From probabilities over time to what to say now. It says nothing rather than something wrong.

Probabilities are smoothed, not labels, by an exponential moving average whose time constant is in seconds. Both a label
and the presence of an item have hysteresis: a high threshold to be said, and a low one to be kept.
"""

import math
from dataclasses import dataclass, field, replace
from enum import Enum

from model import Prediction


class State(Enum):
    """What a stream shows, and what to say about it."""

    EMPTY = "empty"  # Nothing is held up.
    UNSURE = "unsure"  # Something is, but no label can be trusted.
    ITEM = "item"  # Something is, and its label can be trusted.
    CAMERA_OFF = "camera off"  # The frames are black.
    CAMERA_FROZEN = "camera frozen"  # No frames come, though the connection stands.
    UNAVAILABLE = "unavailable"  # The classifier fails or hangs.


@dataclass(frozen=True)
class Verdict:
    """What to say now.

    Attributes:
        state: What the stream shows.
        label: The label of an ITEM; None in every other state.
        confidence: The smoothed confidence in that label, 0 to 1; 0.0 in every other state.
        probabilities: Smoothed, by label, summing to 1; empty unless something is in view.
        since: When this state and label began, in seconds of the caller's clock.
        gave_up: Whether it has been UNSURE for so long that the careful answer (general waste) is due.
    """

    state: State
    label: str | None = None
    confidence: float = 0.0
    probabilities: dict[str, float] = field(default_factory=dict)
    since: float = 0.0
    gave_up: bool = False


@dataclass(frozen=True)
class Smoothing:
    """How evidence becomes a verdict. Times are in seconds, so that they mean the same at any classification rate.

    Attributes:
        time_constant: Of the exponential moving averages of the probabilities and of `Prediction.known`.
        enter: Smoothed confidence from which a label is said, 0 to 1. With `leave` it makes a hysteresis.
        leave: Smoothed confidence below which a label is no longer said, 0 to 1.
        hold: How long a label that has been said stays at least, while something is in view.
        appear: Share of recent frames with something known from which it counts as in view, 0 to 1. With `vanish` it
            makes a hysteresis.
        vanish: Share of recent frames with something known below which it counts as gone, 0 to 1.
        doubt: How long something is in view without a label until the verdict is UNSURE.
        give_up: How long the verdict is UNSURE until `Verdict.gave_up`.
    """

    time_constant: float = 0.25
    enter: float = 0.60
    leave: float = 0.45
    hold: float = 0.5
    appear: float = 0.6
    vanish: float = 0.3
    doubt: float = 0.3
    give_up: float = 5.0

    def with_threshold(self, enter: float) -> "Smoothing":
        """The same with another `enter`, 0 to 1, and with `leave` as far below it as before."""
        return replace(self, enter=enter, leave=max(0.0, enter - (self.enter - self.leave)))


class VerdictTracker:
    """Follows one stream's verdict. Not thread-safe: its owner calls it under one lock.

    Attributes:
        smoothing: How evidence becomes a verdict. May be replaced between two calls.
    """

    def __init__(self, smoothing: Smoothing | None = None) -> None:
        """Start with nothing in view.

        Args:
            smoothing: How evidence becomes a verdict.
        """
        self.smoothing = smoothing or Smoothing()
        self._verdict = Verdict(State.EMPTY)
        # The average probabilities of the frames with something known, and the share of those among recent frames.
        self._smoothed: dict[str, float] | None = None
        self._presence = 0.0
        self._last: float | None = None  # when the last prediction was made
        self._there_since: float | None = None  # when something came into view, until it has gone

    @property
    def verdict(self) -> Verdict:
        """The last verdict."""
        return self._verdict

    def update(self, prediction: Prediction, now: float) -> Verdict:
        """Take one prediction into account.

        Args:
            prediction: Of one frame.
            now: When it was made, in seconds that never go back.

        Returns:
            The verdict now.
        """
        # The first frame only starts the clock: to be believed takes time, and not just one frame.
        elapsed = 0.0 if self._last is None else now - self._last
        weight = 1.0 - math.exp(-elapsed / self.smoothing.time_constant)
        self._last = now
        self._presence += weight * (float(prediction.known) - self._presence)
        if prediction.known:
            # Unknown pictures are left out, as what they resemble most says nothing about the item. At first all labels
            # are equally likely: the first picture of an item that comes suddenly is smeared by the codec, and must not
            # count for more than the others.
            old = self._smoothed or dict.fromkeys(prediction.probabilities, 1 / len(prediction.probabilities))
            self._smoothed = {k: old[k] + weight * (p - old[k]) for k, p in prediction.probabilities.items()}
        in_view = self._verdict.state in (State.ITEM, State.UNSURE)
        if self._presence < (self.smoothing.vanish if in_view else self.smoothing.appear) or self._smoothed is None:
            if in_view:
                self._forget()
                self._last = now
            self._there_since = None
            return self._say(Verdict(State.EMPTY), now)
        verdict = self._weigh(self._smoothed, now)
        if self._there_since is None:
            self._there_since = now
        if not in_view and verdict.state is State.UNSURE and now - self._there_since < self.smoothing.doubt:
            verdict = Verdict(State.EMPTY)
        return self._say(verdict, now)

    def camera_off(self, now: float) -> Verdict:
        """Take into account that the frames are black at `now`, in seconds; return the verdict."""
        self._forget()
        return self._say(Verdict(State.CAMERA_OFF), now)

    def unavailable(self, now: float) -> Verdict:
        """Take into account that the classifier fails or hangs at `now`, in seconds; return the verdict."""
        self._forget()
        return self._say(Verdict(State.UNAVAILABLE), now)

    def _weigh(self, smoothed: dict[str, float], now: float) -> Verdict:
        """The verdict on something in view: an ITEM, or UNSURE."""
        best = max(smoothed, key=smoothed.__getitem__)
        said = self._verdict
        if said.state is State.ITEM and said.label is not None:
            challenged = best != said.label and smoothed[best] >= self.smoothing.enter
            trusted = smoothed[said.label] >= self.smoothing.leave and not challenged
            if trusted or now - said.since < self.smoothing.hold:
                return Verdict(State.ITEM, said.label, smoothed[said.label], smoothed)
        if smoothed[best] >= self.smoothing.enter:
            return Verdict(State.ITEM, best, smoothed[best], smoothed)
        gave_up = said.state is State.UNSURE and now - said.since >= self.smoothing.give_up
        return Verdict(State.UNSURE, probabilities=smoothed, gave_up=gave_up)

    def _say(self, verdict: Verdict, now: float) -> Verdict:
        """Make this the verdict; its `since` is now, unless the last one said the same."""
        same = (verdict.state, verdict.label) == (self._verdict.state, self._verdict.label)
        since = self._verdict.since if same else now
        self._verdict = replace(verdict, since=since)
        return self._verdict

    def _forget(self) -> None:
        self._smoothed = None
        self._presence = 0.0
        self._last = None
        self._there_since = None
