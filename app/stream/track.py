"""The track that goes back to the browser: each camera frame, annotated, as soon as it is ready.

The asynchronous track of streamlit-webrtc returns the frame before the newest, and after a hiccup the one before that:
33 to 67 ms that anyone sees who moves an item before a camera. This track hands each frame to a thread of its stream
and returns that very frame. The event loop, which all streams share, never waits for it.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from app.stream.patches import consent, gathering, jitter
from app.stream.processor import StreamProcessor

consent.install()
gathering.install()
jitter.install()


class AnnotatedTrack(MediaStreamTrack):
    """One connection's way back to the browser; the next connection needs a new one.

    It is what `webrtc_streamer(source_video_track=...)` takes. The event loop owns its state; `stop` alone may be
    called from any thread.

    Attributes:
        processor: Annotates the frames.
        camera: The track that the frames come from. It has to be set before the first `recv`.
    """

    kind = "video"

    def __init__(self, processor: StreamProcessor) -> None:
        """Make a track.

        Args:
            processor: Annotates the frames. It is closed when the track ends, and may serve another track after that.
        """
        super().__init__()
        self.processor = processor
        self.camera: MediaStreamTrack | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="annotate")
        self._loop: asyncio.AbstractEventLoop | None = None  # that `recv` runs on
        self._pump: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._newest: av.VideoFrame | None = None  # a mailbox for one frame; the newest wins

    async def recv(self) -> av.VideoFrame:
        """Wait for a camera frame that has not been returned yet; return the newest, annotated.

        Raises:
            MediaStreamError: The camera's track or this one has ended, or `camera` is not set.
        """
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
        except (MediaStreamError, RuntimeError):  # The camera has ended, or `stop` has shut the thread down.
            self.stop()
            raise MediaStreamError from None

    async def _take_newest(self, camera: MediaStreamTrack) -> None:
        """Take every frame from aiortc as it comes, and keep only the newest.

        aiortc's own queue is unbounded: on a machine that decodes faster than it can encode, the frames in it would
        make the video minutes late and fill the memory (measured: 7 MB a second).
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
        """End the track and free what it holds. May be called from any thread, and repeated."""
        if self.readyState == "live":
            super().stop()
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._let_go)
            # On the thread, so that it comes after the frame in hand, which would open the slot again.
            self._thread.submit(self.processor.close)
            self._thread.shutdown(wait=False)

    def _let_go(self) -> None:
        """Take no more frames, and let whoever waits for one get none. Runs on the event loop."""
        if self._pump is not None:
            self._pump.cancel()
        self._newest = None
        self._arrived.set()


class CameraSink:
    """Gives a connection's camera track to its AnnotatedTrack.

    It is what `webrtc_streamer(sink_video_track=...)` takes. The names of its methods are those of streamlit-webrtc's
    `MediaSink` protocol.
    """

    def __init__(self, track: AnnotatedTrack) -> None:
        self._track = track

    def addTrack(self, track: MediaStreamTrack) -> None:
        """Take the connection's camera track."""
        self._track.camera = track

    def hasTrack(self) -> bool:
        """Whether the camera's track has come."""
        return self._track.camera is not None

    def start(self) -> None:
        """Do nothing: the way back to the browser pulls the frames through the AnnotatedTrack."""

    def stop(self) -> None:
        """End the way back, as the connection has ended."""
        self._track.stop()
