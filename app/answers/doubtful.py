"""Pictures whose answer a visitor has corrected, in a folder, if the operator wants to keep them."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

MOST_PICTURES = 1000
MOST_BYTES = 200 * 2**20


class DoubtfulError(RuntimeError):
    """The folder cannot be used. The message names the folder and the reason."""


class Doubtful:
    """A folder with one PNG file for each picture, and beside it a JSON file that says what was said of it.

    The folder is bounded. Once it is full, nothing more is kept until somebody empties it, so that nobody can push
    older pictures out. Thread-safe.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        most: int = MOST_PICTURES,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make the folder, readable by this user alone, if it is not there.

        Args:
            folder: Where to keep the pictures.
            model: The model's version, its SHA-256.
            most: How many pictures are kept at most.
            most_bytes: How many bytes all files of the folder may have.
            clock: Gives Unix seconds.

        Raises:
            DoubtfulError: The folder cannot be made.
        """
        self.folder = folder
        self._model = model
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DoubtfulError(f"{folder}: cannot be made ({error.strerror})") from error

    def keep(self, rgb: NDArray[np.uint8], said: str, right: str, probabilities: Mapping[str, float]) -> bool:
        """Keep a picture, if there is room. If it cannot be written, the log says why, and nothing is raised.

        Args:
            rgb: What was classified: uint8, shape (height, width, 3), RGB.
            said: The label that was said; empty for "not sure".
            right: The label that the visitor gave; empty for "none of these".
            probabilities: Of the answer, by label, 0 to 1.

        Returns:
            Whether it is kept.
        """
        now = self._clock()
        record = {
            "said": said,
            "right": right,
            "probabilities": {label: round(float(share), 4) for label, share in probabilities.items()},
            "model": self._model,
            "time": round(now, 3),
        }
        _, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        picture, text = encoded.tobytes(), json.dumps(record, ensure_ascii=False, indent=1).encode()
        name = f"{int(now * 1000)}-{uuid.uuid4().hex[:8]}"
        with self._lock:
            try:
                sizes = [file.stat().st_size for file in self.folder.iterdir()]
                pictures = sum(1 for _ in self.folder.glob("*.png"))
                if pictures >= self._most or sum(sizes) + len(picture) + len(text) > self._most_bytes:
                    log.warning("%s: is full; the picture of a correction is not kept", self.folder)
                    return False
                (self.folder / f"{name}.json").write_bytes(text)
                (self.folder / f"{name}.png").write_bytes(picture)
            except OSError as error:
                log.warning("%s: the picture of a correction cannot be kept (%s)", self.folder, error)
                return False
        return True
