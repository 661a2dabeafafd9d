"""The one definition of how pixels reach the network; serving and training both use it.

The whole picture is resized to a square, as Keras's directory loaders do, so nothing at the edge of a photo is
lost; callers that want undistorted pixels (the live stream) hand in a square. Scaling to the network's own range is
the network's first layer and travels with the weights.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

INPUT_SIZE = 224  # pixels; MobileNetV2's native resolution (Sandler et al. 2018, arXiv:1801.04381)


def check_image(rgb: object) -> NDArray[np.uint8]:
    """Return `rgb` unchanged if it is a picture: uint8, shape (height, width, 3), RGB, at least one pixel.

    Raises TypeError for another type or dtype, ValueError for another shape; both say what was received.
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
    """Resize a whole RGB picture of any size to (size, size, 3), uint8.

    Shrinking averages over areas (no aliasing from large photos), enlarging interpolates linearly.
    Raises TypeError or ValueError as `check_image` does.
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
