"""How sure an answer is, in words, with a clock that the test moves."""

import pytest

from app.kiosk.sureness import MARGIN, SHORTEST_S, Sureness, SurenessTracker, range_of


@pytest.mark.parametrize(
    ("confidence", "sureness"),
    [
        (1.0, Sureness.VERY),
        (0.90, Sureness.VERY),
        (0.89, Sureness.QUITE),
        (0.75, Sureness.QUITE),
        (0.74, Sureness.FAIRLY),
        (0.60, Sureness.FAIRLY),
        (0.59, Sureness.PROBABLY),
        (0.0, Sureness.PROBABLY),
    ],
)
def test_the_ranges_are_those_of_the_manual(confidence, sureness):
    assert range_of(confidence) is sureness


def test_the_words_change_only_beyond_the_margin_in_both_directions():
    tracker = SurenessTracker()
    assert tracker.update("glass", 0.80, 0.0) is Sureness.QUITE
    assert tracker.update("glass", 0.90 + MARGIN - 0.01, 10.0) is Sureness.QUITE
    assert tracker.update("glass", 0.90 + MARGIN + 0.01, 20.0) is Sureness.VERY
    assert tracker.update("glass", 0.90 - MARGIN + 0.01, 30.0) is Sureness.VERY
    assert tracker.update("glass", 0.90 - MARGIN - 0.01, 40.0) is Sureness.QUITE


def test_a_jump_over_two_borders_ends_where_it_should():
    tracker = SurenessTracker()
    tracker.update("glass", 0.99, 0.0)
    assert tracker.update("glass", 0.62, 5.0) is Sureness.FAIRLY
    assert tracker.update("glass", 0.99, 10.0) is Sureness.VERY


def test_the_words_stay_for_a_second():
    tracker = SurenessTracker()
    tracker.update("glass", 0.99, 0.0)
    assert tracker.update("glass", 0.65, SHORTEST_S - 0.1) is Sureness.VERY
    assert tracker.update("glass", 0.65, SHORTEST_S) is Sureness.FAIRLY


def test_another_answer_begins_anew_at_once():
    tracker = SurenessTracker()
    tracker.update("glass", 0.99, 0.0)
    assert tracker.update("metal", 0.65, 0.1) is Sureness.FAIRLY
