"""Whether something is held up to a fixed camera, found by background subtraction.

The view is compared with a background that is learned slowly, on a coarse grid, and allows for another light. It is for
a kiosk. A hand-held phone has no background to learn, and does without.
"""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.stream.frames import Square, planes

Grid = NDArray[np.float32]

FIT_ROUNDS = 5  # how often the fit of another light is repeated
AGREEING_SHARE = 0.6  # of the cells that each round is fitted to; what is held up may cover the others
CELLS = 32  # The square is compared on CELLS x CELLS averages, in which camera noise and small movements vanish.


@dataclass(frozen=True)
class Watching:
    """How a background is learned, and what counts as a difference from it.

    Times are in seconds, levels are those of a channel, 0 to 255, and shares are of the square's cells, 0 to 1.

    Attributes:
        every: Time between two looks.
        settle: Time after the first frame in which the camera finds its exposure, and nothing is in view yet.
        differs: How many levels a cell has to differ from the background, in any channel, to count as covered.
        appear: Share of covered cells at which something comes into view. With `vanish` it makes a hysteresis.
        vanish: Share of covered cells below which it is gone again.
        follow: Time constant of the exponential moving average with which the background follows the daylight while
            nothing is in view.
        relight: The same while another light is on.
        believe: How long another light has to be on before the background takes it on.
        moves: Share of cells that differ from the last still view at which the view is not still.
        absorb: How long a still view in which the model knows nothing counts as something held up. Then it becomes the
            new background: it is a bag left behind, a camera that was moved, a lamp. This is less than what a kiosk
            takes to give up on what it does not know, as a view that has been emptied must not get that answer.
        absorb_known: The same for a still view in which the model knows something.
        plain: Standard deviation over the cells, in levels, below which a background has no marks to tell light by.
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
    """The background of one fixed camera. Not thread-safe: its owner calls it under one lock.

    Attributes:
        watching: How the background is learned.
    """

    def __init__(self, watching: Watching | None = None) -> None:
        """Start without a background; the first frame becomes it.

        Args:
            watching: How the background is learned.
        """
        self.watching = watching or Watching()
        self._background: Grid | None = None
        self._still: Grid | None = None  # the view since `_still_since`, but for small movements
        # In seconds of the owner's clock: the first frame, the last look, when the view became still, and when it last
        # did not look like another light.
        self._began = self._looked = self._still_since = self._same_light = 0.0
        self._changed = False  # whether the view differs from the background by more than its light
        self._lit = False  # whether it differs by its light only; or by a thing that fills the view of a plain wall
        self._plain = False  # whether the background is too plain to tell these two apart

    def look(self, frame: av.VideoFrame, square: Square, now: float, known: bool) -> None:
        """Take a frame into account, unless the last look was only just before.

        Args:
            frame: A planar 4:2:0 frame.
            square: The part of it that the classifier sees.
            now: When the frame came, in seconds that never go back.
            known: Whether the model has lately known what it saw.
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
        """Whether something is held up.

        A sheet of paper that fills the view of a plain wall differs from it as another light would. There the model
        decides.

        Args:
            known: Whether the model has lately known what it saw.
        """
        return self._changed or (known and self._lit and self._plain)

    def _covered(self, view: Grid, other: Grid) -> float:
        """The share of cells in which two views differ."""
        return float((np.abs(view - other).max(axis=2) > self.watching.differs).mean())

    def _learn(self, view: Grid, now: float) -> None:
        """Take the view for the background, at once."""
        self._background, self._still = view.copy(), view
        self._looked = self._still_since = self._same_light = now
        self._changed = self._lit = False


def grid(frame: av.VideoFrame, square: Square) -> Grid:
    """Average the square over the cells of a grid.

    Args:
        frame: A planar 4:2:0 frame.
        square: The part of it to average.

    Returns:
        float32, shape (CELLS, CELLS, 3), RGB, in levels of 0 to 255, not clipped.
    """
    x, y, side = square.x, square.y, square.side
    luma, u, v = planes(frame)
    half = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    parts = (luma[y : y + side, x : x + side], u[half], v[half])
    y_, u_, v_ = (cv2.resize(part, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float32) for part in parts)
    u_, v_ = u_ - 128, v_ - 128
    return np.dstack([y_ + 1.402 * v_, y_ - 0.344 * u_ - 0.714 * v_, y_ + 1.772 * u_])  # ITU-R BT.601


def relit(view: Grid, background: Grid) -> Grid:
    """Estimate the view as it would be in the background's light: each channel scaled and shifted.

    A light that is switched on changes all of a view alike, and so do a camera's own exposure and white balance (the
    diagonal model of von Kries). The change is fitted to the cells that agree with it, again and again (least trimmed
    squares, Rousseeuw 1984), so that a thing in view, which differs in other ways, does not count as light.

    Args:
        view: What `grid` returns.
        background: The same of the background.

    Returns:
        The view in the background's light, of the same shape and type.
    """
    seen, known = view.reshape(-1, 3), background.reshape(-1, 3)
    agreeing = np.ones(len(seen), bool)
    for _ in range(FIT_ROUNDS):
        x, y = seen[agreeing], known[agreeing]
        mean_x, mean_y = x.mean(0), y.mean(0)
        spread = ((x - mean_x) ** 2).mean(0)
        together = ((x - mean_x) * (y - mean_y)).mean(0)
        gain = np.where(spread > 1.0, np.clip(together / np.maximum(spread, 1.0), 0.35, 5.0), 1.0)
        fitted = gain * (seen - mean_x) + mean_y
        residual = np.abs(fitted - known).max(axis=1)
        agreeing = residual <= np.quantile(residual, AGREEING_SHARE)
    # A small gain makes everything look like a plain wall, and differences small. The root of it gives half of that
    # back. All of it would make the codec's errors in a much brighter view look like things.
    fitted = known + (fitted - known) / np.sqrt(np.minimum(gain, 1.0))
    out: Grid = fitted.reshape(view.shape).astype(np.float32)
    return out
