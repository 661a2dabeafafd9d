"""Draws the sample photos that the photo page offers: `python -m tests.helpers.sample_photos` writes them anew.

They are drawn, so that nobody's photo has to be shipped, and the page calls them so. Like the other drawings they are
no evidence of how well the model does.
"""

from collections.abc import Callable

import cv2
import numpy as np

from app.views.samples import FOLDER
from tests.helpers.drawings import HEIGHT, WIDTH, drawing, empty_scene, laid

SIZE_PX = 400, 300
QUALITY = 82  # of the JPEG files, which are then smaller than 20 KB

Y, X = np.mgrid[:HEIGHT, :WIDTH]


def _can(scene: np.ndarray) -> np.ndarray:
    """A red drinks can from the side, with the bright metal of its two rims."""
    mask = np.zeros((HEIGHT, WIDTH))
    cv2.rectangle(mask, (250, 110), (390, 380), 1.0, -1)
    for y in (110, 380):
        cv2.ellipse(mask, (320, y), (70, 16), 0, 0, 360, 1.0, -1)
    across = (X - 320) / 70
    shine = 0.6 + 0.7 * np.exp(-(((across + 0.4) / 0.2) ** 2)) + 0.3 * np.exp(-(((across - 0.55) / 0.12) ** 2))
    shine = (shine - 0.3 * across**4)[..., None]
    rim = ((Y < 125) | (Y > 372))[..., None]
    lid = (((X - 320) / 62) ** 2 + ((Y - 110) / 12) ** 2 < 1)[..., None]
    item = np.where(rim, (190, 190, 195) * shine, (200, 30, 30) * shine)
    return laid(scene, mask, np.clip(np.where(lid, (205, 205, 210), item), 0, 255), 12)


def _bottle(scene: np.ndarray) -> np.ndarray:
    """A green bottle, through which a little of the wall is seen."""
    mask = np.zeros((HEIGHT, WIDTH))
    for left, top, right, bottom in ((262, 200, 378, 440), (298, 40, 342, 160), (294, 35, 346, 55)):
        cv2.rectangle(mask, (left, top), (right, bottom), 1.0, -1)
    cv2.fillPoly(mask, [np.array([(262, 200), (298, 140), (342, 140), (378, 200)], np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)
    across = (X - 320) / 58
    shine = 0.55 + 0.8 * np.exp(-(((across + 0.45) / 0.12) ** 2)) + 0.35 * np.exp(-(((across - 0.6) / 0.1) ** 2))
    item = np.array((52, 117, 65)) * (shine - 0.35 * across**6)[..., None] + scene * 0.15
    gleam = 150 * np.exp(-(((across + 0.45) / 0.07) ** 2)) * ((Y > 215) & (Y < 430))
    return laid(scene, mask, np.clip(item + gleam[..., None], 0, 255), 10)


def _carton(scene: np.ndarray) -> np.ndarray:
    """A flattened carton of corrugated board, with the slit between its two flaps."""
    fibres = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, (HEIGHT, WIDTH)), (0, 0), sigmaX=9, sigmaY=0.7)
    item = np.array((168, 122, 76)) + (fibres / fibres.std() * 6)[..., None]
    item = item * (1 + 0.03 * np.cos(X * 2 * np.pi / 9))[..., None]
    item[30:240] *= 1.07
    cv2.line(item, (100, 240), (540, 240), (90, 60, 35), 4)
    mask = cv2.rectangle(np.zeros((HEIGHT, WIDTH)), (100, 30), (540, 450), 1.0, -1)
    return laid(scene, mask, item, 10)


DRAWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {"metal": _can, "glass": _bottle, "cardboard": _carton}


def sample(label: str) -> np.ndarray:
    """A drawn item of a class before a wall: uint8, shape (300, 400, 3), RGB."""
    if label in DRAWN:
        drawn = DRAWN[label](empty_scene().astype(np.float64))
        drawn = np.clip(cv2.GaussianBlur(drawn, (0, 0), 0.9), 0, 255).astype(np.uint8)
    else:
        drawn = drawing(label)
    return np.asarray(cv2.resize(drawn, SIZE_PX, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """Write one file for each sample into the photo page's folder."""
    FOLDER.mkdir(exist_ok=True)
    for label in (*DRAWN, "paper"):
        file = FOLDER / f"{label}.jpg"
        cv2.imwrite(str(file), sample(label)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        print(file, file.stat().st_size)


if __name__ == "__main__":
    main()
