"""Pixels on their way to the network."""

import numpy as np
import pytest

from model.preprocessing import check_image, preprocess


def test_the_whole_picture_is_kept():
    picture = np.zeros((300, 600, 3), np.uint8)
    picture[:, :300] = (255, 0, 0)
    picture[:, 300:] = (0, 0, 255)
    pixels = preprocess(picture, 224)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    assert (pixels[:, :111] == (255, 0, 0)).all()
    assert (pixels[:, 113:] == (0, 0, 255)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 2), (224, 224), (100, 500), (223, 225)])
def test_any_size_is_taken(shape):
    picture = np.full((*shape, 3), (77, 20, 200), np.uint8)
    pixels = preprocess(picture, 224)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert (pixels == (77, 20, 200)).all()


def test_enlarging_interpolates_instead_of_repeating():
    picture = np.dstack([np.array([[0, 200]], np.uint8)] * 3)
    row = preprocess(picture, 224)[100, :, 0].astype(int)
    assert (row[0], row[-1]) == (0, 200)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() <= 3


def test_the_size_that_is_asked_for_is_the_size_that_comes():
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    assert preprocess(picture, 32).shape == (32, 32, 3)
    assert preprocess(picture).shape == (224, 224, 3)


def test_a_picture_of_the_right_size_is_not_touched():
    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    assert (preprocess(picture, 224) == picture).all()
    assert preprocess(picture[:, ::-1], 224).flags.c_contiguous


def test_shrinking_averages_instead_of_picking():
    checks = (np.indices((448, 448)).sum(0) % 2 * 255).astype(np.uint8)
    pixels = preprocess(np.dstack([checks] * 3), 224)
    assert abs(pixels.astype(int) - 127.5).max() <= 1


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), TypeError, "float32"),
        ([[1, 2, 3]], TypeError, "list"),
        (None, TypeError, "NoneType"),
        (np.zeros((4, 4), np.uint8), ValueError, r"\(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, r"\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, "at least one pixel"),
    ],
)
def test_what_is_no_picture_is_refused_saying_what_came(bad, error, words):
    with pytest.raises(error, match=words) as caught:
        check_image(bad)
    assert "expected a uint8 array of shape (height, width, 3), RGB" in str(caught.value)
