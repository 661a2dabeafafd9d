"""The process that unpacks strangers' photos, one after another. `app.photo.decoder` starts and ends it.

Arguments: the most pixels that a photo may unpack to, the most processor time that it may take in seconds, and how many
bytes of address space the process may have on top of what it has at its start.

Standard input, for each photo: 8 bytes with the length of the file, big-endian, then the file.

Standard output, for each photo: a line of JSON, either {"shape": [height, width, 3]}, followed by height * width * 3
bytes of RGB, or {"error": reason, "values": {...}}. For those who measure, the line also has "cpu_s" and "peak_kib".
"""

import json
import os
import sys
import time

from model.photos import PhotoError, read_photo

if sys.platform != "win32":  # On Windows nothing but the parent's patience limits this process.
    import resource
    import signal


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
