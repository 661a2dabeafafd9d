"""Probabilities over time -> what to say now. Says nothing rather than something wrong."""

import math
from dataclasses import dataclass, field, replace
from enum import Enum

from model import Prediction


class State(Enum):
    """What a stream shows, and what to say about it."""

    EMPTY = "empty"  # nothing is held up
    UNSURE = "unsure"  # something is, but no label is trustworthy
    ITEM = "item"
    CAMERA_OFF = "camera off"  # black frames
    CAMERA_FROZEN = "camera frozen"  # no frames, though the connection stands
    UNAVAILABLE = "unavailable"  # the classifier fails


@dataclass(frozen=True)
class Verdict:
    """What to say now.

    state: see `State`.
    label, confidence: of an ITEM; None and 0.0 in every other state.
    probabilities: smoothed, by label, summing to 1; empty unless something is in view.
    since: when this state and label began, in seconds of the caller's clock.
    gave_up: UNSURE for so long that the careful answer (general waste) is due.
    """

    state: State
    label: str | None = None
    confidence: float = 0.0
    probabilities: dict[str, float] = field(default_factory=dict)
    since: float = 0.0
    gave_up: bool = False


@dataclass(frozen=True)
class Smoothing:
    """How evidence becomes a verdict. Times in seconds, so that they mean the same at any classification rate.

    time_constant: of the exponential average over probabilities and over `known`.
    enter, leave: smoothed confidence at which a label is first said, and below which it is no longer said.
    hold: a label that has been said stays at least this long while something is in view.
    appear, vanish: share of recent frames with something known in view, at which it counts as there and as gone.
    doubt: how long something is there without a label until that is said. give_up: how long to be unsure before
    `gave_up`.
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
        """The same with another `enter`, 0 to 1, and `leave` as far below it as before."""
        return replace(self, enter=enter, leave=max(0.0, enter - (self.enter - self.leave)))


class VerdictTracker:
    """One stream's verdict. Not thread-safe: its owner calls it under one lock."""

    def __init__(self, smoothing: Smoothing | None = None) -> None:
        self.smoothing = smoothing or Smoothing()
        self._verdict = Verdict(State.EMPTY)
        self._smoothed: dict[str, float] | None = None  # probabilities, over the frames with something known in view
        self._presence = 0.0  # share of recent frames with something known in view
        self._last: float | None = None
        self._there_since: float | None = None  # while that is not yet said

    @property
    def verdict(self) -> Verdict:
        """The last verdict."""
        return self._verdict

    def update(self, prediction: Prediction, now: float) -> Verdict:
        """Take one prediction made at `now` (seconds, never going back) into account."""
        # the first frame only starts the clock: it takes time, not one frame, to be believed
        elapsed = 0.0 if self._last is None else now - self._last
        weight = 1.0 - math.exp(-elapsed / self.smoothing.time_constant)
        self._last = now
        self._presence += weight * (float(prediction.known) - self._presence)
        if prediction.known:
            # What an unknown picture is most like says nothing about the item. At first all labels are alike: the first
            # picture of an item that comes all at once is smeared by the codec and must not count for more than others
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
        """The frames are black."""
        self._forget()
        return self._say(Verdict(State.CAMERA_OFF), now)

    def unavailable(self, now: float) -> Verdict:
        """The classifier failed, or hangs."""
        self._forget()
        return self._say(Verdict(State.UNAVAILABLE), now)

    def _weigh(self, smoothed: dict[str, float], now: float) -> Verdict:
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
        same = (verdict.state, verdict.label) == (self._verdict.state, self._verdict.label)
        since = self._verdict.since if same else now
        self._verdict = replace(verdict, since=since)
        return self._verdict

    def _forget(self) -> None:
        self._smoothed = None
        self._presence = 0.0
        self._last = None
        self._there_since = None
