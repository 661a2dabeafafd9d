"""Frames as planes: crops, mirrors, black pictures."""

import fractions

import av
import numpy as np
import pytest

from app.stream.frames import central_square, is_black, mirror, planes, square_to_rgb, writable_yuv
from tests.helpers.fakes import frame


@pytest.mark.parametrize(
    ("width", "height"), [(640, 480), (480, 640), (641, 479), (322, 242), (100, 100), (1920, 1080)]
)
def test_the_square_is_even_central_and_as_large_as_fits(width, height):
    square = central_square(width, height)
    assert square.side in (min(width, height), min(width, height) - 1)
    assert square.x % 2 == square.y % 2 == square.side % 2 == 0
    assert abs((width - square.side) / 2 - square.x) <= 2
    assert abs((height - square.side) / 2 - square.y) <= 2
    assert square.x + square.side <= width
    assert square.y + square.side <= height


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (638, 478)])
def test_the_square_reaches_the_classifier_as_plain_conversion_would(width, height):
    smooth = np.linspace(30, 220, width, dtype=np.uint8)[None, :, None] * np.ones((height, 1, 3), np.uint8)
    smooth[:, :, 1] = 90
    source = av.VideoFrame.from_ndarray(smooth, format="rgb24").reformat(format="yuv420p")
    square = central_square(width, height)
    rgb = square_to_rgb(source, square, 224)()
    assert rgb.shape == (224, 224, 3)
    assert rgb.dtype == np.uint8
    whole = source.to_ndarray(format="rgb24")[square.y : square.y + square.side, square.x : square.x + square.side]
    scale = square.side / 224
    for row, column in ((10, 10), (112, 112), (200, 30), (30, 200)):
        expected = whole[int((row + 0.5) * scale), int((column + 0.5) * scale)].astype(int)
        assert abs(rgb[row, column] - expected).max() <= 4


def test_the_copy_does_not_see_what_is_drawn_later():
    source = frame()
    later = square_to_rgb(source, central_square(640, 480), 224)
    for plane in planes(source):
        plane[:] = 16
    assert later().mean() > 60


def test_writable_frames_keep_their_time_and_take_other_formats():
    source = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="bgr24")
    source.pts, source.time_base = 1234, fractions.Fraction(1, 90_000)
    made = writable_yuv(source)
    assert made.format.name == "yuv420p"
    assert (made.pts, made.time_base) == (1234, fractions.Fraction(1, 90_000))
    for plane in planes(made):
        plane[0, 0] = 1


@pytest.mark.parametrize("width", [640, 638, 70])
def test_mirroring_flips_every_plane(width):
    source = writable_yuv(frame(width=width, height=64))
    before = [plane.copy() for plane in planes(source)]
    mirror(source)
    for old, new in zip(before, planes(source), strict=True):
        assert (new == old[:, ::-1]).all()


def test_black_is_told_from_dark():
    black = av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24").reformat(format="yuv420p")
    assert is_black(black)
    assert not is_black(frame(color=(14, 14, 14)))
    assert not is_black(frame())
