"""Unpacks strangers' photos in a process of its own, which may crash, hang or swell without the app noticing.

A JPEG of 100 kB with some thousand scans keeps libjpeg busy for minutes, and no limit of Pillow's stops it; a fault in
a decoder written in C would end every stream. So one worker process (`app.photo.worker`) unpacks one photo at a time,
with limits that the kernel keeps, and is started anew where it has died.
"""

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading

import numpy as np
from numpy.typing import NDArray

from app.settings import ROOT
from model import PhotoError

log = logging.getLogger(__name__)

BYTES_A_PIXEL = 17  # of address space that unpacking takes; WebP is the hungriest, all formats measured
ROOM = 64 * 2**20  # bytes on top of that
STUCK = 60.0  # seconds by the clock after which a worker is ended that waits instead of working


class PhotoDecoder:
    """One worker process, started with the first photo. From any thread; photos queue for it."""

    def __init__(self, max_pixels: int, seconds: float, max_bytes: int) -> None:
        """max_pixels and seconds of processor time: that one photo may take. max_bytes: of the largest file."""
        extra = ROOM + BYTES_A_PIXEL * max_pixels + 2 * max_bytes
        self._command = [sys.executable, "-m", "app.photo.worker", str(max_pixels), str(seconds), str(extra)]
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None  # guarded by the lock, like the next
        self._closed = False
        self.cpu_s = 0.0  # that the last photo took, if it was answered; for those who measure, like the next two
        self.peak_kib = 0  # of the worker's memory so far
        self.died: int | None = None  # exit status of the worker if it died of the last photo

    def read(self, content: bytes) -> NDArray[np.uint8]:
        """`model.read_photo` of a file's content: uint8, shape (height, width, 3), RGB.

        Raises PhotoError also for what takes too long, too much memory, or brings the decoder down.
        """
        if len(content) > self._max_bytes:
            raise PhotoError("bytes", most=round(self._max_bytes / 2**20))
        with self._lock:
            self.died = None
            worker = self._worker = self._alive()
            assert worker.stdin is not None  # pipes, see _alive
            assert worker.stdout is not None
            watchdog = threading.Timer(STUCK, worker.kill)
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
        if self._closed:
            raise PhotoError("stopping")
        if self._worker is not None and self._worker.poll() is None:
            return self._worker
        secret = ("WHICHBIN_", "STREAMLIT_")  # nothing that a hijacked decoder would like to read
        environ = {name: value for name, value in os.environ.items() if not name.startswith(secret)}
        # threads' own pools of memory and stacks would count against the limit
        environ |= {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the server, which then closes this one
        )

    def _buried(self, worker: subprocess.Popen[bytes], content: bytes) -> PhotoError:
        """What to say of the photo that the worker died of."""
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
        for pipe in (worker.stdin, worker.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # what could not be written to a dead worker
                continue
        try:
            worker.wait(1.0)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
