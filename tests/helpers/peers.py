"""Two WebRTC peers in one process, with the real processor and the real track between them."""

import asyncio
import contextlib
import fractions
import time
from collections.abc import AsyncIterator, Callable

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection

from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack, CameraSink
from model import Prediction
from tests.helpers.fakes import BLACK, frame, prediction

RATE = 20  # frames a second; enough to see everything, cheap enough for two busy cores
GLASS, METAL, NOTHING = (40, 160, 60), (170, 60, 60), (150, 150, 170)


class Camera(MediaStreamTrack):
    """Shows one scene after another, each for some seconds, then black."""

    kind = "video"

    def __init__(self, scenes: list[tuple[tuple[int, int, int], float]]) -> None:
        super().__init__()
        self.scenes = scenes
        self.count = 0
        self.began: float | None = None

    async def recv(self) -> av.VideoFrame:
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0.0, self.began + self.count / RATE - time.monotonic()))
        left = self.count / RATE
        color = BLACK
        for scene, seconds in self.scenes:
            if left < seconds:
                color = scene
                break
            left -= seconds
        made = frame(color=color, seed=self.count % 7) if color != BLACK else av.VideoFrame(640, 480, "yuv420p")
        if color == BLACK:
            for plane, value in zip(made.planes, (16, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
        made.pts, made.time_base = self.count * 90_000 // RATE, fractions.Fraction(1, 90_000)
        self.count += 1
        return made


def by_color(rgb: np.ndarray) -> Prediction:
    """What a stub classifier takes the scenes for."""
    mean = rgb.reshape(-1, 3).mean(0)
    nearest = min((GLASS, METAL, NOTHING), key=lambda color: abs(mean - color).sum())
    return {GLASS: prediction("glass"), METAL: prediction("metal"), NOTHING: prediction(known=False)}[nearest]


@contextlib.asynccontextmanager
async def connected(
    processor: StreamProcessor, camera: MediaStreamTrack
) -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection, MediaStreamTrack]]:
    """A client, a server that annotates, and the track that comes back to the client."""
    client, server = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    tracks = []

    @server.on("track")
    def annotate(track: MediaStreamTrack) -> None:
        tracks.append(AnnotatedTrack(processor))
        CameraSink(tracks[0]).addTrack(track)
        server.addTrack(tracks[0])

    back: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    client.on("track", back.set_result)
    client.addTrack(camera)
    await client.setLocalDescription(await client.createOffer())
    await server.setRemoteDescription(client.localDescription)
    await server.setLocalDescription(await server.createAnswer())
    await client.setRemoteDescription(server.localDescription)
    try:
        yield client, server, await asyncio.wait_for(back, 10)
    finally:
        for track in tracks:
            track.stop()
        await asyncio.gather(client.close(), server.close())


async def loopback(
    processor: StreamProcessor,
    camera: MediaStreamTrack,
    seconds: float,
    seen: Callable[[av.VideoFrame], None],
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Connect, stream for some seconds or until `done()`, calling `seen(frame)` for each frame that comes back."""
    async with connected(processor, camera) as (_, _, track):
        began = None
        while began is None or (time.monotonic() < began + seconds and not done()):
            returned = await asyncio.wait_for(track.recv(), 10)
            began = began or time.monotonic()
            seen(returned)
