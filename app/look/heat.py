"""Class activation maps as heat maps: they show which places of a picture spoke for the answer."""

import cv2
import numpy as np
from numpy.typing import NDArray

from app.look.data_uri import data_uri

STRONGEST_OPACITY = 0.75  # of the hottest place; the item under it must stay recognisable
FAINTEST_ACTIVATION = 0.15  # Colder places stay as they are.
CELL_PX = 8  # side of each of the map's cells in `heat_uri`; a browser enlarges the rest of the way


def heat(activation: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Make a heat map to lay over a picture.

    Args:
        activation: `Prediction.activation`: float32, shape (rows, columns), 0 to 1.
        width: The picture's width in pixels.
        height: The picture's height in pixels.

    Returns:
        The colours: uint8, shape (height, width, 3), RGB; and their opacity: uint8, shape (height, width).
    """
    enlarged = np.clip(cv2.resize(activation, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colors = cv2.applyColorMap((255 * enlarged).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = 255 * STRONGEST_OPACITY * np.clip((enlarged - FAINTEST_ACTIVATION) / (1 - FAINTEST_ACTIVATION), 0, 1)
    return np.asarray(colors[..., ::-1], np.uint8), opacity.astype(np.uint8)


def heat_uri(activation: NDArray[np.float32]) -> str:
    """Make a heat map for a page.

    Args:
        activation: `Prediction.activation`: float32, shape (rows, columns), 0 to 1.

    Returns:
        A small PNG with opacity as a data: address, to be stretched over the picture.
    """
    rows, columns = activation.shape
    colors, opacity = heat(activation, columns * CELL_PX, rows * CELL_PX)
    _, png = cv2.imencode(".png", np.dstack([colors[..., ::-1], opacity]))
    return data_uri("image/png", png.tobytes())
