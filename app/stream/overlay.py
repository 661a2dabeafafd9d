"""Draws a caption on a video frame, straight on its YUV planes.

The panel is drawn once, when its words change, and then blended into each frame; nothing outside `regions` is touched.
"""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.advice.caption import Caption
from app.look import icons
from app.look.colors import rgb, text_on
from app.look.heat import heat
from app.stream.frames import Plane, central_square, planes

PANEL = "#14171B"
PANEL_ALPHA = 0.78
TRACK = "#3B424B"
WHITE = "#FFFFFF"
DIMMED = (16 + (np.arange(256) - 16).clip(0) * 0.5).astype(np.uint8)  # luma of what the classifier does not see
REGULAR, BOLD = 400, 650  # font weights, 100 to 1000

Rectangle = tuple[int, int, int, int]  # x, y, width, height in pixels, all even


@dataclass(frozen=True)
class _Patch:
    """A drawn panel, ready to blend: for each plane the colour times its opacity, and the transparency, 0 to 255."""

    where: Rectangle
    layers: tuple[tuple[NDArray[np.uint16], NDArray[np.uint16]], ...]


def panel_rectangle(width: int, height: int) -> Rectangle:
    """Where the panel goes in a frame of width by height pixels: along its lower edge."""
    unit = min(width, height) / 480
    margin = _even(12 * unit)
    panel_width = min(_even(width - 2 * margin), _even(600 * unit))
    panel_height = _even(96 * unit)
    return _even((width - panel_width) / 2), _even(height - margin - panel_height), panel_width, panel_height


def outside_rectangles(width: int, height: int) -> list[Rectangle]:
    """The strips of a frame that the classifier does not see; they are dimmed."""
    square = central_square(width, height)
    right, bottom = square.x + square.side, square.y + square.side
    strips = [
        (0, 0, width, square.y),
        (0, bottom, width, height - bottom),
        (0, square.y, square.x, square.side),
        (right, square.y, width - right, square.side),
    ]
    return [strip for strip in strips if strip[2] and strip[3]]


def corner_rectangles(width: int, height: int) -> list[Rectangle]:
    """The strokes that mark the corners of the classifier's square, less those that the panel would cover."""
    square = central_square(width, height)
    stroke, length = max(2, _even(square.side / 110)), _even(square.side / 9)
    inset = stroke * 2
    left, top = square.x + inset, square.y + inset
    right, bottom = square.x + square.side - inset, square.y + square.side - inset
    strokes = []
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        if y == bottom and bottom > panel_rectangle(width, height)[1]:
            continue
        strokes.append((x if x == left else x - length, y if y == top else y - stroke, length, stroke))
        strokes.append((x if x == left else x - stroke, y if y == top else y - length, stroke, length))
    return strokes


def regions(width: int, height: int) -> list[Rectangle]:
    """Every rectangle that `Overlay.draw` may change in a frame of width by height pixels without a heat map."""
    strokes = [_outlined(stroke) for stroke in corner_rectangles(width, height)]
    return [panel_rectangle(width, height), *strokes, *outside_rectangles(width, height)]


class Overlay:
    """Draws captions for one stream; keeps the last panel and heat map. Used by one thread at a time."""

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")
        self._drawn: tuple[object, _Patch] | None = None
        self._heat: tuple[NDArray[np.float32], tuple[int, int], _Patch] | None = None

    def draw(self, frame: av.VideoFrame, caption: Caption, activation: NDArray[np.float32] | None = None) -> None:
        """Draw on a writable planar 4:2:0 frame, in place: the classifier's square, and the panel with the caption.

        activation: of the square, float32, (rows, columns), 0 to 1, to lay over it as a heat map.
        """
        key = (caption, frame.width, frame.height)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, self._panel(caption, panel_rectangle(frame.width, frame.height))
        if activation is not None:
            _blend(frame, self._heat_patch(activation, frame.width, frame.height))
        y_plane, u_plane, v_plane = planes(frame)
        for x, y, width, height in outside_rectangles(frame.width, frame.height):
            strip = y_plane[y : y + height, x : x + width]
            strip[:] = cv2.LUT(strip, DIMMED)
        corners = corner_rectangles(frame.width, frame.height)
        for rectangle in corners:  # a dark edge first, so that light strokes show on a light wall
            _fill((y_plane,), _outlined(rectangle), _yuv(PANEL))
        for rectangle in corners:
            _fill((y_plane, u_plane, v_plane), rectangle, _yuv(WHITE if caption.percent is None else caption.color))
        _blend(frame, self._drawn[1])

    def _heat_patch(self, activation: NDArray[np.float32], width: int, height: int) -> _Patch:
        if self._heat is None or self._heat[0] is not activation or self._heat[1] != (width, height):
            square = central_square(width, height)
            patch = _patch(*heat(activation, square.side, square.side), (square.x, square.y, square.side, square.side))
            self._heat = activation, (width, height), patch
        return self._heat[2]

    def _panel(self, caption: Caption, where: Rectangle) -> _Patch:
        _, _, width, height = where
        pad, radius = round(height * 0.14), round(height * 0.18)
        panel = _Canvas(width, height, radius, PANEL, PANEL_ALPHA)
        tile = height - 2 * pad
        panel.paint(pad, pad, _rounded(tile, tile, round(radius * 0.7)), caption.color)
        mask = np.zeros((tile, tile), np.uint8)
        icons.draw(mask, caption.icon, tile * 0.16, tile * 0.16, tile * 0.68)
        panel.paint(pad, pad, mask, text_on(caption.color))

        left, right = pad * 2 + tile, width - pad
        title, detail = round(height * 0.36), round(height * 0.21)
        room = right - left
        if caption.percent is not None:
            percent = caption.sure
            percent_width = self._width(percent, title, BOLD)
            self._write(panel, percent, right - percent_width, round(height * 0.43), title, BOLD)
            room -= percent_width + pad
            bar = round(height * 0.09)
            top, length = height - pad - bar, right - left
            panel.paint(left, top, _rounded(length, bar, bar // 2), TRACK)
            filled = max(bar, round(length * caption.percent / 100))
            panel.paint(left, top, _rounded(filled, bar, bar // 2), caption.color)
        baseline = 0.43 if caption.percent is not None else 0.48
        self._write(panel, self._fit(caption.title, title, BOLD, room), left, round(height * baseline), title, BOLD)
        second = self._fit(caption.goes_into or caption.detail, detail, REGULAR, right - left)
        self._write(panel, second, left, round(height * (baseline + 0.27)), detail, REGULAR)
        return _patch(panel.image, panel.alpha, where)

    def _width(self, text: str, size: int, weight: int) -> int:
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._font, size, weight)
        return int(width)

    def _fit(self, text: str, size: int, weight: int, room: int) -> str:
        """The text, or as much of it as fits, with an ellipsis."""
        if self._width(text, size, weight) <= room:
            return text
        while text and self._width(text + "…", size, weight) > room:
            text = text[:-1]
        return text.rstrip() + "…"

    def _write(self, panel: "_Canvas", text: str, x: int, y: int, size: int, weight: int) -> None:
        if not text:
            return
        above, below = round(size * 1.2), round(size * 0.5)  # room for accents and descenders
        mask = np.zeros((above + below, self._width(text, size, weight) + size, 3), np.uint8)
        cv2.putText(mask, text, (0, above), (255, 255, 255), self._font, size, weight)
        panel.paint(x, y - above, mask[:, :, 0], WHITE)


class _Canvas:
    """An RGB image with opacity, to draw a panel on: at first a see-through rectangle with round corners."""

    def __init__(self, width: int, height: int, radius: int, color: str, opacity: float) -> None:
        self.image = np.empty((height, width, 3), np.uint8)
        self.image[:] = rgb(color)
        self.alpha = (_rounded(width, height, radius) * opacity).astype(np.uint8)

    def paint(self, x: int, y: int, mask: NDArray[np.uint8], color: str) -> None:
        """Lay a colour where a mask (uint8, shape (height, width), its corner at x, y) says so; cut at the edges."""
        mask = mask[max(0, -y) : self.alpha.shape[0] - y, max(0, -x) : self.alpha.shape[1] - x]
        x, y = max(0, x), max(0, y)
        where = slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])
        share = mask[:, :, None] / np.float32(255)
        self.image[where] = self.image[where] * (1 - share) + np.array(rgb(color), np.float32) * share
        np.maximum(self.alpha[where], mask, out=self.alpha[where])


def _rounded(width: int, height: int, radius: int) -> NDArray[np.uint8]:
    """The mask of a filled rectangle with round corners: uint8, shape (height, width)."""
    mask = np.zeros((height, width), np.uint8)
    right, bottom = width - 1 - radius, height - 1 - radius
    cv2.rectangle(mask, (radius, 0), (right, height), 255, -1)
    cv2.rectangle(mask, (0, radius), (width, bottom), 255, -1)
    for center in ((radius, radius), (right, radius), (radius, bottom), (right, bottom)):
        cv2.circle(mask, center, radius, 255, -1, cv2.LINE_AA)
    return mask


def _patch(image: NDArray[np.uint8], alpha: NDArray[np.uint8], where: Rectangle) -> _Patch:
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    halved = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    layers = []
    for plane, opacity in zip(planes(frame), (alpha, halved, halved), strict=True):
        # out of 256, so that blending divides by shifting; opacity 255 counts as all of it
        share = opacity.astype(np.uint16)
        share += share >> 7
        layers.append((plane * share, np.uint16(256) - share))
    return _Patch(where, tuple(layers))


def _blend(frame: av.VideoFrame, patch: _Patch) -> None:
    for plane, (premultiplied, transparency), step in zip(planes(frame), patch.layers, (1, 2, 2), strict=True):
        part = _part(plane, patch.where, step)
        part[:] = (part * transparency + premultiplied) >> 8


def _part(plane: Plane, rectangle: Rectangle, step: int) -> Plane:
    """The view of a rectangle of the frame in a plane that has every `step`th sample."""
    x, y, width, height = (n // step for n in rectangle)
    return plane[y : y + height, x : x + width]


def _fill(target: tuple[Plane, ...], rectangle: Rectangle, color: tuple[int, int, int]) -> None:
    for plane, value, step in zip(target, color, (1, 2, 2), strict=False):
        _part(plane, rectangle, step)[:] = value


def _outlined(rectangle: Rectangle) -> Rectangle:
    x, y, width, height = rectangle
    return x - 2, y - 2, width + 4, height + 4


def _yuv(color: str) -> tuple[int, int, int]:
    """#RRGGBB in studio-range BT.601, which is what WebRTC's codecs carry when they say nothing else."""
    r, g, b = (c / 255 for c in rgb(color))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return round(16 + 219 * y), round(128 + 112 * (b - y) / 0.886), round(128 + 112 * (r - y) / 0.701)


def _even(pixels: float) -> int:
    return int(pixels) // 2 * 2
