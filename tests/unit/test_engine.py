"""The engine's invariants: newest frame wins, fair turns, nothing waits, everything is freed."""

import logging
import threading

import numpy as np
import pytest

from app.stream import engine as engine_module
from app.stream.engine import BUSY_SHARE, Engine, Snapshot
from tests.helpers.fakes import Clock, StubClassifier, prediction
from tests.helpers.waiting import wait_until


def pixels(value: int) -> np.ndarray:
    return np.full((2, 2, 3), value, np.uint8)


def snapshot(value: int) -> Snapshot:
    return Snapshot(lambda: pixels(value), float(value))


@pytest.fixture
def classifier():
    return StubClassifier()


def test_newest_frame_wins_and_the_dropped_are_counted(engine, classifier):
    got = []
    slot = engine.open(got.append)
    classifier.gate.clear()
    slot.put(snapshot(1))
    assert classifier.entered.acquire(timeout=5)  # the worker has frame 1 in hand
    for value in (2, 3, 4):
        slot.put(snapshot(value))
    classifier.gate.set()
    wait_until(lambda: len(got) == 2)
    assert [outcome.taken_at for outcome in got] == [1.0, 4.0]
    assert slot.dropped == 2


def test_put_never_waits_for_the_model(engine, classifier):
    slot = engine.open(lambda outcome: None)
    classifier.gate.clear()
    slot.put(snapshot(0))
    assert classifier.entered.acquire(timeout=5)
    done = threading.Event()

    def producer():
        for value in range(1000):
            slot.put(snapshot(value))
        done.set()

    threading.Thread(target=producer).start()
    assert done.wait(5), "putting frames blocked while the model was busy"
    assert slot.dropped == 999


def test_streams_take_turns_however_fast_one_is(engine, classifier):
    order = []
    greedy = engine.open(lambda outcome: order.append("greedy"))
    modest = [engine.open(lambda outcome, name=name: order.append(name)) for name in "abc"]
    classifier.gate.clear()
    greedy.put(snapshot(0))
    assert classifier.entered.acquire(timeout=5)
    for value in range(50):
        greedy.put(snapshot(value))
    for slot in modest:
        slot.put(snapshot(1))
    for value in range(50):
        greedy.put(snapshot(value))
    classifier.gate.set()
    wait_until(lambda: len(order) == 5)
    assert order == ["greedy", "greedy", "a", "b", "c"]


def test_pixels_are_made_only_for_frames_whose_turn_comes(engine, classifier):
    made = []

    def make(value):
        made.append(value)
        return pixels(value)

    slot = engine.open(lambda outcome: None)
    classifier.gate.clear()
    slot.put(snapshot(0))
    assert classifier.entered.acquire(timeout=5)
    for value in (1, 2, 3):
        slot.put(Snapshot(lambda value=value: make(value), 0.0))
    classifier.gate.set()
    wait_until(lambda: made)
    assert made == [3]


def test_a_closed_slot_gets_nothing_and_is_forgotten(engine, classifier):
    got = []
    slot = engine.open(got.append)
    other = engine.open(got.append)
    classifier.gate.clear()
    slot.put(snapshot(1))
    assert classifier.entered.acquire(timeout=5)
    slot.put(snapshot(2))
    slot.close()
    slot.close()
    slot.put(snapshot(3))
    other.put(snapshot(9))
    classifier.gate.set()
    wait_until(lambda: got)
    assert [outcome.taken_at for outcome in got] == [9.0]
    assert engine.streams == 1


def test_a_failing_classifier_is_said_once_and_recovers(engine, classifier, caplog, monkeypatch):
    broken = True

    def answer(rgb):
        if broken:
            raise RuntimeError("out of order")
        return prediction()

    classifier.answer = answer
    got = []
    slot = engine.open(got.append)
    with caplog.at_level(logging.INFO):
        for n in range(5):
            slot.put(snapshot(n))
            wait_until(lambda n=n: len(got) == n + 1)
        broken = False
        for n in (5, 6):  # a success amid failures is not news; MENDED_AFTER_S later it is
            slot.put(snapshot(n))
            wait_until(lambda n=n: len(got) == n + 1)
            monkeypatch.setattr(engine_module, "MENDED_AFTER_S", 0.0)
    assert [outcome.prediction is None for outcome in got] == [True] * 5 + [False] * 2
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert caplog.text.count("The classifier works again") == 1


def test_one_streams_fault_does_not_stop_the_others(engine):
    def fail(outcome):
        raise ValueError("this stream is broken")

    got = []
    engine.open(fail).put(snapshot(1))
    engine.open(got.append).put(snapshot(2))
    wait_until(lambda: got)


def test_stops_while_frames_wait_and_takes_no_more(classifier):
    engine = Engine(classifier)
    engine.start()
    got = []
    slot = engine.open(got.append)
    slot.put(snapshot(1))
    wait_until(lambda: got)
    engine.stop()
    engine.stop()
    slot.put(snapshot(2))
    assert not engine._thread.is_alive()
    assert len(got) == 1


def test_one_stream_has_every_frame_classified_and_several_share(classifier):
    """A model of 20 ms on a clock that only it moves: alone 50 frames a second, together BUSY_SHARE of two cores."""
    clock = Clock()

    def answer(rgb):
        clock.now += 0.02
        return prediction()

    classifier.answer = answer
    engine = Engine(classifier, clock, cores=2)
    alone = engine.open(lambda outcome: None)
    for _ in range(60):
        engine._put(alone, snapshot(0))
        slot, taken = engine._take()
        assert slot is alone  # at once, without the clock having to move
        engine._classify(taken)
    slots = [alone, *(engine.open(lambda outcome: None) for _ in range(3))]
    taken_at = {slot: [] for slot in slots}
    while clock.now < 110:
        for slot in slots:
            engine._put(slot, snapshot(0))
        if any(slot._not_before <= clock.now for slot in engine._waiting):
            slot, taken = engine._take()
            taken_at[slot].append(clock.now)
            engine._classify(taken)
        else:
            clock.now += 0.001
    counts = [len(times) for times in taken_at.values()]
    assert max(counts) - min(counts) <= 1
    busy = 0.02 * sum(counts) / (110 - 101.2)
    assert busy == pytest.approx(2 * BUSY_SHARE, rel=0.05)


def test_many_streams_are_still_looked_at_five_times_a_second_and_silent_ones_do_not_count():
    clock = Clock()
    engine = Engine(StubClassifier(), clock, cores=2)
    engine._usual_s = 0.010
    slots = [engine.open(lambda outcome: None) for _ in range(50)]
    for slot in slots:
        slot.put(snapshot(0))
    assert engine._pause(clock.now) == pytest.approx(0.2)
    clock.now += 2
    assert engine._pause(clock.now) == 0
    for slot in slots[:2]:
        slot.put(snapshot(0))
    assert engine._pause(clock.now) == pytest.approx(2 * 0.010 / (2 * BUSY_SHARE))
