"""The client's side: cameras whose frames carry numbers, and how long each number takes to come back."""

import asyncio
import fractions
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.measure.bench.stamp import PERIOD, read_stamp, write_stamp

WIDTH, HEIGHT, RATE = 640, 480, 30


def moving_scene(count: int = 30) -> list[av.VideoFrame]:
    """A loop of planar 4:2:0 frames: a textured object swinging before a wall, with a camera's noise."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    frames = []
    for number in range(count):
        swing = 60 * np.sin(2 * np.pi * number / count)
        wall = 170 - 0.05 * columns + 8 * np.sin(rows / 40)
        inside = ((columns - 320 - swing) / 110) ** 2 + ((rows - 250) / 170) ** 2 < 1
        texture = 110 + 60 * np.sin((columns - swing) / 9) * np.cos(rows / 13)
        grey = np.where(inside, texture, wall) + random.normal(0, 2, (HEIGHT, WIDTH))
        rgb = np.dstack([grey, grey * 0.95, grey * 0.85]).clip(0, 255).astype(np.uint8)
        frames.append(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"))
    return frames


class NumberedCamera(MediaStreamTrack):
    """30 frames a second, each with its number in the picture; remembers when each was handed over."""

    kind = "video"

    def __init__(self, scene: list[av.VideoFrame]) -> None:
        super().__init__()
        self.scene = scene
        self.sent: dict[int, float] = {}
        self.count = 0
        self.began = 0.0

    async def recv(self) -> av.VideoFrame:
        """The next frame, when it is due."""
        if not self.count:
            self.began = time.monotonic()
        await asyncio.sleep(max(0.0, self.began + self.count / RATE - time.monotonic()))
        frame = self.scene[self.count % len(self.scene)].reformat()
        frame.make_writable()
        write_stamp(frame, self.count)
        frame.pts, frame.time_base = self.count * 90_000 // RATE, fractions.Fraction(1, 90_000)
        self.sent[self.count % PERIOD] = time.monotonic()
        self.count += 1
        return frame


@dataclass
class Stream:
    """One stream's peer, camera, and what came back."""

    peer: RTCPeerConnection
    camera: NumberedCamera
    returned: list[float] = field(default_factory=list)  # when a frame came back, and
    latencies: list[float] = field(default_factory=list)  # how long after it was sent, both in seconds


class Server:
    """The server process and the line to it."""

    def __init__(self, arm: str, core: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.measure.bench.server", arm, str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.hear()

    def hear(self) -> dict[str, Any]:
        """The next answer. Raises RuntimeError if the process has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                heard: dict[str, Any] = json.loads(line)
                return heard
        raise RuntimeError(f"the benchmark's server ended with status {self.process.wait()}")

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Say one thing and hear the answer, while the streams go on."""
        assert self.process.stdin is not None
        print(json.dumps(message), file=self.process.stdin, flush=True)
        return await asyncio.get_running_loop().run_in_executor(None, self.hear)

    def stop(self) -> None:
        """End it."""
        self.process.communicate(timeout=30)


async def connect(server: Server, scene: list[av.VideoFrame]) -> Stream:
    """Open one stream and start reading what comes back."""
    stream = Stream(RTCPeerConnection(RTCConfiguration(iceServers=[])), NumberedCamera(scene))
    stream.peer.addTrack(stream.camera)
    tasks = []

    @stream.peer.on("track")
    def start(track: MediaStreamTrack) -> None:
        tasks.append(asyncio.ensure_future(read(track, stream)))

    await stream.peer.setLocalDescription(await stream.peer.createOffer())
    offer = {"sdp": stream.peer.localDescription.sdp, "type": stream.peer.localDescription.type}
    await stream.peer.setRemoteDescription(RTCSessionDescription(**await server.ask({"offer": offer})))
    return stream


async def read(track: MediaStreamTrack, stream: Stream) -> None:
    """Note each frame that comes back, until the track ends."""
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:  # the track has ended
            return
        assert isinstance(frame, av.VideoFrame)
        now = time.monotonic()
        sent = stream.camera.sent.get(read_stamp(frame))
        stream.returned.append(now)
        if sent is not None:
            stream.latencies.append(now - sent)
