"""Finds photos of one object, so that no group of them ends up on both sides of a split. numpy and OpenCV only."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
HASH_SIDE = 8
HASH_DISTANCE = 12  # of 64 bits
SIMILARITY = 0.85  # cosine of pooled features that makes near-duplicates of a pair with hashes that near
SAME_OBJECT = 0.90  # cosine from which the hashes do not matter: the object was moved between two photos


def perceptual_hash(rgb: Pixels) -> NDArray[np.bool_]:
    """64 bits: which of the lowest frequencies of the grey picture are above their median (Zauner 2010, "pHash").

    rgb: uint8, (h, w, 3), RGB.
    """
    grey = cv2.cvtColor(cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    low = cv2.dct(grey.astype(np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()
    return np.asarray(low > np.median(low[1:]))  # without the first, the mean brightness


def groups(hashes: NDArray[np.bool_], features: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each photo, (n,), numbered from 0 in the order of their first photos.

    hashes: (n, 64). features: (n, m), any length. Photos are of one group where a chain of near pairs joins them.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    signs = np.where(hashes, 1, -1).astype(np.float32)
    distance = (hashes.shape[1] - signs @ signs.T) / 2
    cosine = unit @ unit.T
    near = (cosine >= SAME_OBJECT) | ((cosine >= SIMILARITY) & (distance <= HASH_DISTANCE))
    parent = np.arange(len(hashes))

    def root(photo: int) -> int:
        while parent[photo] != photo:
            photo = int(parent[photo])
        return photo

    for first, second in np.argwhere(np.triu(near, 1)):
        a, b = sorted((root(int(first)), root(int(second))))
        parent[b] = a
    roots = [root(photo) for photo in range(len(hashes))]
    numbers = {of_group: number for number, of_group in enumerate(dict.fromkeys(roots))}
    return np.array([numbers[of_group] for of_group in roots], np.int64)


def conflicts(paths: Sequence[Path]) -> list[list[Path]]:
    """Byte-identical photos under different classes (folder names): each list holds all copies of one."""
    copies: dict[str, list[Path]] = {}
    for path in paths:
        copies.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path)
    return [same for same in copies.values() if len({path.parent.name for path in same}) > 1]
