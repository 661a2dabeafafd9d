"""One object per stream: a camera frame in, the annotated frame out. Never waits for the model."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
from numpy.typing import NDArray

from app.advice.caption import Caption
from app.advice.verdict import Smoothing, State, Verdict, VerdictTracker
from app.stream import memory
from app.stream.engine import Engine, Outcome, Slot, Snapshot
from app.stream.frames import central_square, is_black, mirror, square_to_rgb, writable_yuv
from app.stream.metrics import Figures, Metrics, Totals
from app.stream.overlay import Overlay
from app.stream.presence import Presence
from model import Prediction
from model.preprocessing import INPUT_SIZE

log = logging.getLogger(__name__)

CALM = 0.25  # seconds between changes of the percentage on screen; more often is unreadable, and redraws the panel
FROZEN = 3.0  # seconds without a frame. A still picture is no sign: coded, it changes as much as a noisy one (measured)


class StreamProcessor:
    """Annotates one stream. `recv` runs on the stream's thread, results come on the engine's, pages read on theirs."""

    def __init__(
        self,
        engine: Engine,
        describe: Callable[[Verdict], Caption],
        smoothing: Smoothing | None = None,
        input_size: int = INPUT_SIZE,
        clock: Callable[[], float] = time.monotonic,
        totals: Totals | None = None,
        presence: Presence | None = None,
        draws: bool = True,
    ) -> None:
        """Make the processor of one stream.

        Args:
            engine: Classifies for all streams.
            describe: Puts a verdict into words; may be replaced at any time, for another language.
            smoothing: How evidence becomes a verdict.
            input_size: Side of the network's input in pixels.
            clock: Seconds that never go back.
            totals: Where the figures of all streams are added up.
            presence: Of a fixed camera; what it takes for an empty view is then never an item.
            draws: Whether the verdict is drawn on the frames.
        """
        self.describe = describe
        self.mirrored = False
        self.shows_heat = False  # whether what spoke for the label is laid over the picture as a heat map
        self._draws = draws
        self._engine = engine
        self._input_size = input_size
        self._clock = clock
        self._metrics = Metrics(totals)
        self._overlay = Overlay()
        self._lock = threading.Lock()
        self._tracker = VerdictTracker(smoothing)  # guarded by the lock, like all up to `_activation`
        self._slot: Slot | None = None
        self._dropped_before = 0  # before the slot of now, or without coming so far as to a slot
        self._camera_off = False
        self._presence = presence
        self._knows = False  # whether the last picture classified was of something known
        self._activation: NDArray[np.float32] | None = None  # of the last picture classified, if something was known
        self._last_frame = -math.inf  # seconds of the clock
        self._shown: tuple[float, Caption] | None = None  # touched by recv only

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Take a camera frame; return the same moment annotated, pts and time base kept.

        An error is counted and logged, and the frame goes back as it came: an exception here would end the stream.
        """
        now = self._clock()
        self._metrics.frame(now)
        if now - self._last_frame > FROZEN:  # what was seen before is long gone
            with self._lock:
                self._tracker = VerdictTracker(self._tracker.smoothing)
        self._last_frame = now
        try:
            return self._annotate(frame, now)
        except Exception:
            errors = self._metrics.error()
            if errors.bit_count() == 1:  # the 1st, 2nd, 4th, 8th, ...: a stream that always fails must not fill the log
                log.exception("A frame could not be annotated (%d so far in this stream)", errors)
            return frame

    def skipped(self) -> None:
        """A camera frame was passed over, as a newer one had come before it could be annotated."""
        with self._lock:
            self._dropped_before += 1

    def close(self) -> None:
        """Give the engine's slot back. May be repeated; a frame that comes later opens a new one."""
        with self._lock:
            if self._slot is not None:
                self._slot.close()
                self._dropped_before += self._slot.dropped
                memory.give_back_soon()
            self._slot = None
            self._tracker = VerdictTracker(self._tracker.smoothing)

    @property
    def verdict(self) -> Verdict:
        """What the stream says now; that the camera is frozen, where its frames stay out."""
        with self._lock:
            if self._slot is not None and self.silence > FROZEN:
                return Verdict(State.CAMERA_FROZEN, since=self._last_frame)
            return self._tracker.verdict

    @property
    def in_view(self) -> bool:
        """Whether something is held up to the camera, known or not. Needs a `presence`; without one False."""
        with self._lock:
            return self._presence is not None and not self._camera_off and self._presence.in_view(self._seen())

    @property
    def silence(self) -> float:
        """Seconds since the last camera frame; infinite before the first."""
        return self._clock() - self._last_frame

    def figures(self) -> Figures:
        """The stream's rates and latencies now."""
        with self._lock:
            dropped = self._dropped_before + (self._slot.dropped if self._slot else 0)
        return self._metrics.figures(self._clock(), dropped)

    def set_threshold(self, enter: float) -> None:
        """Change from what smoothed confidence on a label is said, 0 to 1."""
        with self._lock:
            self._tracker.smoothing = self._tracker.smoothing.with_threshold(enter)

    def _annotate(self, frame: av.VideoFrame, now: float) -> av.VideoFrame:
        frame = writable_yuv(frame)
        if is_black(frame):
            with self._lock:
                self._camera_off = True
                verdict = self._tracker.camera_off(now)
        else:
            square = central_square(frame.width, frame.height)
            snapshot = Snapshot(square_to_rgb(frame, square, self._input_size), now)
            with self._lock:
                if self._slot is None:
                    self._slot = self._engine.open(self._deliver)
                if self._camera_off:
                    self._camera_off = False
                    self._tracker = VerdictTracker(self._tracker.smoothing)
                if self._presence is not None:
                    self._presence.look(frame, square, now, self._seen())
                self._slot.put(snapshot)
                if self._engine.hangs:  # what was said last must not stay on the screen
                    self._tracker.unavailable(now)
                verdict = self._tracker.verdict
        if self.mirrored:
            mirror(frame)
        if self._draws:
            shown = verdict.state in (State.ITEM, State.UNSURE)
            self._overlay.draw(frame, self._calm(self.describe(verdict), now), self._activation if shown else None)
        return frame

    def _seen(self) -> bool:
        """Whether the model has lately known what it saw. Called with the lock held."""
        return self._knows or self._tracker.verdict.state in (State.ITEM, State.UNSURE)

    def _calm(self, new: Caption, now: float) -> Caption:
        """The caption to show: the new one, but a mere change of percentage only every so often."""
        if self._shown is not None:
            since, old = self._shown
            if (
                replace(new, percent=old.percent) == old
                and now - since < CALM
                and None not in (old.percent, new.percent)
            ):
                return old
        self._shown = now, new
        return new

    def _deliver(self, outcome: Outcome) -> None:
        self._metrics.result(outcome.finished_at, outcome.inference_s, outcome.taken_at)
        with self._lock:
            if self._slot is None or self._camera_off:
                return  # a late result of a picture that is gone
            if outcome.prediction is None:
                self._tracker.unavailable(outcome.finished_at)
                return
            self._knows = outcome.prediction.known
            self._activation = self._heat_of(outcome.prediction)
            known = self._knows and (self._presence is None or self._presence.in_view(True))
            self._tracker.update(replace(outcome.prediction, known=known), outcome.finished_at)

    def _heat_of(self, prediction: Prediction) -> NDArray[np.float32] | None:
        """The activation to show, mirrored as the video is."""
        if not self.shows_heat or not prediction.known or prediction.activation is None:
            return None
        return prediction.activation[:, ::-1] if self.mirrored else prediction.activation
