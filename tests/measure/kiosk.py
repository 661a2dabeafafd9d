"""The kiosk's figures (issue 5), measured on this machine: python -m tests.measure.kiosk

The camera is a file with noise, the browser a headless Chromium that shares the cores with the server. The items are
photos that the model recognises: what is measured is the way from camera to answer.
"""

import argparse
import itertools
import math
import signal
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from app.advice.bins import load_rules
from model import Classifier
from tests.helpers.browser import launch
from tests.helpers.camera import item_scene, marked_wall, photo_scenes, write_clip
from tests.helpers.drawings import empty_scene
from tests.helpers.kiosk import RECORD, recover, wait_for_scene
from tests.helpers.server import Server

HELD = 4.0  # seconds that an item is held up, and that the view is empty after it
OF_EACH = 2  # items of each class
ROUND_TRIP = 0.09  # seconds that the returned video is late (docs/measured.md); nobody waits that long for the answer

# When the view in the returned video changes from empty to something else, in seconds of the page's clock.
WATCH = """
window.shown = [];
(() => {
  const canvas = new OffscreenCanvas(16, 16), context = canvas.getContext('2d', { willReadFrequently: true });
  let empty = null, was = false;
  const look = () => {
    const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
    if (video?.videoWidth) {
      context.drawImage(video, 0, 0, 16, 16);
      const now = context.getImageData(0, 0, 16, 16).data;
      const attract = window.scenes?.at(-1);
      if (attract?.scene === 'attract' && performance.now() / 1000 - attract.at > 0.5 && !was) empty ??= now;
      if (empty) {
        const differs = now.reduce((sum, value, n) => sum + Math.abs(value - empty[n]), 0) / now.length > 8;
        if (differs && !was) window.shown.push(performance.now() / 1000);
        was = differs;
      }
    }
    requestAnimationFrame(look);
  };
  look();
})();
"""


def open_kiosk(browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(RECORD)
    page.add_init_script(WATCH)
    page.goto(f"{url}/kiosk")
    wait_for_scene(page, "attract", 30)
    return page


def answer_times(playwright, server: Server, classifier: Classifier, folder: Path, items: int) -> list[float]:
    """Seconds from each item's appearance to the right answer on the screen."""
    names = load_rules(classifier.labels)
    found = [
        (label, scene)
        for label in classifier.labels
        for scene in itertools.islice(photo_scenes(label, classifier), OF_EACH)
    ]
    scenes = itertools.chain.from_iterable(((empty_scene(), HELD), (scene, HELD)) for _, scene in found)
    browser = launch(playwright, write_clip(folder / "items.mjpeg", list(scenes)))
    page = open_kiosk(browser, server.url)
    page.wait_for_timeout(2 * HELD * 1000 * items)
    shown, screens = page.evaluate("[window.shown, window.scenes]")
    browser.close()
    expected = itertools.cycle(names.category(label).name for label, _ in found)
    times = []
    for appeared, following in zip(shown, [*shown[1:], math.inf], strict=True):
        name = next(expected)
        answers = [s for s in screens if s["scene"] == "answer" and appeared - 0.1 < s["at"] < following]
        right = [s["at"] - appeared + ROUND_TRIP for s in answers if s["name"] == name]
        times.append(right[0] if right else math.inf)
        if not right:
            print(f"{name}, shown at {appeared:.1f} s, was not answered: {[s['name'] for s in answers]}", flush=True)
    return times


def screens_during(playwright, server: Server, clip: Path, seconds: float) -> list[dict]:
    """Every screen of a kiosk that sees a clip."""
    browser = launch(playwright, clip)
    page = open_kiosk(browser, server.url)
    page.wait_for_timeout(seconds * 1000)
    screens = page.evaluate("window.scenes")
    browser.close()
    return screens


def empty_clip(folder: Path) -> Path:
    """An empty view whose light drifts, jumps and comes back."""
    wall = marked_wall()
    gains = [*np.linspace(1.0, 0.7, 20), *[0.7] * 5, *[1.2] * 10, *[0.5] * 10, *np.linspace(0.5, 1.0, 15)]
    return write_clip(folder / "empty.mjpeg", [(np.clip(wall * gain, 0, 255).astype(np.uint8), 1) for gain in gains])


def recovery_seconds(playwright, clip: Path, folder: Path) -> float:
    """From the start of a new server, five seconds after the old one was killed, to the invitation with video."""
    server = Server(folder / "log1.txt").wait_until_ready()
    browser = launch(playwright, clip)
    page = open_kiosk(browser, server.url)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    time.sleep(5)
    begun = time.monotonic()
    server = Server(folder / "log2.txt", port=server.port)
    recover(page, 60)
    took = time.monotonic() - begun
    browser.close()
    server.stop()
    return took


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.kiosk", description=__doc__)
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--empty-minutes", type=float, default=10)
    parser.add_argument("--still-seconds", type=float, default=60)
    parser.add_argument("--outages", type=int, default=5)
    options = parser.parse_args()
    classifier = Classifier.load()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        empty = empty_clip(folder)
        server = Server(folder / "log.txt").wait_until_ready()
        try:
            if options.items:
                times = sorted(answer_times(playwright, server, classifier, folder, options.items))
                p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
                print(f"item shown to right answer: median {statistics.median(times):.2f} s, p95 {p95:.2f} s, "
                      f"longest {times[-1]:.2f} s, of {len(times)}", flush=True)  # fmt: skip
            if options.still_seconds:
                still = write_clip(folder / "s.mjpeg", [(empty_scene(), 4), (item_scene("metal", classifier), 75)])
                seen = screens_during(playwright, server, still, options.still_seconds + 6)
                print("still item:", [(s["scene"], s["name"], round(s["at"], 1)) for s in seen], flush=True)
            if options.empty_minutes:
                seen = screens_during(playwright, server, empty, 60 * options.empty_minutes)
                print(f"empty view of {options.empty_minutes:g} min:", [s["scene"] for s in seen], flush=True)
        finally:
            server.stop()
        outages = [recovery_seconds(playwright, empty, folder) for _ in range(options.outages)]
        print(f"back after a 5 s outage: {', '.join(f'{took:.1f}' for took in outages)} s", flush=True)


if __name__ == "__main__":
    main()
