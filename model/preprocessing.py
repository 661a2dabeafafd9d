"""The one definition of how pixels reach the network, for serving and for training.

The whole picture is resized to a square, as Keras's directory loaders do, so that nothing at the edge of a photo is
lost. Callers that want undistorted pixels, such as the live stream, hand in a square. The network's first layer scales
the pixels to the range that it expects, so that this scaling travels with the weights.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

INPUT_SIZE = 224  # pixels, one side; MobileNetV2's native resolution (Sandler et al. 2018, arXiv:1801.04381)


def check_image(rgb: object) -> NDArray[np.uint8]:
    """Return `rgb` unchanged if it is a picture: uint8, (height, width, 3), RGB, with at least one pixel.

    Raises:
        TypeError: It is no array, or one of another dtype. The message says what was received.
        ValueError: It has another shape or no pixel. The message says what was received.
    """
    wanted = "expected a uint8 array of shape (height, width, 3), RGB"
    if not isinstance(rgb, np.ndarray):
        raise TypeError(f"{wanted}; got {type(rgb).__name__}")
    if rgb.dtype != np.uint8:
        raise TypeError(f"{wanted}; got dtype {rgb.dtype} with shape {rgb.shape}")
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"{wanted}; got shape {rgb.shape}")
    if rgb.size == 0:
        raise ValueError(f"{wanted} with at least one pixel; got shape {rgb.shape}")
    return rgb


def preprocess(rgb: NDArray[np.uint8], size: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """Resize a whole picture to a square.

    Shrinking averages over areas, so that large photos show no aliasing; enlarging interpolates linearly.

    Args:
        rgb: The picture, uint8, (height, width, 3), RGB, of any size.
        size: Side of the square in pixels.

    Returns:
        uint8, (size, size, 3), RGB, contiguous. This may be `rgb` itself.

    Raises:
        TypeError: See `check_image`.
        ValueError: See `check_image`.
    """
    rgb = check_image(rgb)
    height, width = rgb.shape[:2]
    if (height, width) == (size, size):
        return np.ascontiguousarray(rgb)
    shrunk = (min(width, size), min(height, size))
    if shrunk != (width, height):
        rgb = cv2.resize(rgb, shrunk, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if shrunk != (size, size):
        rgb = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return rgb
