"""The engine: one worker thread classifies the newest frame of every stream, one stream after the other.

Every stream has a slot, a bounded mailbox that holds one frame, and the newest frame wins: a stream that offers frames
faster than the model takes them has the older one dropped and counted. Nothing queues, nothing blocks, and memory is
bounded by the number of streams.

The model is paced, so that it does not eat the time that the video needs. A single stream has every frame classified.
Several streams share `BUSY_SHARE` of the cores; but however many there are, each is classified every `LONGEST_PAUSE_S`
for as long as the model is fast enough for that.
"""

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model import Prediction

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]

# The share of the cores that the model may take while several visitors stream; decoding and encoding need the rest.
BUSY_SHARE = 0.2
LONGEST_PAUSE_S = 0.2  # between two classifications of a paced stream; five a second are enough to follow a hand
SILENT_AFTER_S = 1.0  # A stream without frames no longer counts; its connection may take longer to end.
HANGS_AFTER_S = 3.0  # for one classification; the slowest machine needs a tenth of it
MENDED_AFTER_S = 10.0  # After so long without a failure the classifier works again, and the next failure is news.
NEWEST_WEIGHT = 0.1  # of the latest classification in the exponential moving average of how long one takes


class SupportsClassify(Protocol):
    """The part of `model.Classifier` that the engine needs."""

    def classify(self, rgb: Pixels) -> Prediction: ...


@dataclass(frozen=True)
class Snapshot:
    """A frame that waits for the model.

    Attributes:
        to_rgb: Makes the frame's pixels: uint8, shape (height, width, 3), RGB. Called on the engine's thread, and only
            if the frame's turn comes.
        taken_at: When the frame arrived, in seconds of the engine's clock.
    """

    to_rgb: Callable[[], Pixels]
    taken_at: float


@dataclass(frozen=True)
class Outcome:
    """What became of a snapshot.

    Attributes:
        prediction: The model's answer, or None if the classifier failed.
        taken_at: When the frame arrived, in seconds of the engine's clock.
        finished_at: When the answer was ready, in seconds of the same clock.
        inference_s: How long the classifier took, in seconds, with the making of the pixels.
    """

    prediction: Prediction | None
    taken_at: float
    finished_at: float
    inference_s: float


def usable_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Slot:
    """One stream's mailbox at the engine, for one frame. Made by `Engine.open`; any thread may use it.

    Its mutable state belongs to the engine, and is only changed with the engine's lock held.

    Attributes:
        dropped: How many of this stream's frames gave way to a newer one before they were classified.
    """

    def __init__(self, engine: "Engine", deliver: Callable[[Outcome], None]) -> None:
        self._engine = engine
        self._deliver = deliver
        self._snapshot: Snapshot | None = None
        self._not_before = 0.0  # when the stream may next be classified, in seconds of the engine's clock
        self._last_put = -math.inf  # when its latest frame came, in seconds of the engine's clock
        self._closed = False
        self.dropped = 0

    def put(self, snapshot: Snapshot) -> None:
        """Leave the newest frame and return at once. An older one that still waits is dropped and counted."""
        self._engine._put(self, snapshot)

    def close(self) -> None:
        """Give the slot back. An outcome that is just being delivered still comes, and no other. May be repeated."""
        self._engine._close(self)


class Engine:
    """Classifies the newest frame of each open slot in turn, on one worker thread of its own.

    Any thread may call the methods. One lock guards what the threads share; the classifier and the averages that pace
    it are touched by the worker only.

    Attributes:
        dropped: How many frames, of all streams so far, gave way to a newer one before they were classified.
    """

    def __init__(
        self, classifier: SupportsClassify, clock: Callable[[], float] = time.monotonic, cores: int | None = None
    ) -> None:
        """Make an engine; `start` sets it going.

        Args:
            classifier: Called on the worker thread only, with uint8 arrays of shape (height, width, 3), RGB.
            clock: Seconds that never go back.
            cores: How many cores the process may use; by default found out from the system.
        """
        self._classifier = classifier
        self._clock = clock
        self._busy = BUSY_SHARE * (cores or usable_cores())  # seconds of classification a second, of all cores
        self._thread = threading.Thread(target=self._run, name="classifier", daemon=True)
        self._wake = threading.Condition()  # also the lock

        # Guarded by the lock:
        self._waiting: deque[Slot] = deque()  # slots with a frame, the one that has waited longest first
        self._open: set[Slot] = set()
        self._stopping = False
        self._begun: float | None = None  # when the classification in hand began, in seconds of the clock
        self._hangs = False  # whether the log already says that the classification in hand hangs
        self.dropped = 0

        # Touched by the worker only:
        self._failed_at: float | None = None  # when the classifier last failed, until it is said to work again
        self._usual_s = 0.0  # how long a classification takes, as an exponential moving average

    def start(self) -> None:
        """Start the worker. An engine is started once."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Let the classification in hand finish, drop what waits and end the worker. May be repeated.

        Args:
            timeout: How long to wait for the worker at most, in seconds.
        """
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def open(self, deliver: Callable[[Outcome], None]) -> Slot:
        """Open a slot for a new stream.

        Args:
            deliver: Gets each outcome, on the worker's thread. It must be quick, as all streams wait for it.

        Returns:
            The slot to put the stream's frames into, and to close when it ends.
        """
        slot = Slot(self, deliver)
        with self._wake:
            self._open.add(slot)
        return slot

    @property
    def streams(self) -> int:
        """The number of open slots."""
        with self._wake:
            return len(self._open)

    @property
    def hangs(self) -> bool:
        """Whether the classifier has not come back for HANGS_AFTER_S. The log says so once, and once when it has."""
        with self._wake:
            hangs = self._begun is not None and self._clock() - self._begun > HANGS_AFTER_S
            if hangs and not self._hangs:
                log.error("The classifier hangs; streams show that it is unavailable. If it does not return, restart.")
                self._hangs = True
            return hangs

    def _put(self, slot: Slot, snapshot: Snapshot) -> None:
        with self._wake:
            if slot._closed or self._stopping:
                return
            if slot._snapshot is None:
                self._waiting.append(slot)
                self._wake.notify()
            else:
                self.dropped += 1
                slot.dropped += 1  # The slot keeps its place in the line, now with the newer frame.
            slot._snapshot = snapshot
            slot._last_put = self._clock()

    def _close(self, slot: Slot) -> None:
        with self._wake:
            slot._closed = True
            slot._snapshot = None
            self._open.discard(slot)
            if slot in self._waiting:
                self._waiting.remove(slot)

    def _take(self) -> tuple[Slot, Snapshot] | None:
        """Wait for the next slot whose turn it is, and take its frame. None when the engine stops."""
        with self._wake:
            while not self._stopping:
                now = self._clock()
                due = next((slot for slot in self._waiting if slot._not_before <= now), None)
                if due is not None:
                    self._waiting.remove(due)
                    snapshot, due._snapshot = due._snapshot, None
                    assert snapshot is not None  # Only slots with a snapshot wait.
                    due._not_before = now + self._pause(now)
                    self._begun = now
                    return due, snapshot
                first = min((slot._not_before for slot in self._waiting), default=None)
                self._wake.wait(None if first is None else first - now)
            return None

    def _pause(self, now: float) -> float:
        """The least time from one classification of a stream to its next, in seconds. Called with the lock held."""
        active = sum(now - slot._last_put < SILENT_AFTER_S for slot in self._open)
        return min(LONGEST_PAUSE_S, active * self._usual_s / self._busy) if active > 1 else 0.0

    def _run(self) -> None:
        while (turn := self._take()) is not None:
            slot, snapshot = turn
            outcome = self._classify(snapshot)
            with self._wake:
                self._begun = None
                if self._hangs:
                    log.info("The classifier has returned")
                self._hangs = False
            if slot._closed:
                continue
            try:
                slot._deliver(outcome)
            except Exception:  # One stream's fault must not end the others.
                log.exception("A stream could not take its result")

    def _classify(self, snapshot: Snapshot) -> Outcome:
        prediction = None
        begun = self._clock()
        try:
            prediction = self._classifier.classify(snapshot.to_rgb())
            if self._failed_at is not None and begun - self._failed_at >= MENDED_AFTER_S:
                log.info("The classifier works again")
                self._failed_at = None
        except Exception:
            # Logged once and not thirty times a second, also where the pictures of one stream alone make it fail.
            if self._failed_at is None:
                log.exception("The classifier failed; streams show that it is unavailable until it works again")
            self._failed_at = begun
        finished = self._clock()
        self._usual_s += NEWEST_WEIGHT * (finished - begun - self._usual_s)
        return Outcome(prediction, snapshot.taken_at, finished, finished - begun)
