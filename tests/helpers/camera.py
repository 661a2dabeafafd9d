"""Camera files for Chromium: what --use-file-for-fake-video-capture plays, over and over."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from app.stream.frames import central_square
from model import Classifier, read_photo
from tests.helpers.drawings import HEIGHT, WIDTH, drawing, empty_scene
from tests.helpers.trashnet import validation_photos

RATE = 30
HALF_RATE = 15  # as of a camera in dim light; 30 a second keep two cores busy with one visitor's browser and server
CLEAR = 2.0  # logits above the rejection threshold; the codec takes some of it
NOISE = 2.5  # standard deviation in levels


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


def marked_wall() -> np.ndarray:
    """The bare wall with a poster, for a change of light to be told by: float, shape (480, 640, 3), RGB, 0 to 255."""
    scene = empty_scene().astype(np.float64)
    scene[80:220, 60:240] = (40, 90, 150)
    return scene


def coded(frame: av.VideoFrame, rate: int) -> av.VideoFrame:
    """What the video's codec makes of a frame that comes all at once, in a video of `rate` frames a second."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.bit_rate, encoder.framerate = 500_000, rate
    encoder.options = {"deadline": "realtime", "cpu-used": "8"}
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return av.CodecContext.create("vp8", "r").decode(packets[0])[0]


def recognised(scene: np.ndarray, label: str, classifier: Classifier, sure: float = 0.9) -> bool:
    """Whether a classifier recognises a scene surely as a class, with the camera's noise, as the codec leaves it."""
    square, random = central_square(WIDTH, HEIGHT), np.random.default_rng(0)
    noisy = np.clip(scene + random.normal(0, NOISE, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8)
    view = coded(av.VideoFrame.from_ndarray(noisy, format="rgb24"), HALF_RATE).to_ndarray(format="rgb24")
    seen = view[square.y : square.y + square.side, square.x : square.x + square.side]
    prediction = classifier.classify(np.ascontiguousarray(seen))
    threshold = classifier.metadata.rejection_threshold
    return prediction.label == label and prediction.confidence >= sure and prediction.score >= threshold + CLEAR


def photo_scenes(label: str, classifier: Classifier) -> Iterator[np.ndarray]:
    """TrashNet's validation photos of a class, those that the classifier recognises surely in the camera's view.

    What uses them is about the way from camera to answer; how often the answer is right, test_accuracy.py asks.
    """
    scenes = (photo_scene(path) for path in validation_photos(label))
    return (scene for scene in scenes if recognised(scene, label, classifier))


def item_scene(label: str, classifier: Classifier) -> np.ndarray:
    """A drawn item, "metal" or "paper", that the classifier recognises surely: uint8, shape (480, 640, 3), RGB."""
    scene = drawing(label)
    assert recognised(scene, label, classifier), f"the model does not recognise tests/helpers/drawings.py's {label}"
    return scene


def write_clip(path: Path, scenes: Sequence[tuple[np.ndarray, float]]) -> Path:
    """Write scenes (RGB picture, seconds) with a camera's noise, by the file's suffix.

    .mjpeg is Motion JPEG, which Chromium plays at RATE; .y4m is YUV4MPEG2 of HALF_RATE, 7 MB a second.
    """
    rate = {".mjpeg": RATE, ".y4m": HALF_RATE}[path.suffix]
    random = np.random.default_rng(0)
    noises = random.normal(0, NOISE, (8, HEIGHT, WIDTH, 1))
    with path.open("wb") as out:
        if rate == HALF_RATE:
            out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for scene, seconds in scenes:
            frames = []
            for noise in noises:
                noisy = np.clip(scene + noise, 0, 255).astype(np.uint8)
                if rate == HALF_RATE:
                    frames.append(b"FRAME\n" + cv2.cvtColor(noisy, cv2.COLOR_RGB2YUV_I420).tobytes())
                else:
                    bgr = cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR)
                    frames.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
            for number in range(round(seconds * rate)):
                out.write(frames[number % len(frames)])
    return path
