"""Who may stream, and who is next."""

import pytest

from app.stream.places import PATIENCE_S, Places
from tests.helpers.fakes import Clock


def test_first_come_first_served_and_the_next_gets_in_by_itself():
    places = Places(2, Clock())
    assert [places.ask(who) for who in "abcd"] == [0, 0, 1, 2]
    assert [places.ask(who) for who in "dcba"] == [2, 1, 0, 0]
    places.leave("a")
    places.leave("a")
    assert [places.ask(who) for who in "bcd"] == [0, 0, 1]
    assert places.ask("a") == 2


def test_whoever_goes_silent_has_gone():
    clock = Clock()
    places = Places(1, clock)
    places.ask("a")
    for _ in range(int(PATIENCE_S)):
        assert places.ask("b") == 1
        clock.now += 1
        places.ask("a")
    clock.now += PATIENCE_S
    assert places.ask("b") == 1
    clock.now += 1
    assert places.ask("b") == 0
    assert places.ask("a") == 1


def test_a_limit_below_one_is_a_mistake():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        Places(0)
