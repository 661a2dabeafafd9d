"""Ended streams leave nothing to the garbage collector's moods."""

import gc
import platform
import subprocess
import sys
import weakref

import pytest

from app.stream import memory
from tests.helpers.stream import Stream
from tests.helpers.trashnet import ROOT
from tests.helpers.waiting import wait_until

# Six threads at once, each of which takes memory from the C library; then its list of heaps
THREADS = """
import ctypes, threading
from app.stream import memory
{first}
together = threading.Barrier(7)
held = []
def take():
    held.append(bytearray(10_000))
    together.wait()
for _ in range(6):
    threading.Thread(target=take).start()
together.wait()
libc = ctypes.CDLL(None)
out = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, out)
libc.fflush(out)
"""


class Knot:
    """Something that only the garbage collector can free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def no_collector():
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def test_what_is_unreachable_is_freed_and_what_was_settled_is_kept():
    kept = Knot()
    memory.settle()
    gone = weakref.ref(Knot())
    memory.give_back()
    assert gone() is None
    assert kept.me is kept


def test_the_end_of_a_stream_frees_it_soon(monkeypatch):
    monkeypatch.setattr(memory, "DELAY_S", 0.05)
    stream = Stream()
    stream.show()
    gone = weakref.ref(Knot())
    stream.processor.close()
    wait_until(lambda: gone() is None, why="closing a stream freed nothing")
    stream.engine.stop()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_threads_share_two_heaps():
    def heaps(first: str) -> int:
        command = [sys.executable, "-c", THREADS.format(first=first)]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.count("<heap nr=")

    assert heaps("") > 2
    assert heaps("memory.few_heaps()") == 2
