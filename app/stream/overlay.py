"""Draws a caption on a video frame, straight on its YUV planes.

The panel with the words is drawn anew only when they change, and blended into each frame. Nothing outside `regions` is
touched.
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

PANEL_COLOR = "#14171B"
PANEL_OPACITY = 0.78
GROOVE_COLOR = "#3B424B"  # of the bar that shows the confidence, where it is not filled
WHITE = "#FFFFFF"
DIMMED_LUMA = (16 + (np.arange(256) - 16).clip(0) * 0.5).astype(np.uint8)  # by luma, of what the classifier cannot see
REGULAR, BOLD = 400, 650  # font weights, of 100 to 1000

Rectangle = tuple[int, int, int, int]  # x, y, width, height in pixels, all even


@dataclass(frozen=True)
class _Patch:
    """A picture with opacity, ready to be blended into a frame.

    Attributes:
        where: The place in the frame.
        layers: For each of the planes Y, U and V the samples times their opacity, and the transparency, both uint16 and
            of the plane's shape. Opacity and transparency are 0 to 256 and add up to 256.
    """

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
    """The strips of a frame of width by height pixels that the classifier does not see; they are dimmed."""
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
    """The strokes that mark the corners of the classifier's square in a frame of width by height pixels.

    Those that the panel would cover are left out.
    """
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
    """All that `Overlay.draw` may change in a frame of width by height pixels if there is no heat map."""
    strokes = [_outlined(stroke) for stroke in corner_rectangles(width, height)]
    return [panel_rectangle(width, height), *strokes, *outside_rectangles(width, height)]


class Overlay:
    """Draws captions for one stream, and keeps the last panel and heat map. For one thread at a time."""

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")
        self._drawn: tuple[object, _Patch] | None = None
        self._heat: tuple[NDArray[np.float32], tuple[int, int], _Patch] | None = None

    def draw(self, frame: av.VideoFrame, caption: Caption, activation: NDArray[np.float32] | None = None) -> None:
        """Draw the classifier's square and the panel with the caption on a frame, in place.

        Args:
            frame: A writable planar 4:2:0 frame.
            caption: The words, the icon and the colour.
            activation: A class activation map of the square, to be laid over it as a heat map: float32, shape (rows,
                columns), 0 to 1.
        """
        key = (caption, frame.width, frame.height)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, self._panel(caption, panel_rectangle(frame.width, frame.height))
        if activation is not None:
            _blend(frame, self._heat_patch(activation, frame.width, frame.height))
        y_plane, u_plane, v_plane = planes(frame)
        for x, y, width, height in outside_rectangles(frame.width, frame.height):
            strip = y_plane[y : y + height, x : x + width]
            strip[:] = cv2.LUT(strip, DIMMED_LUMA)
        corners = corner_rectangles(frame.width, frame.height)
        for rectangle in corners:  # All get a dark edge first, so that light strokes show on a light wall.
            _fill((y_plane,), _outlined(rectangle), _yuv(PANEL_COLOR))
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
        panel = _Canvas(width, height, radius, PANEL_COLOR, PANEL_OPACITY)
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
            panel.paint(left, top, _rounded(length, bar, bar // 2), GROOVE_COLOR)
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
        """The text, or as much of it as fits into so many pixels, with an ellipsis."""
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
    """A picture with opacity to draw a panel on; at first a rectangle of one colour with round corners.

    Attributes:
        image: uint8, shape (height, width, 3), RGB.
        alpha: The opacity: uint8, shape (height, width).
    """

    def __init__(self, width: int, height: int, radius: int, color: str, opacity: float) -> None:
        self.image = np.empty((height, width, 3), np.uint8)
        self.image[:] = rgb(color)
        self.alpha = (_rounded(width, height, radius) * opacity).astype(np.uint8)

    def paint(self, x: int, y: int, mask: NDArray[np.uint8], color: str) -> None:
        """Paint through a mask; what lies beyond the edges is cut off.

        Args:
            x: Where the mask's left edge goes, in pixels.
            y: Where its upper edge goes, in pixels.
            mask: How opaque the paint is: uint8, shape (height, width).
            color: #RRGGBB.
        """
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
    """Prepare an RGB picture and its opacity, both of the rectangle's size, for blending."""
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    halved = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    layers = []
    for plane, opacity in zip(planes(frame), (alpha, halved, halved), strict=True):
        # The share is out of 256, so that blending can shift instead of divide; an opacity of 255 becomes 256.
        share = opacity.astype(np.uint16)
        share += share >> 7
        layers.append((plane * share, np.uint16(256) - share))
    return _Patch(where, tuple(layers))


def _blend(frame: av.VideoFrame, patch: _Patch) -> None:
    for plane, (premultiplied, transparency), step in zip(planes(frame), patch.layers, (1, 2, 2), strict=True):
        part = _part(plane, patch.where, step)
        part[:] = (part * transparency + premultiplied) >> 8


def _part(plane: Plane, rectangle: Rectangle, step: int) -> Plane:
    """A rectangle of the frame as a view into a plane, which has every `step`th sample of each row and column."""
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
