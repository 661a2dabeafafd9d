"""Class activation maps as heat maps: which places of a picture spoke for the answer."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

STRONGEST = 0.75  # opacity of the hottest place; the item under it must stay recognisable
FAINTEST = 0.15  # of the map; colder places stay as they are
SMOOTH = 8  # pixels for each cell of the map in `heat_uri`; a browser enlarges the rest of the way


def heat(activation: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The heat map to lay over a picture: colours (height, width, 3), RGB, and their opacity (height, width), uint8.

    activation: `Prediction.activation`, float32, (rows, columns), 0 to 1.
    """
    enlarged = np.clip(cv2.resize(activation, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colors = cv2.applyColorMap((255 * enlarged).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = 255 * STRONGEST * np.clip((enlarged - FAINTEST) / (1 - FAINTEST), 0, 1)
    return np.asarray(colors[..., ::-1], np.uint8), opacity.astype(np.uint8)


def heat_uri(activation: NDArray[np.float32]) -> str:
    """The heat map as a small see-through PNG in a data: address, to be stretched over the picture."""
    rows, columns = activation.shape
    colors, opacity = heat(activation, columns * SMOOTH, rows * SMOOTH)
    _, png = cv2.imencode(".png", np.dstack([colors[..., ::-1], opacity]))
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()
