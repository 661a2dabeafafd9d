"""Two WebRTC peers in one process, with the real processor and the real track between them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection

from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack, CameraSink


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
