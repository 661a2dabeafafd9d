"""Where the classifier looked, as a heat map on photos and on the video."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.look.heat import heat, heat_uri
from app.stream.frames import planes
from tests.helpers.fakes import frame, prediction
from tests.helpers.stream import Stream


def corner(row: int, column: int) -> np.ndarray:
    """An activation map with one hot cell."""
    activation = np.zeros((7, 7), np.float32)
    activation[row, column] = 1
    return activation


@pytest.fixture
def stream():
    stream = Stream()
    yield stream
    stream.engine.stop()


def test_heat_is_where_the_activation_is():
    colors, opacity = heat(corner(0, 6), 320, 240)
    assert colors.shape == (240, 320, 3)
    assert opacity.shape == (240, 320)
    assert np.unravel_index(opacity.argmax(), opacity.shape)[0] < 40
    assert np.unravel_index(opacity.argmax(), opacity.shape)[1] > 270
    assert 150 < opacity.max() < 220  # the item must still be seen
    assert not opacity[120:, :160].any()
    assert colors[5, 315].sum() > 500  # bright, and red before blue: RGB
    assert colors[5, 315, 0] >= colors[5, 315, 2]


def test_the_picture_to_lay_over_a_photo_is_a_small_png_with_opacity():
    content = base64.b64decode(heat_uri(corner(3, 3)).removeprefix("data:image/png;base64,"))
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (56, 56, 4)
    assert picture[28, 28, 3] > 150
    assert picture[2, 2, 3] == 0
    assert len(content) < 8000


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_video_shows_heat_where_the_item_is_only_if_asked_to(stream, mirrored):
    stream.classifier.answer = lambda rgb: replace(prediction(), activation=corner(1, 1))
    stream.processor.mirrored = mirrored
    for _ in range(30):
        plain = stream.show()
    stream.processor.shows_heat = True
    stream.show()
    hot = stream.show()
    changed = abs(planes(hot)[0].astype(int) - planes(plain)[0]) > 40
    rows, columns = np.nonzero(changed[:380])
    expected = 80 + (480 - 102 if mirrored else 102)  # the middle of the second cell of seven, in the square
    assert abs(columns.mean() - expected) < 15
    assert abs(rows.mean() - 102) < 15
    assert changed.mean() < 0.1


def test_nothing_unknown_is_explained(stream):
    stream.processor.shows_heat = True
    stream.classifier.answer = lambda rgb: replace(prediction(known=False), activation=corner(1, 1))
    plain = stream.processor.recv(frame(seed=1))
    stream.show()
    after = stream.processor.recv(frame(seed=1))
    assert abs(planes(after)[0].astype(int) - planes(plain)[0]).max() < 40
