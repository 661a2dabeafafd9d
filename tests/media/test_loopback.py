"""Two real WebRTC peers in one process, with the real processor and the real track between them."""

import asyncio
import contextlib
import threading
import time

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from app.advice.verdict import State
from app.stream.engine import Engine
from app.stream.overlay import panel_rectangle
from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack, CameraSink
from tests.helpers.fakes import BLACK, StubClassifier, describing
from tests.helpers.peers import GLASS, METAL, NOTHING, RATE, Camera, by_color, connected, loopback
from tests.helpers.waiting import wait_until


def wait_until_freed(engine: Engine) -> None:
    """A track's end closes its slot behind the frame in hand."""
    wait_until(lambda: not engine.streams, why="a slot was not freed")


@pytest.fixture
def classifier():
    return StubClassifier(by_color)


def has_panel(returned: av.VideoFrame) -> bool:
    """Whether the dark panel lies along the lower edge."""
    x, y, width, _ = panel_rectangle(returned.width, returned.height)
    luma = returned.to_ndarray(format="gray")
    inside = luma[y + 4 : y + 10, x + width // 3 : x + width * 2 // 3]
    above = luma[y - 14 : y - 6, x + width // 3 : x + width * 2 // 3]
    return bool(inside.mean() < above.mean() - 20)


def test_items_are_followed_and_every_frame_is_annotated(engine):
    """The camera goes on to its next scene when the one before has been called what it is for a second's frames."""
    processor = StreamProcessor(engine, describing())
    scenes = [
        (GLASS, (State.ITEM, "glass")),
        (METAL, (State.ITEM, "metal")),
        (NOTHING, (State.EMPTY, None)),
        (BLACK, (State.CAMERA_OFF, None)),
    ]
    expected = [what for _, what in scenes]
    camera = Camera([(GLASS, 600)])
    said: list[tuple[State, str | None]] = [(State.EMPTY, None)]  # before the first frame that came back
    bare = []
    count = held = 0

    def seen(returned: av.VideoFrame) -> None:
        nonlocal count, held
        count += 1
        now = processor.verdict.state, processor.verdict.label
        if said[-1] != now:
            said.append(now)
        if count > RATE and now[0] is not State.CAMERA_OFF and not has_panel(returned):
            bare.append(count)
        held = held + 1 if now == scenes[0][1] else 0
        if held == RATE:
            held = 0
            scenes.pop(0)
            camera.scenes = [(color, 600) for color, _ in scenes[:1]]

    asyncio.run(loopback(processor, camera, 60.0, seen, lambda: not scenes))
    without_unsure = [what for what in said if what[0] is not State.UNSURE]
    assert without_unsure == [(State.EMPTY, None), *expected]
    assert not bare
    assert processor.figures().errors == 0


def test_a_stuck_classifier_does_not_slow_the_video(engine, classifier):
    classifier.gate.clear()
    processor = StreamProcessor(engine, describing())
    times = []
    asyncio.run(loopback(processor, Camera([(GLASS, 60)]), 3.0, lambda returned: times.append(time.monotonic())))
    classifier.gate.set()
    assert len(classifier.seen) == 1
    assert len(times) > 3 * RATE / 2
    assert processor.figures().dropped > len(times) / 2


def test_hanging_up_frees_everything(engine):
    processor = StreamProcessor(engine, describing())
    asyncio.run(loopback(processor, Camera([(GLASS, 60)]), 0.5, lambda returned: None))
    wait_until_freed(engine)
    wait_until(
        lambda: not any(thread.name.startswith("annotate") for thread in threading.enumerate()),
        why="the stream's thread did not end",
    )


def test_a_client_that_is_killed_is_given_up_within_ten_seconds(engine):
    async def run() -> float:
        async with connected(StreamProcessor(engine, describing()), Camera([(GLASS, 60)])) as (
            client,
            server,
            track,
        ):
            await asyncio.wait_for(track.recv(), 10)
            ice = client.getSenders()[0].transport.transport._connection
            for protocol in ice._protocols:  # no good-bye: its sockets are gone, as the kernel leaves them
                protocol.transport.abort()
            killed = time.monotonic()
            while server.connectionState != "closed":
                assert time.monotonic() < killed + 20, "the connection stays"
                await asyncio.sleep(0.05)
            return time.monotonic() - killed

    assert 5 < asyncio.run(run()) < 10  # a network that is gone for five seconds costs nobody the connection
    wait_until_freed(engine)


def test_the_frame_that_comes_back_is_the_one_that_went_in(engine):
    """Without any network: a track that returned an older frame's pixels with the newest one's time would show here."""

    async def run() -> None:
        track = AnnotatedTrack(StreamProcessor(engine, describing()))
        camera = Camera([(GLASS, 0.5), (METAL, 60)])
        CameraSink(track).addTrack(camera)
        seen = []
        while not seen or seen[-1] < RATE:
            returned = await track.recv()
            seen.append(round(returned.pts * RATE / 90_000))
            middle = returned.to_ndarray(format="rgb24")[150:250, 250:390].reshape(-1, 3).mean(0)
            expected = GLASS if seen[-1] < RATE / 2 else METAL
            assert abs(middle - expected).max() < 12, seen
        assert seen == sorted(set(seen))
        assert len(seen) >= RATE / 4  # the newest wins; on a busy machine some are passed over

        track.stop()
        track.stop()
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(run())
    wait_until_freed(engine)


def test_the_event_loop_goes_on_while_a_frame_is_annotated(engine, monkeypatch):
    processor = StreamProcessor(engine, describing())
    release = threading.Event()
    monkeypatch.setattr(processor, "recv", lambda frame: (release.wait(5), frame)[1])

    async def run() -> None:
        track = AnnotatedTrack(processor)
        CameraSink(track).addTrack(Camera([(GLASS, 60)]))
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        release.set()  # reached only if the loop was free
        await asyncio.wait_for(waiting, 5)
        track.stop()

    asyncio.run(run())


def test_stopping_amid_a_frame_leaves_no_slot(engine, monkeypatch):
    processor = StreamProcessor(engine, describing())
    inside, release, annotate = threading.Event(), threading.Event(), processor.recv

    def slowly(frame: av.VideoFrame) -> av.VideoFrame:
        inside.set()
        release.wait(5)
        return annotate(frame)

    monkeypatch.setattr(processor, "recv", slowly)

    async def run() -> None:
        track = AnnotatedTrack(processor)
        CameraSink(track).addTrack(Camera([(GLASS, 60)]))
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.get_running_loop().run_in_executor(None, inside.wait, 5)
        track.stop()
        release.set()
        await waiting
        assert processor.figures().frames == 1

    asyncio.run(run())
    wait_until_freed(engine)


def test_the_camera_ending_ends_the_track_and_frees_the_slot(engine):
    async def run() -> None:
        track = AnnotatedTrack(StreamProcessor(engine, describing()))
        camera = Camera([(GLASS, 60)])
        CameraSink(track).addTrack(camera)
        await track.recv()
        assert engine.streams == 1

        async def ended() -> av.VideoFrame:
            raise MediaStreamError

        camera.recv = ended
        with contextlib.suppress(MediaStreamError):
            await track.recv()  # one was on its way
        with pytest.raises(MediaStreamError):
            await track.recv()
        assert track.readyState == "ended"

    asyncio.run(run())
    wait_until_freed(engine)


def test_frames_that_come_faster_than_they_can_be_sent_are_passed_over(engine, monkeypatch):
    """aiortc's own queue would keep them all: late video, and memory without bound."""
    processor = StreamProcessor(engine, describing())
    annotate = processor.recv

    def slowly(frame: av.VideoFrame) -> av.VideoFrame:
        time.sleep(0.2)
        return annotate(frame)

    monkeypatch.setattr(processor, "recv", slowly)

    async def run() -> None:
        track = AnnotatedTrack(processor)
        camera = Camera([(GLASS, 60)])
        given, give = [], camera.recv

        async def recv() -> av.VideoFrame:
            given.append(await give())
            return given[-1]

        camera.recv = recv
        CameraSink(track).addTrack(camera)
        for _ in range(10):
            before = len(given)
            returned = await track.recv()
            assert returned.pts >= given[max(0, before - 1)].pts  # never one that was old when it was asked for
        passed_over = len(given) - 10
        assert passed_over > 10
        assert processor.figures().dropped >= passed_over - 2
        track.stop()

    asyncio.run(run())
