"""The buffer of received packets after a silence; and that aiortc's own, which waits, is not what connections use."""

import pytest
from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

import app.stream.track  # noqa: F401 (installs it)
from app.stream.patches import jitter
from app.stream.patches.jitter import GONE_AFTER_S, PromptJitterBuffer


@pytest.fixture
def clock(monkeypatch):
    """The time that the buffer sees, in seconds; add to clock[0]."""
    time = [100.0]
    monkeypatch.setattr(jitter.time, "monotonic", lambda: time[0])
    return time


def add(buffer: JitterBuffer, number: int) -> tuple[bool, bytes | None]:
    """A packet that is a whole frame."""
    packet = RtpPacket(sequence_number=number, timestamp=3000 * number)
    packet._data = bytes([number % 256])
    ask, frame = buffer.add(packet)
    return ask, None if frame is None else frame.data


def test_after_an_outage_frames_come_at_once_and_a_whole_picture_is_asked_for(clock):
    buffer, stock = PromptJitterBuffer(512, is_video=True), JitterBuffer(512, is_video=True)
    for number in range(10):
        assert add(buffer, number) == add(stock, number)
        clock[0] += 0.03
    clock[0] += 5
    assert add(buffer, 250) == (True, None)
    assert add(buffer, 251) == (False, bytes([250]))
    assert add(buffer, 252) == (False, bytes([251]))
    assert [add(stock, number)[1] for number in range(250, 500)] == [None] * 250  # what it is for


def test_a_packet_that_is_late_is_still_waited_for(clock):
    buffer = PromptJitterBuffer(512, is_video=True)
    add(buffer, 0)
    add(buffer, 1)
    clock[0] += 0.9 * GONE_AFTER_S
    assert add(buffer, 3) == (False, None)
    assert add(buffer, 4) == (False, None)
    clock[0] += 0.9 * GONE_AFTER_S
    assert add(buffer, 2)[1] == bytes([1])


def test_connections_use_it():
    assert rtcrtpreceiver.JitterBuffer is PromptJitterBuffer
