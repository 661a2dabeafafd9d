"""What a visitor waits for, and what the server takes, measured on this machine: python -m tests.measure.visit

Prints medians of several tries; run it on an idle machine. The camera is a file, the browser a headless Chromium that
shares the cores with the server.
"""

import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from model import Classifier
from tests.helpers.browser import launch
from tests.helpers.camera import item_scene, write_clip
from tests.helpers.server import Server
from tests.helpers.trashnet import ROOT
from tests.helpers.video import ANNOTATED

TRIES = 5
HEALTH = "http://localhost:8599/_stcore/health"


def make_run_seconds() -> float:
    """From typing `make run` on a set-up machine until the server answers."""
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", "PORT=8599"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                urllib.request.urlopen(HEALTH, timeout=1).close()
                return time.monotonic() - began
            except OSError:
                if process.poll() is not None or time.monotonic() - began > 60:
                    raise
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()


def resident_mib(pid: int) -> float:
    """Resident memory of a process in MiB (Linux)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def load_seconds() -> float:
    """Time to load the classifier."""
    began = time.monotonic()
    Classifier.load()
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    print(f"Classifier.load()               {statistics.median(load_seconds() for _ in range(TRIES)):.2f} s")
    print(f"make run until it answers       {statistics.median(make_run_seconds() for _ in range(TRIES)):.1f} s")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        clip = write_clip(Path(scratch) / "camera.mjpeg", [(item_scene("metal", Classifier.load()), 20)])
        server = Server(Path(scratch) / "log.txt").wait_until_ready()
        try:
            waits = []
            for _ in range(TRIES):
                browser = launch(playwright, clip)
                page = browser.new_page()
                began = time.monotonic()
                page.goto(server.url)
                page.wait_for_function(ANNOTATED, polling=50, timeout=60_000)
                waits.append(time.monotonic() - began)
                page.wait_for_timeout(10_000)
                figures, memory = page.locator(".wb-figures").text_content() or "", resident_mib(server.process.pid)
                browser.close()
            print(f"page opened until annotated     {statistics.median(waits):.1f} s (at most {max(waits):.1f} s)")
            print(f"resident memory, one stream     {memory:.0f} MiB")
            print(f"the page's own figures          {', '.join(figures.splitlines())}")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
