"""Ended streams leave nothing to the garbage collector's moods."""

import gc
import time
import weakref

import pytest

from app.stream import memory
from tests.test_processor import Stream


class Knot:
    """Something that only the garbage collector can free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def no_collector():
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def test_what_is_unreachable_is_freed_and_what_was_settled_is_kept():
    kept = Knot()
    memory.settle()
    gone = weakref.ref(Knot())
    memory.give_back()
    assert gone() is None
    assert kept.me is kept


def test_the_end_of_a_stream_frees_it_soon(monkeypatch):
    monkeypatch.setattr(memory, "DELAY", 0.05)
    stream = Stream()
    stream.show()
    gone = weakref.ref(Knot())
    stream.processor.close()
    end = time.monotonic() + 5
    while gone() is not None:
        assert time.monotonic() < end, "closing a stream freed nothing"
        time.sleep(0.01)
    stream.engine.stop()
