"""Camera files for Chromium: what --use-file-for-fake-video-capture plays, over and over, at 30 frames a second."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from app.stream.frames import central_square
from model import Classifier, read_photo
from tests.trashnet import validation_photos

WIDTH, HEIGHT, RATE = 640, 480, 30
CLEAR = 2.0  # logits above the rejection threshold; the codec takes some of it
WALL = (178, 172, 160)


def photo_scene(path: Path) -> np.ndarray:
    """A photo filling the camera's view: uint8, shape (480, 640, 3), RGB."""
    rgb = read_photo(path)
    if rgb.shape[0] > rgb.shape[1]:
        rgb = np.rot90(rgb)
    scale = max(WIDTH / rgb.shape[1], HEIGHT / rgb.shape[0])
    size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    large = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    x, y = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
    return large[y : y + HEIGHT, x : x + WIDTH]


def empty_scene() -> np.ndarray:
    """A bare wall, a little darker to one side: uint8, shape (480, 640, 3), RGB."""
    shade = np.linspace(1.05, 0.9, WIDTH)[None, :, None]
    return np.clip(np.full((HEIGHT, WIDTH, 3), WALL) * shade, 0, 255).astype(np.uint8)


def marked_wall() -> np.ndarray:
    """The bare wall with a poster, for a change of light to be told by: float, shape (480, 640, 3), RGB, 0 to 255."""
    scene = empty_scene().astype(np.float64)
    scene[80:220, 60:240] = (40, 90, 150)
    return scene


def item_scenes(label: str, classifier: Classifier, sure: float = 0.9) -> Iterator[np.ndarray]:
    """TrashNet's validation photos of a class that the classifier recognises surely in the camera's view.

    What uses them is about the way from camera to answer; how often the answer is right, test_accuracy.py asks.
    """
    square = central_square(WIDTH, HEIGHT)
    for path in validation_photos(label):
        scene = photo_scene(path)
        seen = scene[square.y : square.y + square.side, square.x : square.x + square.side]
        prediction = classifier.classify(np.ascontiguousarray(seen))
        threshold = classifier.metadata.rejection_threshold
        if prediction.label == label and prediction.confidence >= sure and prediction.score >= threshold + CLEAR:
            yield scene


def item_scene(label: str, classifier: Classifier, sure: float = 0.9) -> np.ndarray:
    """The first of `item_scenes`."""
    for scene in item_scenes(label, classifier, sure):
        return scene
    raise AssertionError(f"the shipped model recognises none of TrashNet's validation photos of {label}")


def write_clip(path: Path, scenes: Sequence[tuple[np.ndarray, float]]) -> Path:
    """Write scenes (RGB picture, seconds) as Motion JPEG, with a camera's noise."""
    random = np.random.default_rng(0)
    noises = random.normal(0, 2.5, (8, HEIGHT, WIDTH, 1))
    with path.open("wb") as out:
        for scene, seconds in scenes:
            frames = []
            for noise in noises:
                noisy = np.clip(scene + noise, 0, 255).astype(np.uint8)
                bgr = cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR)
                frames.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
            for number in range(round(seconds * RATE)):
                out.write(frames[number % len(frames)])
    return path
