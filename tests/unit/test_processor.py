"""One stream's way from frame to annotated frame, with the real engine and a classifier that the test steers."""

import logging

import av
import numpy as np
import pytest

from app.advice.caption import whole_percent
from app.advice.verdict import State
from app.stream.frames import planes
from app.stream.presence import Presence
from tests.helpers.fakes import frame, prediction
from tests.helpers.stream import Stream


@pytest.fixture
def stream():
    stream = Stream()
    yield stream
    stream.classifier.gate.set()
    stream.engine.stop()


@pytest.fixture
def fixed_stream():
    """Of a camera that does not move, whose page draws the answers itself."""
    stream = Stream(presence=Presence(), draws=False)
    yield stream
    stream.engine.stop()


def black() -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24").reformat(format="yuv420p")


def test_an_item_comes_and_goes(stream):
    for _ in range(30):
        stream.show()
    assert (stream.processor.verdict.state, stream.processor.verdict.label) == (State.ITEM, "glass")
    stream.classifier.answer = lambda rgb: prediction(known=False)
    for _ in range(60):
        stream.show()
    assert stream.processor.verdict.state is State.EMPTY


def test_every_frame_goes_back_annotated_with_its_own_time(stream):
    source = frame()
    source.pts = 4321
    plain = source.to_ndarray(format="rgb24").astype(int)
    out = stream.processor.recv(source)
    assert out.pts == 4321
    assert (abs(out.to_ndarray(format="rgb24") - plain).max(axis=2) > 40).mean() > 0.1


def test_the_callback_does_not_wait_for_the_model(stream):
    stream.classifier.gate.clear()
    for _ in range(20):
        stream.processor.recv(frame())
    assert stream.processor.figures().frames == 20
    stream.classifier.gate.set()


def test_the_classifier_sees_the_square_without_the_overlay(stream):
    stream.show(color=(200, 30, 30))
    seen = stream.classifier.seen[0]
    assert seen.shape == (224, 224, 3)
    assert abs(seen.reshape(-1, 3).mean(0) - (200, 30, 30)).max() < 6


def test_black_frames_are_camera_off_and_not_classified(stream):
    for _ in range(30):
        stream.show()
    seen = len(stream.classifier.seen)
    stream.clock.now += 0.1
    stream.processor.recv(black())
    assert stream.processor.verdict.state is State.CAMERA_OFF
    assert len(stream.classifier.seen) == seen
    stream.show()
    assert stream.processor.verdict.state is State.EMPTY


def test_a_failing_classifier_is_shown_and_recovers(stream):
    def fail(rgb):
        raise RuntimeError("out of order")

    stream.classifier.answer, works = fail, stream.classifier.answer
    stream.show()
    stream.classifier.answer = works
    assert stream.processor.verdict.state is State.UNAVAILABLE
    for _ in range(30):
        stream.show()
    assert stream.processor.verdict.state is State.ITEM


def test_a_frame_that_cannot_be_annotated_goes_back_as_it_came_and_is_logged_sparsely(stream, caplog, monkeypatch):
    def fail(*args):
        raise RuntimeError("cannot draw")

    monkeypatch.setattr(stream.processor._overlay, "draw", fail)
    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            source = frame()
            assert stream.processor.recv(source).pts == source.pts
    assert stream.processor.figures().errors == 100
    assert 1 <= len(caplog.records) <= 7


def test_closing_frees_the_slot_and_may_be_repeated_and_undone(stream):
    stream.show()
    assert stream.engine.streams == 1
    stream.processor.close()
    stream.processor.close()
    assert stream.engine.streams == 0
    assert stream.processor.verdict.state is State.EMPTY
    stream.show()
    assert stream.engine.streams == 1


def test_the_percentage_changes_calmly(stream):
    confidence = iter(np.linspace(0.7, 0.95, 90))
    stream.classifier.answer = lambda rgb: prediction("glass", float(next(confidence)) if rgb.shape[0] > 2 else 0.9)
    shown = set()
    for _ in range(60):
        stream.show()
        since, verdict = stream.processor._shown
        if verdict.label:  # the page beside the video says the same figure
            assert stream.processor.shown is verdict
        shown.add((since, whole_percent(verdict.confidence) if verdict.label else None))
    changes = len({since for since, percent in shown if percent is not None})
    assert 3 <= changes <= 2 / 0.25 + 2


def test_mirrored_video_has_readable_words(stream):
    plain = stream.processor.recv(frame(seed=1))
    stream.processor.mirrored = True
    mirrored = stream.processor.recv(frame(seed=1))
    y, m = planes(plain)[0].astype(int), planes(mirrored)[0].astype(int)
    assert abs(y[100:300, 200:400] - m[100:300, 240:440][:, ::-1]).max() <= 1  # the picture is flipped
    assert abs(y[372:468, 140:500] - m[372:468, 140:500]).mean() < 6  # the panel is not


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (480, 640), (176, 144), (641, 481)])
def test_other_sizes_and_changes_of_size_mid_stream(stream, width, height):
    stream.show()
    out = stream.show(width=width, height=height)
    assert (out.width, out.height) == (width, height)
    assert stream.processor.figures().errors == 0


@pytest.mark.parametrize("size", [(2, 2), (1, 300), (640, 16), (23, 40)])
def test_frames_without_room_for_words_go_back_as_they_came_and_the_log_says_so_once(stream, caplog, size):
    for _ in range(30):
        stream.show()
    assert stream.processor.verdict.state is State.ITEM
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            source = frame(*size)
            before = source.to_ndarray(format="rgb24")
            assert (stream.processor.recv(source).to_ndarray(format="rgb24") == before).all()
    assert stream.processor.figures().errors == 0
    (record,) = caplog.records
    assert f"{size[0]} x {size[1]}" in record.message
    assert stream.processor.verdict.state is State.EMPTY  # of what was seen before there is nothing in sight
    stream.show()
    assert stream.processor.figures().errors == 0


@pytest.mark.parametrize("size", [(24, 24), (24, 1000), (1000, 25), (37, 31)])
def test_the_smallest_frames_are_annotated(stream, size):
    stream.show(width=size[0], height=size[1])
    assert stream.processor.figures().errors == 0


@pytest.mark.parametrize(("size", "returned"), [((3840, 2160), (1280, 720)), ((1080, 1920), (720, 1280))])
def test_an_oversized_stream_comes_back_smaller(stream, size, returned):
    source = frame(*size)
    source.pts = 77
    out = stream.processor.recv(source)
    assert (out.width, out.height, out.pts) == (*returned, 77)
    assert stream.processor.figures().errors == 0


def test_before_a_fixed_camera_an_empty_view_is_never_an_item(fixed_stream):
    """The stub knows everything it is shown."""
    for _ in range(150):
        fixed_stream.show()
        assert fixed_stream.processor.verdict.state is State.EMPTY
        assert not fixed_stream.processor.in_view


def test_before_a_fixed_camera_something_that_comes_is_an_item_until_it_goes(fixed_stream):
    processor = fixed_stream.processor
    for _ in range(60):
        fixed_stream.show()
    for _ in range(30):
        fixed_stream.show(color=(60, 120, 180))
    assert processor.in_view
    assert (processor.verdict.state, processor.verdict.label) == (State.ITEM, "glass")
    for _ in range(60):
        fixed_stream.show()
    assert not processor.in_view
    assert processor.verdict.state is State.EMPTY


def test_before_a_fixed_camera_something_unknown_is_in_view_without_being_an_item(fixed_stream):
    fixed_stream.classifier.answer = lambda rgb: prediction(known=False)
    for _ in range(60):
        fixed_stream.show()
    for _ in range(10):
        half = frame()
        planes(half)[0][:, :320] = 40  # a dark thing before the left half
        fixed_stream.clock.now += 1 / 30
        fixed_stream.processor.recv(half)
    assert fixed_stream.processor.in_view
    assert fixed_stream.processor.verdict.state is State.EMPTY


def test_nothing_is_drawn_where_the_page_draws(fixed_stream):
    given = frame()
    expected = [plane.copy() for plane in planes(given)]
    shown = fixed_stream.processor.recv(given)
    for plane, before in zip(planes(shown), expected, strict=True):
        assert (plane == before).all()


def test_silence_is_the_time_since_the_last_frame(stream):
    assert stream.processor.silence == float("inf")
    stream.show()
    stream.clock.now += 4.0
    assert stream.processor.silence == pytest.approx(4.0)
