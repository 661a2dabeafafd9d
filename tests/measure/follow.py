"""How fast the label on the returned video follows a changed item: python -m tests.measure.follow

Items that the model recognises, one at once after the other, over WebRTC between two peers in this process.
"""

import argparse
import asyncio
import fractions
import functools
import itertools
import json
import time

import av
import numpy as np
from aiortc import MediaStreamTrack

from app.advice.bins import load_rules
from app.advice.caption import caption
from app.look.colors import rgb
from app.stream.engine import Engine
from app.stream.overlay import panel_rectangle
from app.stream.processor import StreamProcessor
from model import Classifier
from tests.helpers.camera import RATE, photo_scenes
from tests.helpers.peers import loopback

STAY = 2.5  # seconds that an item is held
LABELS = ("glass", "metal", "paper", "cardboard", "plastic")


class Hand(MediaStreamTrack):
    """Holds up one item after another; remembers when each came."""

    kind = "video"

    def __init__(self, items: list[tuple[str, np.ndarray]]) -> None:
        super().__init__()
        self.items, self.came = items, [0.0] * len(items)
        self._count = 0
        self._began: float | None = None
        self._noise = np.random.default_rng(0).normal(0, 2.5, (8, *items[0][1].shape[:2], 1))

    @property
    def held(self) -> int:
        """The number of the item that is held up."""
        return min(int(self._count / RATE / STAY), len(self.items) - 1)

    async def recv(self) -> av.VideoFrame:
        self._began = self._began or time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._count / RATE - time.monotonic()))
        self.came[self.held] = self.came[self.held] or time.monotonic()
        picture = np.clip(self.items[self.held][1] + self._noise[self._count % 8], 0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = self._count * 90_000 // RATE, fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


def tile_color(frame: av.VideoFrame) -> np.ndarray:
    """The colour of the panel's tile, RGB: each label has its own. Its corner is free of the icon."""
    x, y, _, height = panel_rectangle(frame.width, frame.height)
    inset, side = round(height * 0.14) + 8, 6
    picture = frame.to_ndarray(format="rgb24")
    return picture[y + inset : y + inset + side, x + inset : x + inset + side].reshape(-1, 3).mean(axis=0)


def measure(count: int) -> list[float]:
    """Seconds from the first camera frame of an item to the first returned frame with its label, for each change."""
    classifier = Classifier.load()
    rules = load_rules(classifier.labels)
    several = {label: list(itertools.islice(photo_scenes(label, classifier), 8)) for label in LABELS}
    order = [LABELS[number % len(LABELS)] for number in range(count + 1)]
    items = [(label, several[label][n // len(LABELS) % len(several[label])]) for n, label in enumerate(order)]
    hand, shown = Hand(items), [0.0] * len(items)

    def seen(frame: av.VideoFrame) -> None:
        held, color = hand.held, tile_color(frame)
        if abs(color - rgb(rules.category(items[held][0]).color)).max() < 30 and hand.came[held]:
            shown[held] = shown[held] or time.monotonic()

    engine = Engine(classifier)
    engine.start()
    try:
        processor = StreamProcessor(engine, functools.partial(caption, rules=rules))
        asyncio.run(loopback(processor, hand, len(items) * STAY, seen))
    finally:
        engine.stop()
    # the first has no label before it to change
    return [then - came if then else float("inf") for came, then in list(zip(hand.came, shown, strict=True))[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.measure.follow", description=__doc__)
    parser.add_argument("--items", type=int, default=40, help="changes of the item (default %(default)s)")
    delays = measure(parser.parse_args().items)
    came = sorted(delay for delay in delays if delay < STAY)
    print(json.dumps({
        "changes": len(delays), "followed": len(came), "median_s": round(float(np.median(came)), 3),
        "p95_s": round(float(np.quantile(delays, 0.95, method="higher")), 3),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
