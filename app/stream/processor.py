"""One object for each stream: a camera frame in, the annotated frame out. It never waits for the model."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import av
import numpy as np
from numpy.typing import NDArray

from app.advice.caption import Caption
from app.advice.verdict import Smoothing, State, Verdict, VerdictTracker
from app.stream import memory
from app.stream.engine import Engine, Outcome, Slot, Snapshot
from app.stream.frames import SMALLEST_SIDE_PX, central_square, is_black, mirror, square_to_rgb, writable_yuv
from app.stream.metrics import Figures, Metrics, Totals
from app.stream.overlay import Overlay
from app.stream.presence import Presence
from model import Prediction
from model.preprocessing import INPUT_SIZE

log = logging.getLogger(__name__)

# Between changes of the percentage on the screen. More often is unreadable, and each change redraws the panel.
CALM_S = 0.5
CALM_SHARE = 0.02  # Smaller changes of the confidence, 0 to 1, are not shown at all.
# Without a frame for so long, the camera is said to be frozen. Comparing its pictures would not tell: once encoded,
# those of a frozen camera change as much as those of a live and noisy one (measured).
FROZEN_AFTER_S = 3.0


@dataclass(frozen=True)
class Said:
    """What a stream last said of an item, for whoever says that it was wrong.

    Attributes:
        verdict: An ITEM, or UNSURE.
        picture: What was classified last for it, if the stream keeps that: uint8, shape (side, side, 3), RGB.
    """

    verdict: Verdict
    picture: NDArray[np.uint8] | None


class StreamProcessor:
    """Annotates one stream.

    Frames come on the stream's own thread, results on the engine's, and questions on any other; one lock guards what
    they share. Whoever holds it may take the engine's lock, never the other way round.

    Attributes:
        describe: Puts a verdict into words. May be replaced at any time, for another language.
        mirrored: Whether the frames go back mirrored. May be changed at any time.
        shows_heat: Whether a heat map of what spoke for the label (a class activation map) is laid over the frames. May
            be changed at any time.
        keeps_picture: Whether the last picture of an answer is kept in memory. May be changed at any time.
    """

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
            describe: Puts a verdict into words.
            smoothing: How evidence becomes a verdict.
            input_size: Side of the network's input in pixels.
            clock: Seconds that never go back; the same clock as the engine's.
            totals: Where the figures of all streams are added up.
            presence: The background of a fixed camera. A view that it takes for empty is then never called an item.
            draws: Whether the verdict is drawn on the frames.
        """
        self.describe = describe
        self.mirrored = False
        self.shows_heat = False
        self.keeps_picture = False
        self._draws = draws
        self._engine = engine
        self._input_size = input_size
        self._clock = clock
        self._metrics = Metrics(totals)
        self._lock = threading.Lock()

        # Guarded by the lock:
        self._tracker = VerdictTracker(smoothing)
        self._presence = presence
        self._slot: Slot | None = None
        self._dropped_before = 0  # frames that earlier slots dropped, or that were passed over before they got to one
        self._camera_off = False
        self._knows = False  # whether the model knew what was on the last picture that it classified

        # Each written by one thread and replaced as a whole, so that the others may read it without the lock:
        self._activation: NDArray[np.float32] | None = None  # by the engine: what to show as a heat map, if anything
        self._last_frame = -math.inf  # by `recv`: when the last frame came, in seconds of the clock
        self._shown: tuple[float, Verdict] | None = None  # by `recv`: the verdict on the video, and since when

        self._picture: NDArray[np.uint8] | None = None  # by the engine: what it has just classified
        self._said: Said | None = None  # by the engine: the last answer

        # Touched by `recv` only:
        self._overlay = Overlay()
        self._said_too_small = False  # whether the log has it that this stream's frames are too small

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Annotate a camera frame.

        If that fails, the error is counted and logged, and the frame goes back as it came: an exception would end the
        stream.

        Args:
            frame: A frame of any size and pixel format. It may be changed.

        Returns:
            The same moment annotated, with the frame's pts and time base.
        """
        now = self._clock()
        self._metrics.frame(now)
        if now - self._last_frame > FROZEN_AFTER_S:  # What was seen before is long gone.
            with self._lock:
                self._tracker = VerdictTracker(self._tracker.smoothing)
        self._last_frame = now
        try:
            return self._annotate(frame, now)
        except Exception:
            errors = self._metrics.error()
            # Only the 1st, 2nd, 4th, 8th, ... are logged: a stream that always fails must not fill the log.
            if errors.bit_count() == 1:
                log.exception("A frame could not be annotated (%d so far in this stream)", errors)
            return frame

    def skipped(self) -> None:
        """Count a camera frame that was passed over, because a newer one came before it could be annotated."""
        with self._lock:
            self._dropped_before += 1

    def close(self) -> None:
        """Give the engine's slot back. May be repeated; a frame that comes later opens a new slot."""
        with self._lock:
            if self._slot is not None:
                self._slot.close()
                self._dropped_before += self._slot.dropped
                memory.give_back_soon()
            self._slot = None
            self._tracker = VerdictTracker(self._tracker.smoothing)

    @property
    def verdict(self) -> Verdict:
        """What the stream says now; this includes that the camera is frozen, which no frame can tell."""
        with self._lock:
            if self._slot is not None and self.silence > FROZEN_AFTER_S:
                return Verdict(State.CAMERA_FROZEN, since=self._last_frame)
            return self._tracker.verdict

    @property
    def shown(self) -> Verdict:
        """The verdict as it was last drawn on the video, whose figures change calmly.

        A page beside the video shows this one, so that both say the same figure. Where there is no video, or it has not
        come to a new verdict yet, this is `verdict`.
        """
        verdict, drawn = self.verdict, self._shown
        return drawn[1] if drawn is not None and _says(drawn[1]) == _says(verdict) else verdict

    @property
    def said(self) -> Said | None:
        """What was last said of an item, even if it is gone; None if nothing was."""
        return self._said

    @property
    def in_view(self) -> bool:
        """Whether something is held up to the camera, known or not. Always False without a `presence`."""
        with self._lock:
            return self._presence is not None and not self._camera_off and self._presence.in_view(self._seen())

    @property
    def silence(self) -> float:
        """Seconds since the last camera frame; infinite before the first."""
        return self._clock() - self._last_frame

    def figures(self) -> Figures:
        """The stream's rates, latencies and counts now."""
        with self._lock:
            dropped = self._dropped_before + (self._slot.dropped if self._slot else 0)
        return self._metrics.figures(self._clock(), dropped)

    def set_threshold(self, enter: float) -> None:
        """Change the smoothed confidence from which a label is said, 0 to 1."""
        with self._lock:
            self._tracker.smoothing = self._tracker.smoothing.with_threshold(enter)

    def _annotate(self, frame: av.VideoFrame, now: float) -> av.VideoFrame:
        if min(frame.width, frame.height) < SMALLEST_SIDE_PX:
            return self._too_small(frame)
        frame = writable_yuv(frame)
        if is_black(frame):
            with self._lock:
                self._camera_off = True
                verdict = self._tracker.camera_off(now)
        else:
            square = central_square(frame.width, frame.height)
            snapshot = Snapshot(self._remembered(square_to_rgb(frame, square, self._input_size)), now)
            with self._lock:
                if self._slot is None:
                    self._slot = self._engine.open(self._deliver)
                if self._camera_off:
                    self._camera_off = False
                    self._tracker = VerdictTracker(self._tracker.smoothing)
                if self._presence is not None:
                    self._presence.look(frame, square, now, self._seen())
                self._slot.put(snapshot)
                if self._engine.hangs:  # What was said last must not stay on the screen.
                    self._tracker.unavailable(now)
                verdict = self._tracker.verdict
        if self.mirrored:
            mirror(frame)
        if self._draws:
            shown = verdict.state in (State.ITEM, State.UNSURE)
            self._overlay.draw(frame, self.describe(self._calm(verdict, now)), self._activation if shown else None)
        return frame

    def _too_small(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Pass a frame back that is too small to be annotated, or to show an item. The log says so once a stream."""
        if not self._said_too_small:
            self._said_too_small = True
            size = f"{frame.width} x {frame.height}"
            log.warning("Frames of %s pixels go back as they come: each side needs %d", size, SMALLEST_SIDE_PX)
        with self._lock:
            self._tracker = VerdictTracker(self._tracker.smoothing)
        return frame

    def _seen(self) -> bool:
        """Whether the model has lately known what it saw. Called with the lock held."""
        return self._knows or self._tracker.verdict.state in (State.ITEM, State.UNSURE)

    def _calm(self, new: Verdict, now: float) -> Verdict:
        """The verdict to show: the new one, unless only its figures differ, and have just changed or hardly differ."""
        if self._shown is not None:
            since, old = self._shown
            little = now - since < CALM_S or abs(new.confidence - old.confidence) < CALM_SHARE
            if little and new.state is State.ITEM and _says(new) == _says(old):
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
            verdict = self._tracker.update(replace(outcome.prediction, known=known), outcome.finished_at)
            if verdict.state in (State.ITEM, State.UNSURE):
                self._said = Said(verdict, self._picture)

    def _remembered(self, to_rgb: Callable[[], NDArray[np.uint8]]) -> Callable[[], NDArray[np.uint8]]:
        """The same maker of pixels, which leaves them in `_picture` if pictures are kept."""

        def make() -> NDArray[np.uint8]:
            rgb = to_rgb()
            self._picture = rgb if self.keeps_picture else None
            return rgb

        return make

    def _heat_of(self, prediction: Prediction) -> NDArray[np.float32] | None:
        """What to show of a prediction as a heat map, mirrored as the video is; None for nothing."""
        if not self.shows_heat or not prediction.known or prediction.activation is None:
            return None
        return prediction.activation[:, ::-1] if self.mirrored else prediction.activation


def _says(verdict: Verdict) -> tuple[object, ...]:
    """What a verdict says beside its figures."""
    return verdict.state, verdict.label, verdict.gave_up
