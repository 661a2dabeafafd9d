"""What is compared: each arm makes, for one incoming track, the track that goes back, and keeps its figures."""

import functools
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack
from streamlit_webrtc.process import AsyncVideoProcessTrack

from app.advice.bins import load_rules
from app.advice.caption import caption
from app.stream.engine import Engine, Outcome
from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack
from model import Classifier

NAMES = ("loopback", "ours", "litert", "keras")


def available() -> list[str]:
    """The arms that can run here; keras needs TensorFlow."""
    return [name for name in NAMES if name != "keras" or find_spec("keras")]


class Arm:
    """One way of treating a stream. `track` is called once a stream, `figures` at the end of a measurement."""

    def __init__(self) -> None:
        self.ages: deque[float] = deque(maxlen=100_000)  # seconds; how old the verdict on a returned frame was
        self.classified = 0

    def track(self, source: MediaStreamTrack) -> MediaStreamTrack:
        """The track to send back. The bare loopback sends what it got."""
        return source

    def release(self, track: MediaStreamTrack) -> None:
        """The stream of a track that `track` returned has ended."""
        track.stop()

    def figures(self) -> dict[str, Any]:
        """Counts since the start, and the verdicts' ages in seconds since the last call."""
        ages, self.ages = list(self.ages), deque(maxlen=100_000)
        return {"classified": self.classified, "ages": ages, "dropped": self.dropped()}

    def dropped(self) -> int:
        """Frames that were shown but not classified, since the start."""
        return 0

    def close(self) -> None:
        """Give back what is not a stream's."""


class _Watched(StreamProcessor):
    """The real processor, which also notes how old the verdict is that it draws."""

    def __init__(self, arm: "Ours", engine: Engine) -> None:
        super().__init__(engine, functools.partial(caption, rules=load_rules(arm.classifier.labels)))
        self._arm = arm
        self._newest: float | None = None

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._newest is not None:
            self._arm.ages.append(time.monotonic() - self._newest)
        return super().recv(frame)

    def _deliver(self, outcome: Outcome) -> None:
        self._newest = outcome.taken_at
        self._arm.classified += 1
        super()._deliver(outcome)


class Ours(Arm):
    """The engine, the processor, the overlay: what the live page runs."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Classifier.load()
        self.engine = Engine(self.classifier)
        self.engine.start()

    def close(self) -> None:
        self.engine.stop()

    def track(self, source: MediaStreamTrack) -> MediaStreamTrack:
        back = AnnotatedTrack(_Watched(self, self.engine))
        back.camera = source
        return back

    def dropped(self) -> int:
        return self.engine.dropped


class Usual(Arm):
    """The way of the examples: in the callback, to BGR, classify, draw, and back."""

    def __init__(self, classify: Callable[[np.ndarray], tuple[str, float]]) -> None:
        super().__init__()
        self.classify = classify
        self.lock = threading.Lock()

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Called by the stream's track for every frame."""
        began = time.monotonic()
        image = frame.to_ndarray(format="bgr24")
        with self.lock:
            label, confidence = self.classify(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            self.classified += 1
        words = f"{label} {confidence:.0%}"
        cv2.putText(image, words, (20, 450), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 255, 0), 2, cv2.LINE_AA)
        made = av.VideoFrame.from_ndarray(image, format="bgr24")
        self.ages.append(time.monotonic() - began)
        return made

    def track(self, source: MediaStreamTrack) -> MediaStreamTrack:
        back: MediaStreamTrack = AsyncVideoProcessTrack(source, self)
        return back


def usual_litert() -> Usual:
    """The usual way with LiteRT."""
    classifier = Classifier.load()

    def classify(rgb: np.ndarray) -> tuple[str, float]:
        prediction = classifier.classify(rgb)
        return prediction.label, prediction.confidence

    return Usual(classify)


def usual_keras() -> Usual:
    """The usual way with Keras: `model.predict` on one picture. The weights are random; they cost the same."""
    keras = import_module("keras")
    labels = Classifier.load().labels
    network = keras.applications.MobileNetV2(weights=None, classes=len(labels))

    def classify(rgb: np.ndarray) -> tuple[str, float]:
        pixels = cv2.resize(rgb, (224, 224)).astype(np.float32)[None] / 127.5 - 1
        probabilities = network.predict(pixels, verbose=0)[0]
        return labels[int(probabilities.argmax())], float(probabilities.max())

    classify(np.zeros((224, 224, 3), np.uint8))
    return Usual(classify)


def make(name: str) -> Arm:
    """Set an arm up, ready for streams. Raises KeyError for an unknown name."""
    makers: dict[str, Callable[[], Arm]] = {
        "loopback": Arm,
        "ours": Ours,
        "litert": usual_litert,
        "keras": usual_keras,
    }
    return makers[name]()
