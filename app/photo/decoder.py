"""Unpacks strangers' photos in a process of its own, which may crash, hang or swell without harm to the app.

A JPEG of 100 kB with some thousand scans keeps libjpeg busy for minutes, and no limit of Pillow's stops that; a fault
in a decoder written in C would end every stream. So one worker process (`app.photo.worker`) unpacks one photo at a
time, within limits that the kernel enforces, and is started anew whenever it has died.
"""

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model import PhotoError

log = logging.getLogger(__name__)

BYTES_PER_PIXEL = 17  # of address space that unpacking takes; all formats measured, WebP is the hungriest
HEADROOM_BYTES = 64 * 2**20  # of address space on top of that
STUCK_AFTER_S = 60.0  # by the wall clock; ends a worker that waits instead of working, which no limit of its own would

PACKAGES = Path(__file__).parents[2]  # the folder in which `python -m app.photo.worker` finds `app` and `model`


class PhotoDecoder:
    """One worker process, started with the first photo. Any thread may call it; photos queue for it.

    The attributes are for those who measure.

    Attributes:
        cpu_s: Processor time that the last photo with an answer took, in seconds.
        peak_kib: The most memory that its worker had taken by then, in KiB.
        died: The exit status of the worker if it died of the last photo, else None.
    """

    def __init__(self, max_pixels: int, seconds: float, max_bytes: int) -> None:
        """Make a decoder, without starting its worker yet.

        Args:
            max_pixels: Most pixels that a photo may unpack to.
            seconds: Most processor time that a photo of so many pixels may take, in seconds; smaller ones get less, and
                on a slow machine all get more, see `app.photo.worker`.
            max_bytes: Size of the largest file.
        """
        extra = HEADROOM_BYTES + BYTES_PER_PIXEL * max_pixels + 2 * max_bytes
        self._command = [sys.executable, "-m", "app.photo.worker", str(max_pixels), str(seconds), str(extra)]
        self._max_bytes = max_bytes
        self._lock = threading.Lock()  # guards all the rest; whoever holds it talks to the worker
        self._worker: subprocess.Popen[bytes] | None = None
        self._closed = False
        self.cpu_s = 0.0
        self.peak_kib = 0
        self.died: int | None = None

    def read(self, content: bytes) -> NDArray[np.uint8]:
        """Unpack a photo, as `model.read_photo` does.

        Args:
            content: The file's content.

        Returns:
            uint8, shape (height, width, 3), RGB.

        Raises:
            PhotoError: The photo cannot be used, takes too long or too much memory, or brings the worker down.
        """
        if len(content) > self._max_bytes:
            raise PhotoError("bytes", most=round(self._max_bytes / 2**20))
        with self._lock:
            self.died = None
            worker = self._worker = self._alive()
            assert worker.stdin is not None  # Both are pipes, see `_alive`.
            assert worker.stdout is not None
            watchdog = threading.Timer(STUCK_AFTER_S, worker.kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                worker.stdin.write(len(content).to_bytes(8, "big"))
                worker.stdin.write(content)
                worker.stdin.flush()
                answer = json.loads(worker.stdout.readline())
                self.cpu_s, self.peak_kib = answer["cpu_s"], answer.get("peak_kib", 0)
                if "error" in answer:
                    raise PhotoError(answer["error"], **answer["values"])
                rgb = np.empty(answer["shape"], np.uint8)
                if worker.stdout.readinto(rgb.data.cast("B")) != rgb.nbytes:  # type: ignore[attr-defined] # buffered
                    raise EOFError
                return rgb
            except (OSError, EOFError, json.JSONDecodeError):
                raise self._buried(worker, content) from None
            finally:
                watchdog.cancel()

    def close(self) -> None:
        """End the worker. A photo that comes later is refused. May be repeated."""
        with self._lock:
            self._closed = True
            if self._worker is not None:
                self._end(self._worker)
            self._worker = None

    def _alive(self) -> subprocess.Popen[bytes]:
        """The worker, started if there is none. Raises PhotoError if the decoder has been closed."""
        if self._closed:
            raise PhotoError("stopping")
        if self._worker is not None and self._worker.poll() is None:
            return self._worker
        secret = ("WHICHBIN_", "STREAMLIT_")  # kept from a decoder that a photo has taken over
        environ = {name: value for name, value in os.environ.items() if not name.startswith(secret)}
        # Else every thread's own memory pool and stack would count against the limit.
        environ |= {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            self._command,
            cwd=PACKAGES,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the server, which then closes the worker.
        )

    def _buried(self, worker: subprocess.Popen[bytes], content: bytes) -> PhotoError:
        """Clear away a dead worker; return what to say of the photo that it died of."""
        self._worker = None
        self._end(worker)
        self.died = worker.returncode
        what = signal.Signals(-self.died).name if self.died < 0 else f"status {self.died}"
        digest = hashlib.sha256(content).hexdigest()
        log.warning("A photo of %d bytes (SHA-256 %s) ended its decoder: %s", len(content), digest, what)
        if what == "SIGPROF":
            return PhotoError("slow")
        return PhotoError("fatal")

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        """Let a worker finish, or kill it if it does not within a second."""
        for pipe in (worker.stdin, worker.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # The worker is dead, and what was still to be written is lost.
                continue
        try:
            worker.wait(1.0)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
