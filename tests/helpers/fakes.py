"""Stand-ins that tests steer: a clock, a classifier, frames, pictures, words."""

import functools
import io
import threading
from collections.abc import Callable, Iterable

import av
import numpy as np
from PIL import Image

from app.advice.bins import load_rules
from app.advice.caption import Caption, caption
from app.advice.verdict import Verdict
from model import Prediction

LABELS = ("cardboard", "glass", "metal")
BLACK = (0, 0, 0)


def prediction(label: str = "glass", confidence: float = 0.9, known: bool = True) -> Prediction:
    """A prediction of three classes, the rest shared evenly."""
    rest = (1 - confidence) / (len(LABELS) - 1)
    probabilities = {name: confidence if name == label else rest for name in LABELS}
    best = max(probabilities, key=probabilities.__getitem__)
    return Prediction(best, probabilities[best], probabilities, known, 1.0 if known else -1.0)


def describing(labels: Iterable[str] = LABELS) -> Callable[[Verdict], Caption]:
    """What puts the verdicts on these labels into English words, by the default rules."""
    return functools.partial(caption, rules=load_rules(labels))


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class StubClassifier:
    """Answers with what it is given; waits at a gate first, where one is closed."""

    def __init__(self, answer: Callable[[np.ndarray], Prediction] = lambda rgb: prediction()) -> None:
        self.answer = answer
        self.gate = threading.Event()
        self.gate.set()
        self.seen: list[np.ndarray] = []
        self.entered = threading.Semaphore(0)

    def classify(self, rgb: np.ndarray) -> Prediction:
        self.seen.append(rgb)
        self.entered.release()
        assert self.gate.wait(10)
        return self.answer(rgb)


def frame(
    width: int = 640, height: int = 480, color: tuple[int, int, int] = (180, 120, 60), seed: int = 0
) -> av.VideoFrame:
    """A frame of one colour with some noise, planar YUV 4:2:0, as WebRTC's decoders make them."""
    noise = np.random.default_rng(seed).integers(-12, 13, (height, width, 3))
    rgb = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")


def png(color: tuple[int, int, int] = (200, 180, 150)) -> bytes:
    """A PNG file of one colour."""
    out = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), color, np.uint8)).save(out, "PNG")
    return out.getvalue()
