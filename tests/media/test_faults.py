"""What goes wrong in one stream, over two real WebRTC peers each, while another stream goes on."""

import asyncio
import logging

import av
import pytest

from app.advice.verdict import State
from app.stream import engine as engine_module
from app.stream.processor import StreamProcessor
from tests.helpers.fakes import BLACK, StubClassifier, describing, frame, prediction
from tests.helpers.peers import GLASS, METAL, Camera, by_color, loopback


@pytest.fixture
def classifier():
    return StubClassifier(by_color)


class Seen:
    """What one stream said of items and faults, one after another, and how many frames came back, of which sizes."""

    def __init__(self, processor: StreamProcessor) -> None:
        self.processor = processor
        self.said: list[tuple[State, str | None]] = []
        self.frames = 0
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, returned: av.VideoFrame) -> None:
        verdict = self.processor.verdict
        if verdict.state not in (State.UNSURE, State.EMPTY) and (
            not self.said or self.said[-1] != (verdict.state, verdict.label)
        ):
            self.said.append((verdict.state, verdict.label))
        self.frames += 1
        if not self.sizes or self.sizes[-1] != (returned.width, returned.height):
            self.sizes.append((returned.width, returned.height))

    def states(self) -> list[State]:
        return [state for state, _ in self.said]


def side_by_side(
    engine, faulty: Camera, states: list[State], during=None, alike: bool = False, sizes: int = 1
) -> tuple[Seen, Seen]:
    """Stream a faulty camera, and a good one that shows glass, at once, until the faulty one's states are these.

    Args:
        engine: Runs both streams.
        faulty: The faulty one's camera.
        states: What the faulty stream is to say, item or fault, one after another.
        during: A coroutine function to run meanwhile; it is given what the two streams said.
        alike: Whether both are at fault.
        sizes: How many sizes of frames are to come back from the faulty one.

    Returns:
        What the faulty stream said, and what the good one.
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
        await asyncio.gather(*jobs, *([asyncio.wait_for(during(seen), PATIENCE)] if during else []))

    asyncio.run(run())
    assert seen[0].states() == states
    assert all(s.processor.figures().errors == 0 for s in seen)
    return seen[0], seen[1]


async def until(condition) -> None:
    """Wait for a condition; `side_by_side` sees to it that this has an end."""
    while not condition():
        await asyncio.sleep(0.02)


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

    async def mend(seen) -> None:
        nonlocal broken
        await until(lambda: seen[0].states() == [State.UNAVAILABLE] and seen[1].said == GOOD)
        broken = False

    _, good = side_by_side(engine, Camera([(METAL, 600)]), [State.UNAVAILABLE, State.ITEM], mend)
    assert good.said == GOOD
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_a_classifier_that_hangs_is_unavailable_and_recovers_while_the_video_goes_on(
    engine, classifier, caplog, monkeypatch
):
    monkeypatch.setattr(engine_module, "HANGS_AFTER_S", 1.5)

    async def hang(seen) -> None:
        await until(lambda: all(each.states() == [State.ITEM] for each in seen))
        classifier.gate.clear()
        await until(lambda: all(each.states()[-1] is State.UNAVAILABLE for each in seen))
        before = [each.frames for each in seen]
        await until(lambda: all(each.frames > count + 5 for each, count in zip(seen, before, strict=True)))
        classifier.gate.set()

    both = side_by_side(engine, Camera([(METAL, 600)]), [State.ITEM, State.UNAVAILABLE, State.ITEM], hang, alike=True)
    for seen in both:
        assert seen.states() == [State.ITEM, State.UNAVAILABLE, State.ITEM]
    assert len([record for record in caplog.records if "hangs" in record.message]) == 1


class ChangingCamera(Camera):
    """Sends another size when it is told to, as a phone that is turned or a browser that adapts does."""

    SIZES = ((640, 480), (320, 240), (480, 640), (1280, 720))
    size = SIZES[0]

    async def recv(self) -> av.VideoFrame:
        made = await super().recv()
        sized = made.reformat(*self.size)
        sized.pts, sized.time_base = made.pts, made.time_base
        return sized


def test_the_resolution_changes_mid_stream(engine):
    camera = ChangingCamera([(METAL, 600)])

    async def change(seen) -> None:
        await until(lambda: seen[0].said == [METAL_ITEM])
        for number, camera.size in enumerate(ChangingCamera.SIZES, 1):
            await until(lambda number=number: len(seen[0].sizes) == number)

    faulty, good = side_by_side(engine, camera, [State.ITEM], change, sizes=4)
    assert faulty.sizes == list(ChangingCamera.SIZES)
    assert faulty.said == [METAL_ITEM]
    assert good.said == GOOD


class SwitchedCamera(Camera):
    """A camera that becomes another one when it is told to: other size, other picture."""

    switched = False

    async def recv(self) -> av.VideoFrame:
        made = await super().recv()
        if not self.switched:
            return made
        other = frame(800, 600, color=METAL, seed=self.count % 7)
        other.pts, other.time_base = made.pts, made.time_base
        return other


def test_the_camera_is_switched_mid_stream(engine):
    camera = SwitchedCamera([(GLASS, 600)])

    async def switch(seen) -> None:
        await until(lambda: seen[0].said == GOOD)
        camera.switched = True

    faulty, good = side_by_side(engine, camera, [State.ITEM, State.ITEM], switch, sizes=2)
    assert faulty.sizes == [(640, 480), (800, 600)]
    assert faulty.said == [*GOOD, METAL_ITEM]
    assert good.said == GOOD


class FreezingCamera(Camera):
    """Sends nothing while it is told to, as a camera whose driver or cable hangs."""

    frozen = False

    async def recv(self) -> av.VideoFrame:
        await until(lambda: not self.frozen)
        return await super().recv()


def test_a_frozen_camera_is_said(engine):
    camera, was_said = FreezingCamera([(METAL, 600)]), False

    async def freeze() -> None:
        """Looks at the verdict as the page does, which no frame wakes."""
        nonlocal was_said
        await until(lambda: faulty.said == [METAL_ITEM] and good.said == GOOD)
        camera.frozen = True
        await until(lambda: faulty.processor.verdict.state is State.CAMERA_FROZEN)
        was_said, camera.frozen = True, False

    faulty = Seen(StreamProcessor(engine, describing()))
    good = Seen(StreamProcessor(engine, describing()))

    def done() -> bool:
        return was_said and faulty.processor.silence < 1 and faulty.said[-1:] == [METAL_ITEM]

    async def run() -> None:
        await asyncio.gather(
            loopback(faulty.processor, camera, PATIENCE, faulty, done),
            loopback(good.processor, Camera([(GLASS, 600)]), PATIENCE, good, done),
            asyncio.wait_for(freeze(), PATIENCE),
        )

    asyncio.run(run())
    assert done()
    assert good.said == GOOD
    assert faulty.processor.verdict.state is not State.CAMERA_FROZEN  # hung up is not frozen


def test_a_black_camera_is_said(engine):
    camera = Camera([(METAL, 600)])

    async def cover(seen) -> None:
        await until(lambda: seen[0].states() == [State.ITEM])
        camera.scenes = [(BLACK, 600)]
        await until(lambda: seen[0].states()[-1] is State.CAMERA_OFF)
        camera.scenes = [(METAL, 600)]

    _, good = side_by_side(engine, camera, [State.ITEM, State.CAMERA_OFF, State.ITEM], cover)
    assert good.said == GOOD


def test_what_is_fed_is_what_the_stub_takes_it_for():
    """Else the tests above would pass for another reason."""
    assert by_color(frame(color=METAL).to_ndarray(format="rgb24")).label == prediction("metal").label
