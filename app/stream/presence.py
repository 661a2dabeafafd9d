"""Whether something is held up to a fixed camera: the view against a slowly learned background.

For a kiosk. A hand-held phone has no background to learn, and does without.
"""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.stream.frames import Square, planes

Grid = NDArray[np.float32]

FITS = 5  # rounds of fitting another light
AGREEING = 0.6  # share of the cells that each round is fitted to; what is held up may cover the rest
CELLS = 32  # the square is compared on CELLS x CELLS averages: camera noise and small movements vanish in them


@dataclass(frozen=True)
class Watching:
    """How a background is learned. Times in seconds, shares of the square 0 to 1.

    every: between two looks. settle: after the first frame, while the camera finds its exposure; nothing is there yet.
    differs: of a cell from the background in any channel, in levels of 0 to 255, to count as covered.
    appear, vanish: share of covered cells at which something is in view, and below which it is gone again.
    follow: time constant with which the background follows daylight while nothing is in view, and `relight` the one
    with which it takes on another light, `believe` after that came on.
    moves: share of cells that differ from the last still view when the view is not still.
    absorb, absorb_known: how long a still view is taken for something there, if the model knows nothing in it and if
    it does; then it is the new background (a bag left behind, a camera that was moved, a light). `absorb` is
    less than what a kiosk takes to give up on what it does not know: an emptied view must not get that answer.
    plain: standard deviation over the cells, in levels, below which a background shows no marks to tell light by.
    """

    every: float = 0.1
    settle: float = 1.5
    differs: float = 12.0
    appear: float = 0.05
    vanish: float = 0.03
    follow: float = 10.0
    relight: float = 0.5
    believe: float = 1.0
    moves: float = 0.02
    absorb: float = 8.0
    absorb_known: float = 300.0
    plain: float = 6.0


class Presence:
    """One fixed camera's background. Not thread-safe: its owner calls it under one lock."""

    def __init__(self, watching: Watching | None = None) -> None:
        self.watching = watching or Watching()
        self._background: Grid | None = None
        self._still: Grid | None = None  # the view since `_still_since`
        self._began = self._looked = self._still_since = self._same_light = 0.0
        self._changed = False  # something is there that is not a change of light
        self._lit = False  # it looks like another light; before a plain wall a thing that fills the view does too
        self._plain = False

    def look(self, frame: av.VideoFrame, square: Square, now: float, known: bool) -> None:
        """Take a planar 4:2:0 frame at `now` (seconds, never going back) into account; cheap between two looks.

        known: whether the model has lately seen something it knows.
        """
        if self._background is not None and now - self._looked < self.watching.every:
            return
        view = grid(frame, square)
        if self._background is None or self._still is None:
            self._learn(view, now)
            self._began = now
            return
        elapsed, self._looked = now - self._looked, now
        if now - self._began < self.watching.settle:
            self._learn(view, now)
            return
        enough = self.watching.vanish if self._changed or self._lit else self.watching.appear
        differs = self._covered(view, self._background) >= enough
        self._changed = differs and self._covered(relit(view, self._background), self._background) >= enough
        self._lit = differs and not self._changed
        self._plain = float(self._background.std(axis=(0, 1)).max()) < self.watching.plain
        if not self._lit:
            self._same_light = now
        if self._covered(view, self._still) >= self.watching.moves:
            self._still, self._still_since = view, now
        if self.in_view(known):
            if now - self._still_since >= (self.watching.absorb_known if known else self.watching.absorb):
                self._learn(view, now)
        elif not self._lit or now - self._same_light >= self.watching.believe:
            tau = self.watching.relight if self._lit else self.watching.follow
            self._background += np.float32(1.0 - np.exp(-elapsed / tau)) * (view - self._background)

    def in_view(self, known: bool) -> bool:
        """Whether something is held up, given whether the model knows what it sees.

        A sheet of paper that fills the view of a plain wall differs from it like a change of light: there the model
        decides.
        """
        return self._changed or (known and self._lit and self._plain)

    def _covered(self, view: Grid, other: Grid) -> float:
        return float((np.abs(view - other).max(axis=2) > self.watching.differs).mean())

    def _learn(self, view: Grid, now: float) -> None:
        self._background, self._still = view.copy(), view
        self._looked = self._still_since = self._same_light = now
        self._changed = self._lit = False


def grid(frame: av.VideoFrame, square: Square) -> Grid:
    """The square's averages: float32, shape (CELLS, CELLS, 3), RGB, not clipped."""
    x, y, side = square.x, square.y, square.side
    luma, u, v = planes(frame)
    half = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    parts = (luma[y : y + side, x : x + side], u[half], v[half])
    y_, u_, v_ = (cv2.resize(part, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float32) for part in parts)
    u_, v_ = u_ - 128, v_ - 128
    return np.dstack([y_ + 1.402 * v_, y_ - 0.344 * u_ - 0.714 * v_, y_ + 1.772 * u_])  # ITU-R BT.601


def relit(view: Grid, background: Grid) -> Grid:
    """The view as it would be in the background's light: each channel scaled and shifted.

    A light that is switched on, and a camera's own exposure and white balance, change all of a view alike (the diagonal
    model of von Kries). Fitted to the cells that agree, again and again (least trimmed squares, Rousseeuw 1984), so
    that a thing in view, which differs otherwise, does not count as light.
    """
    seen, known = view.reshape(-1, 3), background.reshape(-1, 3)
    agreeing = np.ones(len(seen), bool)
    for _ in range(FITS):
        x, y = seen[agreeing], known[agreeing]
        mean_x, mean_y = x.mean(0), y.mean(0)
        spread = ((x - mean_x) ** 2).mean(0)
        together = ((x - mean_x) * (y - mean_y)).mean(0)
        gain = np.where(spread > 1.0, np.clip(together / np.maximum(spread, 1.0), 0.35, 5.0), 1.0)
        fitted = gain * (seen - mean_x) + mean_y
        residual = np.abs(fitted - known).max(axis=1)
        agreeing = residual <= np.quantile(residual, AGREEING)
    # A small gain makes anything like a plain wall, and what differs small: half of that is given back. All of it would
    # make a codec's errors in a much brighter view look like things.
    fitted = known + (fitted - known) / np.sqrt(np.minimum(gain, 1.0))
    out: Grid = fitted.reshape(view.shape).astype(np.float32)
    return out
