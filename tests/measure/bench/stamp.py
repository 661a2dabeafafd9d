"""Frame numbers written into the picture, as blocks that survive the codec: how a frame is known when it comes back."""

import av
import numpy as np
from numpy.typing import NDArray

from app.stream.frames import planes

BITS, BLOCK = 16, 16  # blocks of 16x16 pixels; one VP8 macroblock each
LEFT, TOP = 192, 64  # clear of all that the overlay draws on a 640x480 frame
PERIOD = 1 << BITS


def write_stamp(frame: av.VideoFrame, number: int) -> None:
    """Write `number` modulo PERIOD on the luma of a writable planar 4:2:0 frame, 640x480 or larger."""
    luma = planes(frame)[0]
    bits = (number % PERIOD >> np.arange(BITS)) & 1
    luma[TOP : TOP + BLOCK, LEFT : LEFT + BITS * BLOCK] = np.repeat(np.where(bits, 220, 30), BLOCK)


def read_stamp(frame: av.VideoFrame) -> int:
    """The number on a frame, 0 to PERIOD - 1."""
    luma: NDArray[np.uint8] = planes(frame)[0]
    inner = slice(BLOCK // 4, BLOCK * 3 // 4)
    blocks = luma[TOP : TOP + BLOCK, LEFT : LEFT + BITS * BLOCK].reshape(BLOCK, BITS, BLOCK)
    bits = blocks[inner, :, inner].mean(axis=(0, 2)) > 125
    return int((bits << np.arange(BITS)).sum())
