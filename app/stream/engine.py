"""One worker thread owns the model; every stream has one slot for its newest frame; streams take turns.

A stream that offers frames faster than the model takes them has the older one dropped and counted: nothing queues,
nothing blocks, and memory is bounded by the number of streams.

The model is kept from eating the time that the video needs: one stream has every frame classified, several share
`BUSY` of the cores, and however many there are, each is looked at `1 / LONGEST_PAUSE` times a second while that is
possible at all.
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

BUSY = 0.2  # share of the cores that the model may take while several stream; decoding and encoding need the rest
LONGEST_PAUSE = 0.2  # seconds between two classifications of a stream that is paced; five a second follow a hand
SILENT = 1.0  # seconds without a frame after which a stream counts no longer; its connection may take longer to end
HANGS = 3.0  # seconds after which a classification is taken to hang; the slowest machine needs a tenth of it
MENDED = 10.0  # seconds without a failure after which the classifier is said to work again, and a failure is news
SMOOTHING = 0.1  # weight of the newest classification in the average of how long one takes


class SupportsClassify(Protocol):
    """The part of `model.Classifier` that the engine needs."""

    def classify(self, rgb: Pixels) -> Prediction: ...


@dataclass(frozen=True)
class Snapshot:
    """A frame waiting for the model.

    to_rgb: makes its pixels, uint8, (height, width, 3), RGB; called on the engine's thread, and only if it is its turn.
    taken_at: when the frame arrived, in seconds of the engine's clock.
    """

    to_rgb: Callable[[], Pixels]
    taken_at: float


@dataclass(frozen=True)
class Outcome:
    """What became of a snapshot. `prediction` is None where the classifier failed. Times in seconds."""

    prediction: Prediction | None
    taken_at: float
    finished_at: float
    inference_s: float


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Slot:
    """One stream's place at the engine. Made by `Engine.open`."""

    def __init__(self, engine: "Engine", deliver: Callable[[Outcome], None]) -> None:
        self._engine = engine
        self._deliver = deliver
        self._snapshot: Snapshot | None = None  # guarded by the engine's lock, like all that follow
        self._not_before = 0.0  # in seconds of the engine's clock, like the next
        self._last_put = -math.inf
        self._closed = False
        self.dropped = 0

    def put(self, snapshot: Snapshot) -> None:
        """Leave the newest frame and return at once; one that still waits is dropped and counted."""
        self._engine._put(self, snapshot)

    def close(self) -> None:
        """Give the place back. Nothing is delivered to a slot whose closing has been seen. May be repeated."""
        self._engine._close(self)


class Engine:
    """Classifies the newest frame of each open slot, in turn, on one thread of its own."""

    def __init__(
        self, classifier: SupportsClassify, clock: Callable[[], float] = time.monotonic, cores: int | None = None
    ) -> None:
        """cores: that the process may use; found out if None."""
        self._classifier = classifier
        self._clock = clock
        self._busy = BUSY * (cores or usable_cores())
        self._wake = threading.Condition()
        self._waiting: deque[Slot] = deque()  # slots with a frame, the one that waits longest first
        self._open: set[Slot] = set()
        self._stopping = False
        self._begun: float | None = None  # when the classification in hand began, in seconds of the clock
        self._hangs = False  # whether it has been said of it that it hangs
        self.dropped = 0  # frames of all streams that were never classified
        self._failed_at: float | None = None  # touched by the worker only, like the next
        self._usual_s = 0.0  # seconds that a classification takes, averaged
        self._thread = threading.Thread(target=self._run, name="classifier", daemon=True)

    def start(self) -> None:
        """Start the worker. An engine is started once."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Let the picture in hand finish, drop the rest and end the worker. May be repeated."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def open(self, deliver: Callable[[Outcome], None]) -> Slot:
        """A new stream's slot. `deliver` is called on the worker's thread and must be quick."""
        slot = Slot(self, deliver)
        with self._wake:
            self._open.add(slot)
        return slot

    @property
    def streams(self) -> int:
        """How many slots are open."""
        with self._wake:
            return len(self._open)

    @property
    def hangs(self) -> bool:
        """Whether the classifier has not come back for HANGS. Said in the log once, and again when it has."""
        with self._wake:
            hangs = self._begun is not None and self._clock() - self._begun > HANGS
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
                slot.dropped += 1  # it keeps its place in the queue, with the newer frame
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
        """Wait for the next slot whose turn it is. None when the engine stops."""
        with self._wake:
            while not self._stopping:
                now = self._clock()
                due = next((slot for slot in self._waiting if slot._not_before <= now), None)
                if due is not None:
                    self._waiting.remove(due)
                    snapshot, due._snapshot = due._snapshot, None
                    assert snapshot is not None  # only slots with a snapshot wait
                    due._not_before = now + self._pause(now)
                    self._begun = now
                    return due, snapshot
                first = min((slot._not_before for slot in self._waiting), default=None)
                self._wake.wait(None if first is None else first - now)
            return None

    def _pause(self, now: float) -> float:
        """Seconds from one classification of a stream to its next, at the least."""
        active = sum(now - slot._last_put < SILENT for slot in self._open)
        return min(LONGEST_PAUSE, active * self._usual_s / self._busy) if active > 1 else 0.0

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
            except Exception:  # one stream's fault must not end the others
                log.exception("A stream could not take its result")

    def _classify(self, snapshot: Snapshot) -> Outcome:
        prediction = None
        begun = self._clock()
        try:
            prediction = self._classifier.classify(snapshot.to_rgb())
            if self._failed_at is not None and begun - self._failed_at >= MENDED:
                log.info("The classifier works again")
                self._failed_at = None
        except Exception:
            if self._failed_at is None:  # once, not thirty times a second, also where only one stream's pictures fail
                log.exception("The classifier failed; streams show that it is unavailable until it works again")
            self._failed_at = begun
        finished = self._clock()
        self._usual_s += SMOOTHING * (finished - begun - self._usual_s)
        return Outcome(prediction, snapshot.taken_at, finished, finished - begun)
