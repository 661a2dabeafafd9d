"""Gives the memory and the files of an ended stream back soon after its end.

A WebRTC connection is many objects that refer to each other, so only the garbage collector can free them. Its full
passes are rare, and a busy kiosk would gather hundreds of megabytes between two of them. Besides, glibc keeps what is
freed, in up to eight heaps for each core. Measured with `python -m tests.measure.soak`: without this module a
connection leaves about 1 MiB behind, with it next to nothing; two heaps hold 160 MiB where sixteen held 230. One pass
of the garbage collector takes about 5 ms.
"""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable

DELAY_S = 2.0  # from a stream's end to the clean-up; by then its connection is closed too
M_ARENA_MAX = -8  # glibc's name and number for the most heaps, from malloc.h


def few_heaps() -> None:
    """Have all threads share two of the C library's heaps. Call it before threads start (glibc only; mallopt(3))."""
    if mallopt := _of_libc("mallopt"):
        mallopt(M_ARENA_MAX, 2)


def settle() -> None:
    """Spare later garbage collections what stays for good (`gc.freeze`). Call it once all of that has been made."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free unreachable objects, and return free memory to the system where the C library can (glibc)."""
    gc.collect()
    if trim := _of_libc("malloc_trim"):
        trim(0)


def give_back_soon() -> None:
    """Call `give_back` after DELAY_S, on a thread of its own."""
    timer = threading.Timer(DELAY_S, give_back)
    timer.daemon = True
    timer.start()


def _of_libc(name: str) -> Callable[..., int] | None:
    """A function of the C library, or None where it has none of that name (only glibc has these)."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
