"""Probabilities over time, with a clock that the test moves."""

import random

import pytest

from app.advice.verdict import Smoothing, State, VerdictTracker
from tests.helpers.fakes import prediction


def feed(tracker, seconds, make, start=0.0, rate=30.0):
    """Feed predictions for some seconds; return [(time, verdict), ...]."""
    return [(start + n / rate, tracker.update(make(n), start + n / rate)) for n in range(int(seconds * rate))]


def test_says_nothing_at_first():
    assert VerdictTracker().verdict.state is State.EMPTY


def test_one_frame_is_not_believed():
    assert VerdictTracker().update(prediction("glass", 0.99), 0.0).state is State.EMPTY


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_what_an_item_looks_like_for_a_moment_while_it_comes_is_not_said(rate):
    def smeared(n):
        return prediction("glass" if n / rate < 0.2 else "metal", 0.95)

    labels = [verdict.label for _, verdict in feed(VerdictTracker(), 2, smeared, rate=rate)]
    assert set(labels) == {None, "metal"}


@pytest.mark.parametrize("sure", [0.75, 0.95])
def test_an_item_that_comes_is_not_called_unsure_first(sure):
    states = {verdict.state for _, verdict in feed(VerdictTracker(), 2, lambda n: prediction("glass", sure))}
    assert states == {State.EMPTY, State.ITEM}


@pytest.mark.parametrize("rate", [5.0, 30.0])
def test_an_item_is_said_within_the_same_time_at_any_rate(rate):
    said = feed(VerdictTracker(), 2, lambda n: prediction("glass", 0.95), rate=rate)
    first = next(time for time, verdict in said if verdict.state is State.ITEM)
    assert 0.1 < first <= 0.5
    assert said[-1][1].label == "glass"
    assert said[-1][1].confidence == pytest.approx(0.95, abs=0.01)
    assert sum(said[-1][1].probabilities.values()) == pytest.approx(1)


def test_a_still_item_near_the_thresholds_never_flickers():
    noise = random.Random(0)

    def shaky(n):
        return prediction("glass", min(0.95, max(0.35, noise.gauss(0.6, 0.15))), known=noise.random() < 0.75)

    tracker = VerdictTracker()
    feed(tracker, 2, lambda n: prediction("glass", 0.9))
    said = feed(tracker, 60, shaky, start=2.0)
    assert {(verdict.state, verdict.label) for _, verdict in said} == {(State.ITEM, "glass")}


def test_follows_a_changed_item():
    tracker = VerdictTracker()
    feed(tracker, 3, lambda n: prediction("glass", 0.95))
    said = feed(tracker, 2, lambda n: prediction("metal", 0.95), start=3.0)
    assert next(time for time, verdict in said if verdict.label == "metal") - 3.0 <= 0.6


def test_a_label_just_said_is_held():
    tracker = VerdictTracker(Smoothing(hold=1.0))
    said = feed(tracker, 1, lambda n: prediction("glass", 0.95))
    entered = next(time for time, verdict in said if verdict.state is State.ITEM)
    said = feed(tracker, 1, lambda n: prediction("metal", 0.95), start=entered + 0.05)
    left = next(time for time, verdict in said if verdict.label != "glass")
    assert left >= entered + 1.0


def test_forgets_everything_when_the_view_is_empty():
    tracker = VerdictTracker()
    feed(tracker, 2, lambda n: prediction("glass", 0.95))
    said = feed(tracker, 2, lambda n: prediction("glass", 0.95, known=False), start=2.0)
    assert said[-1][1].state is State.EMPTY
    assert said[-1][1].label is None
    assert said[-1][1].probabilities == {}
    said = feed(tracker, 1, lambda n: prediction("metal", 0.9), start=4.0)
    assert {verdict.label for _, verdict in said} == {None, "metal"}


def test_unsure_then_gives_up():
    tracker = VerdictTracker(Smoothing(give_up=3.0))
    said = feed(tracker, 5, lambda n: prediction("glass", 0.45))
    assert State.ITEM not in {verdict.state for _, verdict in said}
    unsure = next(time for time, verdict in said if verdict.state is State.UNSURE)
    gave_up = next(time for time, verdict in said if verdict.gave_up)
    assert gave_up - unsure == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("state", [State.CAMERA_OFF, State.UNAVAILABLE])
def test_black_frames_and_a_failing_classifier_say_so_and_forget(state):
    tracker = VerdictTracker()
    feed(tracker, 1, lambda n: prediction("glass", 0.95))
    assert tracker.verdict.state is State.ITEM
    silence = tracker.camera_off if state is State.CAMERA_OFF else tracker.unavailable
    assert silence(1.0).state is state
    assert tracker.verdict.probabilities == {}
    feed(tracker, 0.1, lambda n: prediction("glass", 0.95), start=1.0)
    assert tracker.verdict.state is State.EMPTY


def test_threshold_moves_both_ways_of_the_hysteresis():
    smoothing = Smoothing(enter=0.6, leave=0.45).with_threshold(0.9)
    assert (smoothing.enter, smoothing.leave) == (0.9, pytest.approx(0.75))
    said = feed(VerdictTracker(smoothing), 3, lambda n: prediction("glass", 0.85))
    assert said[-1][1].state is State.UNSURE
