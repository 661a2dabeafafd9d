"""The process that unpacks strangers' photos, one after another. Started and ended by `app.photo.decoder`.

Arguments: most pixels, processor seconds a photo, and bytes of address space on top of what the process has at start.
In: 8 bytes with a file's length, big-endian, then the file. Out: a line of JSON, {"shape": [height, width, 3]} followed
by that many bytes of RGB, or {"error": reason, "values": {...}}; and, for those who measure, "cpu_s" and "peak_kib".
"""

import json
import os
import sys
import time

from model.photos import PhotoError, read_photo

if sys.platform != "win32":  # where nothing but the parent's patience limits this process
    import resource
    import signal


def limit_memory(extra: int) -> None:
    """Let the process have `extra` bytes more than now, write no file and leave no core (Linux; others know less)."""
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            most = int(statm.read().split()[0]) * resource.getpagesize() + extra
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: float) -> None:
    """Have the kernel end the process after so many seconds of processor time, of all its threads; 0: no longer."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)  # decoders in C do not come back to Python: no handler would run


def peak_kib() -> int:
    """The most memory that this process has had, in KiB.

    Not getrusage's figure where Linux has its own: that one begins at what the parent had, not this program.
    """
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Serve until the input ends."""
    max_pixels, seconds, extra = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not get between the answers
    limit_memory(extra)
    while header := sys.stdin.buffer.read(8):
        content = sys.stdin.buffer.read(int.from_bytes(header, "big"))
        begun = time.process_time()
        answer: dict[str, object] = {}
        pixels = memoryview(b"")
        limit_time(seconds)
        try:
            rgb = read_photo(content, max_pixels)
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
