"""The process that unpacks strangers' photos, one after another. `app.photo.decoder` starts and ends it.

Arguments: the most pixels that a photo may unpack to, the processor time in seconds that a photo of so many pixels may
take on the machine that the default was measured on, and how many bytes of address space the process may have on top
of what it has at its start.

Standard input, for each photo: 8 bytes with the length of the file, big-endian, then the file.

Standard output, for each photo: a line of JSON, either {"shape": [height, width, 3]}, followed by height * width * 3
bytes of RGB, or {"error": reason, "values": {...}}. For those who measure, the line also has "cpu_s" and "peak_kib".
"""

import io
import json
import os
import sys
import time

import numpy as np
from PIL import Image

from model.photos import PhotoError, read_photo

if sys.platform != "win32":  # On Windows nothing but the parent's patience limits this process.
    import resource
    import signal

# Every photo is given this share of the time that the largest may take, and the rest by its pixels: a small one too has
# a header, and pixels that no header tells of, such as the frames before the one that is shown.
SHARE_OF_ANY = 1 / 6
SAMPLE_SIDE_PX = 512
SAMPLE_S = 0.0038  # processor time of `sample_s` on the machine that `max_photo_seconds` was measured on
SLOWEST = 4.0  # how much more time a slow machine is given at most, so that a harmful photo ends there too


def sample_s() -> float:
    """Pack and unpack a JPEG of noise; return the processor time that it took in seconds, the least of three times."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (SAMPLE_SIDE_PX, SAMPLE_SIDE_PX, 3), np.uint8))
    times = []
    for _ in range(3):
        begun, file = time.process_time(), io.BytesIO()
        noise.save(file, "JPEG", quality=90)
        Image.open(file).load()
        times.append(time.process_time() - begun)
    return min(times)


def slowness() -> float:
    """How many times as much processor time this machine is given as the one that the default was measured on."""
    return min(SLOWEST, max(1.0, sample_s() / SAMPLE_S))


def allowed_s(seconds: float, pixels: int, max_pixels: int) -> float:
    """The processor time that a photo may take.

    Args:
        seconds: What a photo of `max_pixels` may take.
        pixels: How many the photo has.
        max_pixels: The most that are unpacked.
    """
    return seconds * (SHARE_OF_ANY + (1 - SHARE_OF_ANY) * min(1.0, pixels / max_pixels))


def limit_memory(extra: int) -> None:
    """Let the process grow no further than so, write no file and leave no core dump (Linux only).

    Args:
        extra: How many bytes of address space it may have on top of what it has now.
    """
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            most = int(statm.read().split()[0]) * resource.getpagesize() + extra
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: float) -> None:
    """Have the kernel end the process with SIGPROF after a time (not on Windows).

    Args:
        seconds: Processor time from now, of all threads together; 0 lifts the limit.
    """
    if sys.platform != "win32":
        # The signal has no handler and so ends the process: decoders written in C do not return to Python, so that a
        # handler written in Python would not run.
        signal.setitimer(signal.ITIMER_PROF, seconds)


def peak_kib() -> int:
    """The most memory that this process has had, in KiB.

    On Linux this is the kernel's own figure of this program: the one of getrusage begins at what the parent had.
    """
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Unpack photos until the input ends."""
    max_pixels, seconds, extra = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # A library that prints must not get between the answers.
    limit_memory(extra)
    Image.MAX_IMAGE_PIXELS = None  # `read_photo` has a limit of its own, and can say how many pixels a photo has.
    seconds *= slowness()
    while header := sys.stdin.buffer.read(8):
        content = sys.stdin.buffer.read(int.from_bytes(header, "big"))
        begun = time.process_time()
        answer: dict[str, object] = {}
        pixels = memoryview(b"")
        limit_time(allowed_s(seconds, 0, max_pixels))
        try:
            # From the header on the time starts anew, which is at most what any photo is given on top.
            rgb = read_photo(content, max_pixels, lambda pixels: limit_time(allowed_s(seconds, pixels, max_pixels)))
            answer["shape"], pixels = rgb.shape, rgb.data
            del rgb
        except PhotoError as error:
            answer |= {"error": error.reason, "values": error.values}
        limit_time(0)
        answer["cpu_s"] = time.process_time() - begun
        if sys.platform != "win32":
            answer["peak_kib"] = peak_kib()
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(pixels)
        answers.flush()
        del pixels, content


if __name__ == "__main__":
    main()
