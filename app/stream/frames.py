"""Video frames as numpy planes, without leaving YUV: what is read, mirrored or drawn on is never converted whole."""

from collections.abc import Callable
from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

# The longer side of what is sent back. A client that sends larger frames must not slow down the others' video.
LARGEST_SIDE_PX = 1280
SMALLEST_SIDE_PX = 24  # of the shorter side of a frame in which there is room for the panel with the words
BLACK_LUMA = 24  # Studio-range black is 16, and a camera that is toggled off sends exactly that.
BLACK_SPREAD = 3  # standard deviation of luma; the noise of a dark room is above it


@dataclass(frozen=True)
class Square:
    """A square in a frame. All its numbers are even, so that it fits the chroma planes.

    Attributes:
        x: Left edge in pixels.
        y: Upper edge in pixels.
        side: Length of a side in pixels.
    """

    x: int
    y: int
    side: int


def central_square(width: int, height: int) -> Square:
    """The part of a frame that the classifier sees: the largest even square in its middle.

    Args:
        width: The frame's width in pixels.
        height: The frame's height in pixels.
    """
    side = min(width, height) // 2 * 2
    return Square((width - side) // 4 * 2, (height - side) // 4 * 2, side)


def writable_yuv(frame: av.VideoFrame) -> av.VideoFrame:
    """Make a frame ready to be drawn on.

    It is copied only where it must be: if its pixel format is another, if it is too large, or if the decoder still
    refers to its buffer.

    Args:
        frame: A frame of any size and pixel format. It may be changed.

    Returns:
        A frame that may be drawn on, as planar YUV 4:2:0, its longer side at most LARGEST_SIDE_PX, with the same pts
        and time base.
    """
    scale = LARGEST_SIDE_PX / max(frame.width, frame.height)
    if scale < 1:
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        frame = frame.reformat(width, height, "yuv420p", interpolation=Interpolation.AREA, threads=1)
    elif frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuv420p", threads=1)
    frame.make_writable()
    return frame


def planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """The samples of a planar 4:2:0 frame, as views into it: writing to them draws on the frame.

    Returns:
        The planes Y, U and V, uint8. Y has the shape (height, width); U and V have half of both, rounded up.
    """
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
    """Whether a planar 4:2:0 frame is black all over, as a camera that is switched off sends it."""
    luma = planes(frame)[0][::8, ::8]
    return float(luma.mean()) < BLACK_LUMA and float(luma.std()) < BLACK_SPREAD


def square_to_rgb(frame: av.VideoFrame, square: Square, size: int) -> Callable[[], NDArray[np.uint8]]:
    """Copy a square out of a frame now, to be converted to RGB later. The frame may be drawn on meanwhile.

    Args:
        frame: A planar 4:2:0 frame.
        square: What to copy.
        size: Side of the converted picture in pixels.

    Returns:
        A function that converts the copy: to uint8, shape (size, size, 3), RGB, scaled by averaging over areas.
    """
    x, y, side = square.x, square.y, square.side
    luma, u, v = planes(frame)
    half = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    # The layout that PyAV reads as yuv420p: Y, then U, then V, as rows of one array.
    packed = np.concatenate([luma[y : y + side, x : x + side].ravel(), u[half].ravel(), v[half].ravel()])
    color_range, colorspace = frame.color_range, frame.colorspace

    def to_rgb() -> NDArray[np.uint8]:
        copy = av.VideoFrame.from_ndarray(packed.reshape(side * 3 // 2, side), format="yuv420p")
        copy.color_range, copy.colorspace = color_range, colorspace
        scaled = copy.reformat(size, size, "rgb24", interpolation=Interpolation.AREA, threads=1)
        return scaled.to_ndarray().astype(np.uint8, copy=False)

    return to_rgb
