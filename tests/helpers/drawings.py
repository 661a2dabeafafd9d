"""Drawn items that the shipped model recognises surely, so that tests need no data set to show it one.

They are no evidence of how well the model does; that is for photographs (tests/unit/test_accuracy.py).
"""

from collections.abc import Callable

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480
WALL = (178, 172, 160)


def empty_scene() -> np.ndarray:
    """A bare wall, a little darker to one side: uint8, shape (480, 640, 3), RGB."""
    shade = np.linspace(1.05, 0.9, WIDTH)[None, :, None]
    return np.clip(np.full((HEIGHT, WIDTH, 3), WALL) * shade, 0, 255).astype(np.uint8)


def laid(scene: np.ndarray, mask: np.ndarray, item: np.ndarray, shadow_px: int) -> np.ndarray:
    """An item as far as its mask (0 to 1) covers the scene, with a soft shadow to the lower right."""
    shadow = cv2.GaussianBlur(np.roll(mask, (shadow_px, shadow_px), (0, 1)), (0, 0), 10)
    covered = mask[..., None]
    return scene * (1 - 0.45 * shadow[..., None]) * (1 - covered) + item * covered


def _jar_lid(scene: np.ndarray, radius: float = 120) -> np.ndarray:
    """A metal lid from above: brushed metal shines in the shape of a bow tie; the rim is turned up."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    angle, distance = np.arctan2(y - 240, x - 320), np.hypot(y - 240, x - 320) / radius
    grey = 135 + 70 * np.cos(2 * (angle - 0.8)) + 30 * np.cos(4 * (angle + 0.2))
    grey = np.where(distance > 0.9, grey * 0.75, grey)
    for ring, level in ((0.9, 60), (0.78, 230), (0.97, 235)):
        grey = np.where(abs(distance - ring) < 0.022, level, grey)
    mask = (distance < 1).astype(np.float64)
    return laid(scene, mask, np.repeat(grey[..., None], 3, axis=2), 14)


def _printed_sheet(scene: np.ndarray, width: int = 340, height: int = 360, turned: float = 75) -> np.ndarray:
    """A sheet of paper with a heading and lines of words, a little wavy."""
    random = np.random.default_rng(3)
    left, top, right, bottom = 320 - width // 2, 240 - height // 2, 320 + width // 2, 240 + height // 2
    page = np.full((HEIGHT, WIDTH, 3), 236.0)
    cv2.rectangle(page, (left + 25, top + 22), (left + round(width * 0.7), top + 44), (40, 40, 44), -1)
    for y in range(top + 66, bottom - 20, 28):
        x = left + 25
        while x < right - 30:
            word = int(random.integers(8, 34))
            cv2.rectangle(page, (x, y), (min(x + word, right - 25), y + 9), (70, 70, 75), -1)
            x += word + 7
    mask = cv2.rectangle(np.zeros((HEIGHT, WIDTH)), (left, top), (right, bottom), 1.0, -1)
    turn = cv2.getRotationMatrix2D((320, 240), turned, 1)
    page, mask = (cv2.warpAffine(each, turn, (WIDTH, HEIGHT)) for each in (page, mask))
    wavy = 0.92 + 0.1 * np.cos(np.linspace(0, 9, WIDTH))
    return laid(scene, mask, page * wavy[None, :, None], 8)


_DRAWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {"metal": _jar_lid, "paper": _printed_sheet}


def drawing(label: str) -> np.ndarray:
    """An item of a class ("metal" or "paper") before the wall: uint8, shape (480, 640, 3), RGB."""
    scene = _DRAWN[label](empty_scene().astype(np.float64))
    return np.clip(cv2.GaussianBlur(scene, (0, 0), 0.9), 0, 255).astype(np.uint8)


def drawn_photo(label: str) -> bytes:
    """The same as a JPEG file, to be uploaded."""
    return cv2.imencode(".jpg", drawing(label)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
