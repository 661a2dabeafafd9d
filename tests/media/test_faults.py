"""What goes wrong in one stream, over two real WebRTC peers each, while another stream goes on."""

import asyncio
import logging
import time

import av
import pytest

from app.advice.verdict import State
from app.stream import engine as engine_module
from app.stream.processor import StreamProcessor
from tests.helpers.fakes import BLACK, StubClassifier, describing, frame, prediction
from tests.helpers.peers import GLASS, METAL, RATE, Camera, by_color, loopback


@pytest.fixture
def classifier():
    return StubClassifier(by_color)


class Seen:
    """What one stream said of items and faults, one after another, and how many frames came back, of which sizes."""

    def __init__(self, processor: StreamProcessor) -> None:
        self.processor = processor
        self.said: list[tuple[State, str | None]] = []
        self.times: list[float] = []
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, returned: av.VideoFrame) -> None:
        verdict = self.processor.verdict
        if verdict.state not in (State.UNSURE, State.EMPTY) and (
            not self.said or self.said[-1] != (verdict.state, verdict.label)
        ):
            self.said.append((verdict.state, verdict.label))
        self.times.append(time.monotonic())
        if not self.sizes or self.sizes[-1] != (returned.width, returned.height):
            self.sizes.append((returned.width, returned.height))

    def states(self) -> list[State]:
        return [state for state, _ in self.said]


def side_by_side(
    engine, faulty: Camera, states: list[State], during=None, alike: bool = False, sizes: int = 1
) -> tuple[Seen, Seen]:
    """Stream a faulty camera, and a good one that shows glass, at once, until the faulty one's states are these.

    during: a coroutine to run meanwhile. alike: both are at fault.
    """
    seen = [Seen(StreamProcessor(engine, describing())) for _ in range(2)]

    def done() -> bool:
        return (
            seen[0].states() == states
            and len(seen[0].sizes) >= sizes
            and seen[1].states() == (states if alike else [State.ITEM])
        )

    async def run() -> None:
        cameras = faulty, Camera([(GLASS, 600)])
        jobs = [loopback(s.processor, c, PATIENCE, s, done) for s, c in zip(seen, cameras, strict=True)]
        await asyncio.gather(*jobs, *([during()] if during else []))

    asyncio.run(run())
    assert seen[0].states() == states
    assert all(s.processor.figures().errors == 0 for s in seen)
    return seen[0], seen[1]


PATIENCE = 60.0  # seconds; a busy machine sends a quarter of the frames
METAL_ITEM = (State.ITEM, "metal")
GOOD = [(State.ITEM, "glass")]


def test_an_exception_in_the_classifier_is_that_streams_alone_and_logged_once(engine, classifier, caplog):
    broken = True

    def answer(rgb):
        guess = by_color(rgb)
        if broken and guess.label == "metal":
            raise RuntimeError("out of order")
        return guess

    classifier.answer = answer

    async def mend() -> None:
        nonlocal broken
        await asyncio.sleep(5)
        broken = False

    _, good = side_by_side(engine, Camera([(METAL, 600)]), [State.UNAVAILABLE, State.ITEM], mend)
    assert good.said == GOOD
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_a_classifier_that_hangs_is_unavailable_and_recovers_while_the_video_goes_on(
    engine, classifier, caplog, monkeypatch
):
    monkeypatch.setattr(engine_module, "HANGS_AFTER_S", 1.5)

    began = 0.0

    async def hang() -> None:
        nonlocal began
        await asyncio.sleep(3)
        classifier.gate.clear()
        began = time.monotonic()
        await asyncio.sleep(4)
        classifier.gate.set()

    both = side_by_side(engine, Camera([(METAL, 600)]), [State.ITEM, State.UNAVAILABLE, State.ITEM], hang, alike=True)
    for seen in both:
        assert seen.states() == [State.ITEM, State.UNAVAILABLE, State.ITEM]
        while_hanging = [t for t in seen.times if began < t < began + 4]
        assert len(while_hanging) > 5  # of 80; a busy machine sends no more than a fifth
    assert len([record for record in caplog.records if "hangs" in record.message]) == 1


class ChangingCamera(Camera):
    """Another size every two seconds, as a phone that is turned or a browser that adapts sends it."""

    SIZES = ((640, 480), (320, 240), (480, 640), (1280, 720))

    async def recv(self) -> av.VideoFrame:
        made = await super().recv()
        width, height = self.SIZES[min(self.count // (2 * RATE), len(self.SIZES) - 1)]
        sized = made.reformat(width, height)
        sized.pts, sized.time_base = made.pts, made.time_base
        return sized


def test_the_resolution_changes_mid_stream(engine):
    faulty, good = side_by_side(engine, ChangingCamera([(METAL, 600)]), [State.ITEM], sizes=4)
    assert faulty.sizes == list(ChangingCamera.SIZES)
    assert faulty.said == [(State.ITEM, "metal")]
    assert good.said == GOOD


class SwitchedCamera(Camera):
    """A camera that becomes another one after some seconds: other size, other picture, and a clock begun anew."""

    async def recv(self) -> av.VideoFrame:
        made = await super().recv()
        if self.count < 4 * RATE:
            return made
        other = frame(800, 600, color=METAL, seed=self.count % 7)
        other.pts, other.time_base = made.pts, made.time_base
        return other


def test_the_camera_is_switched_mid_stream(engine):
    faulty, good = side_by_side(engine, SwitchedCamera([(GLASS, 600)]), [State.ITEM, State.ITEM], sizes=2)
    assert faulty.sizes == [(640, 480), (800, 600)]
    assert faulty.said == [*GOOD, (State.ITEM, "metal")]
    assert good.said == GOOD


class FreezingCamera(Camera):
    """Sends nothing for eight seconds, as a camera whose driver or cable hangs."""

    async def recv(self) -> av.VideoFrame:
        if self.count == 4 * RATE:
            await asyncio.sleep(8)
        return await super().recv()


def test_a_frozen_camera_is_said(engine):
    said = []

    async def look() -> None:
        """As the page does, which no frame wakes."""
        while not said or said[-1] is not State.CAMERA_FROZEN:
            await asyncio.sleep(0.1)
            said.append(faulty.processor.verdict.state)

    faulty = Seen(StreamProcessor(engine, describing()))
    good = Seen(StreamProcessor(engine, describing()))

    def done() -> bool:
        return State.CAMERA_FROZEN in said and faulty.processor.silence < 1 and faulty.said[-1:] == [METAL_ITEM]

    async def run() -> None:
        await asyncio.gather(
            loopback(faulty.processor, FreezingCamera([(METAL, 600)]), PATIENCE, faulty, done),
            loopback(good.processor, Camera([(GLASS, 600)]), PATIENCE, good, done),
            asyncio.wait_for(look(), PATIENCE),
        )

    asyncio.run(run())
    assert done()
    assert good.said == GOOD
    assert faulty.processor.verdict.state is not State.CAMERA_FROZEN  # hung up is not frozen


def test_a_black_camera_is_said(engine):
    _, good = side_by_side(
        engine, Camera([(METAL, 3), (BLACK, 2), (METAL, 600)]), [State.ITEM, State.CAMERA_OFF, State.ITEM]
    )
    assert good.said == GOOD


def test_what_is_fed_is_what_the_stub_takes_it_for():
    """Else the tests above would pass for another reason."""
    assert by_color(frame(color=METAL).to_ndarray(format="rgb24")).label == prediction("metal").label
