"""The track that goes back to the browser: each camera frame, annotated, as soon as it is ready.

streamlit-webrtc's own asynchronous track returns the frame before the newest, and after a hiccup the one before that:
33 to 67 ms that anyone sees who moves an item before a camera. This one hands each frame to a thread of the stream
and returns that very frame. The event loop, which all streams share, never waits for it.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from app.stream.patches import consent, jitter
from app.stream.processor import StreamProcessor

consent.install()
jitter.install()


class AnnotatedTrack(MediaStreamTrack):
    """One connection's way back; made anew for the next. For `webrtc_streamer(source_video_track=...)`.

    processor: annotates the frames; it is closed when the track ends, and may serve another track after that.
    """

    kind = "video"

    def __init__(self, processor: StreamProcessor) -> None:
        super().__init__()
        self.processor = processor
        self.camera: MediaStreamTrack | None = None  # where the frames come from; set before the first `recv`
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="annotate")
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that `recv` runs on
        self._pump: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._newest: av.VideoFrame | None = None

    async def recv(self) -> av.VideoFrame:
        """The newest camera frame, annotated. Raises MediaStreamError when the camera's track has ended."""
        if self.readyState != "live" or self.camera is None:
            raise MediaStreamError
        if self._pump is None:
            self._loop = asyncio.get_running_loop()
            self._pump = self._loop.create_task(self._take_newest(self.camera))
        await self._arrived.wait()
        self._arrived.clear()
        frame, self._newest = self._newest, None
        try:
            if frame is None:
                raise MediaStreamError
            return await asyncio.get_running_loop().run_in_executor(self._thread, self.processor.recv, frame)
        except (MediaStreamError, RuntimeError):  # the camera has ended, or `stop` has shut the thread down meanwhile
            self.stop()
            raise MediaStreamError from None

    async def _take_newest(self, camera: MediaStreamTrack) -> None:
        """Take every frame from aiortc as it comes, and keep the last.

        aiortc's own queue has no end: on a machine that decodes faster than it can encode, the frames in it would make
        the video minutes late and fill the memory (measured: 7 MB a second).
        """
        try:
            while True:
                frame = await camera.recv()
                assert isinstance(frame, av.VideoFrame)
                if self._newest is not None:
                    self.processor.skipped()
                self._newest = frame
                self._arrived.set()
        except MediaStreamError:
            self._newest = None
            self._arrived.set()

    def stop(self) -> None:
        """End the track and free what it holds. Any thread; may be repeated."""
        if self.readyState == "live":
            super().stop()
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._let_go)
            self._thread.submit(self.processor.close)  # behind the frame in hand, which would open its slot again
            self._thread.shutdown(wait=False)

    def _let_go(self) -> None:
        """On the event loop: no more frames are taken, and who waits for one gets none."""
        if self._pump is not None:
            self._pump.cancel()
        self._newest = None
        self._arrived.set()


class CameraSink:
    """Gives a connection's camera track to an AnnotatedTrack. For `webrtc_streamer(sink_video_track=...)`.

    streamlit-webrtc calls the methods of its `MediaSink` protocol; their names are its.
    """

    def __init__(self, track: AnnotatedTrack) -> None:
        self._track = track

    def addTrack(self, track: MediaStreamTrack) -> None:
        """The connection's camera is there."""
        self._track.camera = track

    def hasTrack(self) -> bool:
        """Whether there is a camera."""
        return self._track.camera is not None

    def start(self) -> None:
        """Nothing to do: the browser's side pulls the frames through the AnnotatedTrack."""

    def stop(self) -> None:
        """The connection has ended."""
        self._track.stop()
