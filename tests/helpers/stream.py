"""One stream with everything around it, on a clock that only the test moves."""

import av
import numpy as np

from app.stream.engine import Engine, Snapshot
from app.stream.processor import StreamProcessor
from tests.helpers.fakes import BLACK, Clock, StubClassifier, describing, frame
from tests.helpers.waiting import wait_until


class Stream:
    """A processor, its engine, classifier and clock; `show` feeds one frame and waits for its verdict."""

    def __init__(self, **options) -> None:
        """options: further arguments of `StreamProcessor`."""
        self.clock = Clock()
        self.classifier = StubClassifier()
        self.engine = Engine(self.classifier, self.clock)
        self.engine.start()
        self.processor = StreamProcessor(self.engine, describing(), clock=self.clock, **options)

    def show(self, seconds: float = 1 / 30, **options) -> av.VideoFrame:
        """Feed one frame, some seconds after the last; return what comes back. options: of `fakes.frame`."""
        self.clock.now += seconds
        before = self.processor.figures()
        seen = len(self.classifier.seen)
        out = self.processor.recv(frame(**options))
        assert self.processor.figures().frames == before.frames + 1
        if options.get("color") != BLACK:
            wait_until(lambda: len(self.classifier.seen) > seen and not self.engine._waiting, 60)
            self.settle()
        return out

    def settle(self) -> None:
        """Wait until the engine has delivered what it has in hand."""
        done = []
        slot = self.engine.open(done.append)
        slot.put(Snapshot(lambda: np.zeros((2, 2, 3), np.uint8), 0.0))
        wait_until(lambda: done, 60)
        slot.close()
