"""Finds photos of the same object, so that no group of them ends up on both sides of a split."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
HASH_SIDE = 8  # a hash has 8 x 8 bits
# Two photos are of one object from this cosine of their pooled features on if their hashes are that near ...
SIMILAR_COSINE = 0.85
NEAR_HASH_BITS = 12
# ... and from this one on whatever their hashes: the object was moved between the two
SAME_OBJECT_COSINE = 0.90


def perceptual_hash(rgb: Pixels) -> NDArray[np.bool_]:
    """Compute a perceptual hash that survives resizing, compression and changes of light (Zauner 2010, "pHash").

    Args:
        rgb: uint8, (height, width, 3), RGB.

    Returns:
        bool, (64,): which of the lowest frequencies of the grey picture are above their median.
    """
    grey = cv2.cvtColor(cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    low = cv2.dct(grey.astype(np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()
    return np.asarray(low > np.median(low[1:]))  # the first is the mean brightness and would only distort it


def groups(hashes: NDArray[np.bool_], features: NDArray[np.float32]) -> NDArray[np.int64]:
    """Put photos that a chain of near pairs joins into one group.

    Args:
        hashes: bool, (n, 64), by `perceptual_hash`.
        features: float32, (n, channels), what a network makes of the photos; their length does not matter.

    Returns:
        The group of each photo, int64, (n,), numbered from 0 in the order of their first photos.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    signs = np.where(hashes, 1, -1).astype(np.float32)
    distance = (hashes.shape[1] - signs @ signs.T) / 2
    cosine = unit @ unit.T
    near = (cosine >= SAME_OBJECT_COSINE) | ((cosine >= SIMILAR_COSINE) & (distance <= NEAR_HASH_BITS))
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


def conflicts(classes: Mapping[str, Sequence[Path]]) -> list[list[Path]]:
    """Files with the same content in different classes: for each such content, all its copies.

    Args:
        classes: Class name to files. Only files of which another one has the size are read.
    """
    by_size: dict[int, list[tuple[str, Path]]] = {}
    for name, paths in classes.items():
        for path in paths:
            if path.is_file():  # a link to nothing is named when the photos are checked
                by_size.setdefault(path.stat().st_size, []).append((name, path))
    copies: dict[bytes, list[tuple[str, Path]]] = {}
    for size, alike in by_size.items():
        if size and len({name for name, _ in alike}) > 1:
            for name, path in alike:
                copies.setdefault(hashlib.sha256(path.read_bytes()).digest(), []).append((name, path))
    return [[path for _, path in same] for same in copies.values() if len({name for name, _ in same}) > 1]
