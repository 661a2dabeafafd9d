"""Pictures in which nothing is held up, for the output that means "none of the labels".

This is outlier exposure (Hendrycks et al. 2019, arXiv:1812.04606) with a class of its own. The pictures are scenes
from disk and cheap synthetic ones: without an item, a camera mostly sees a wall, a blurred room or the dark.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from training.pictures.augmentation import geometric, photometric

Pixels = NDArray[np.uint8]


def empty_scene(size: int, rng: np.random.Generator) -> Pixels:
    """Draw a synthetic view of nothing: a wall, a gradient, noise, soft shapes, or darkness.

    Args:
        size: Side of the picture in pixels.
        rng: Source of all randomness.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    kind = rng.integers(5)
    base = rng.uniform(0, 255, 3) * rng.uniform(0.4, 1) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 255))
    if kind == 0:
        scene = np.broadcast_to(base, (size, size, 3))
    elif kind == 1:
        corners = np.clip(base + rng.normal(0, 50, (2, 2, 3)), 0, 255).astype(np.float32)
        scene = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)
    elif kind == 2:
        grain = int(rng.integers(4, size + 1))
        noise = np.clip(base + rng.normal(0, rng.uniform(5, 60), (grain, grain, 3)), 0, 255).astype(np.float32)
        scene = cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR)
    elif kind == 3:  # a room out of focus, with edges such as a door frame
        cells = int(rng.integers(2, 9))
        rooms = rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32) * 0.6 + base.astype(np.float32) * 0.4
        scene = cv2.resize(rooms, (size, size), interpolation=cv2.INTER_NEAREST)
        scene = cv2.GaussianBlur(scene, (0, 0), size * rng.uniform(0.02, 0.12))
    else:
        scene = np.broadcast_to(base * rng.uniform(0, 0.12), (size, size, 3))
    grained = scene + rng.normal(0, rng.uniform(0, 6), (size, size, 1))
    return np.clip(grained, 0, 255).astype(np.uint8)


def background_view(scenes: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """Draw one random picture for the background output.

    Args:
        scenes: Pictures to draw from, uint8, (n, height, width, 3), RGB. If there are none, all are synthetic.
        size: Side of the picture in pixels.
        rng: Source of all randomness.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    if not len(scenes) or rng.random() < 0.35:
        return empty_scene(size, rng)
    view = geometric(scenes[rng.integers(len(scenes))], size, rng, scale=(0.1, 1.0))
    view = photometric(view, rng)
    chance = rng.random()
    if chance < 0.25:  # so far out of focus that nothing in it can be named
        return cast(Pixels, cv2.GaussianBlur(view, (0, 0), size * rng.uniform(0.02, 0.08)))
    if chance < 0.35:
        return (view * rng.uniform(0.03, 0.3)).astype(np.uint8)
    return view
