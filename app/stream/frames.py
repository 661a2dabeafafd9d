"""Video frames as numpy planes, without leaving YUV: what is read, mirrored or drawn on is never converted whole."""

from collections.abc import Callable
from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

LARGEST = 1280  # pixels; the longer side of what is sent back. A client that sends more costs no other its video.
BLACK_LUMA = 24  # studio-range black is 16; a toggled-off camera sends exactly that
BLACK_SPREAD = 3  # standard deviation of luma; a dark room's noise is above it


@dataclass(frozen=True)
class Square:
    """A square in a frame, in pixels; all three are even, so that it fits the chroma planes."""

    x: int
    y: int
    side: int


def central_square(width: int, height: int) -> Square:
    """The largest even square in the middle of a frame of width by height pixels: what the classifier sees."""
    side = min(width, height) // 2 * 2
    return Square((width - side) // 4 * 2, (height - side) // 4 * 2, side)


def writable_yuv(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame as planar YUV 4:2:0 that may be drawn on, its longer side at most LARGEST; pts and time base kept.

    Copies only where it must: another pixel format, a larger frame, or a buffer that the decoder still refers to.
    """
    scale = LARGEST / max(frame.width, frame.height)
    if scale < 1:
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        frame = frame.reformat(width, height, "yuv420p", interpolation=Interpolation.AREA, threads=1)
    elif frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuv420p", threads=1)
    frame.make_writable()
    return frame


def planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Views of a planar 4:2:0 frame's Y, U and V samples: uint8, Y (height, width), U and V half of it, rounded up."""
    half_height, half_width = (frame.height + 1) // 2, (frame.width + 1) // 2
    shapes = ((frame.height, frame.width), (half_height, half_width), (half_height, half_width))
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8)[: rows * plane.line_size].reshape(rows, plane.line_size)[:, :columns]
        for plane, (rows, columns) in zip(frame.planes, shapes, strict=True)
    )
    return y, u, v


def mirror(frame: av.VideoFrame) -> None:
    """Flip a writable planar 4:2:0 frame left to right, in place."""
    for plane in planes(frame):
        plane[:] = cv2.flip(plane, 1)


def is_black(frame: av.VideoFrame) -> bool:
    """Whether a planar 4:2:0 frame is uniformly black, as a camera that is switched off sends it."""
    luma = planes(frame)[0][::8, ::8]
    return float(luma.mean()) < BLACK_LUMA and float(luma.std()) < BLACK_SPREAD


def square_to_rgb(frame: av.VideoFrame, square: Square, size: int) -> Callable[[], NDArray[np.uint8]]:
    """Copy a square out of a planar 4:2:0 frame now; return what turns the copy into RGB later.

    The call's result is uint8, shape (size, size, 3), RGB, averaged over areas. The frame may be drawn on meanwhile.
    """
    x, y, side = square.x, square.y, square.side
    luma, u, v = planes(frame)
    half = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    # the layout that PyAV reads as yuv420p: Y, then U, then V, as rows of one array
    packed = np.concatenate([luma[y : y + side, x : x + side].ravel(), u[half].ravel(), v[half].ravel()])
    color_range, colorspace = frame.color_range, frame.colorspace

    def to_rgb() -> NDArray[np.uint8]:
        copy = av.VideoFrame.from_ndarray(packed.reshape(side * 3 // 2, side), format="yuv420p")
        copy.color_range, copy.colorspace = color_range, colorspace
        scaled = copy.reformat(size, size, "rgb24", interpolation=Interpolation.AREA, threads=1)
        return scaled.to_ndarray().astype(np.uint8, copy=False)

    return to_rgb
