"""Looking at the kiosk's page: what it showed when, and what it does when its camera is pulled out."""

import time

from playwright.sync_api import Error, Page, expect

from tests.helpers.video import returned_frame

START = 30.0  # seconds from the page's opening to the invitation, at most; four on an idle machine
RECOVERY = 15.0  # the same from the end of a trouble (issue 5)
SCREEN = ".k:not(.k-over *)"
# Every screen with when it came, in seconds: written by the page, so that none is missed between two looks.
RECORD = """
window.scenes = [];
new MutationObserver(() => {
  const scene = document.querySelector('.k:not(.k-over *)')?.dataset.scene;
  const name = document.querySelector('.k-answer .wb-title')?.textContent ?? '';
  const last = window.scenes.at(-1);
  if (scene && (scene !== last?.scene || (scene === 'answer' && name !== last.name)))
    window.scenes.push({ scene, name, at: performance.now() / 1000 });
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
# A camera that can be pulled out: its tracks end, it is no longer listed, and nobody gets it.
UNPLUGGABLE = """
(() => {
  if (!navigator.mediaDevices) return;
  const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
  const list = devices.enumerateDevices.bind(devices);
  const out = () => localStorage.getItem('unplugged') === '1';
  devices.getUserMedia = async (wanted) => {
    if (out()) throw new DOMException('Requested device not found', 'NotFoundError');
    const stream = await ask(wanted);
    const timer = setInterval(() => {
      if (!out()) return;
      clearInterval(timer);
      for (const track of stream.getTracks()) { track.stop(); track.dispatchEvent(new Event('ended')); }
    }, 100);
    return stream;
  };
  devices.enumerateDevices = async () => (out() ? [] : await list());
})();
"""


# What is said aloud and how many tones are played.
LISTEN = """
window.spoken = []; window.tones = 0;
speechSynthesis.speak = (words) => window.spoken.push([words.lang, words.text]);
const start = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (...when) { window.tones += 1; start.apply(this, when); };
"""


def wait_for_scene(page: Page, scene: str, seconds: float) -> float:
    """Wait for a screen; return how long that took."""
    begun = time.monotonic()
    page.locator(f'{SCREEN}[data-scene="{scene}"]').wait_for(timeout=seconds * 1000)
    expect(page.locator(".k-over")).to_be_hidden(timeout=1000)
    return time.monotonic() - begun


def title(page: Page) -> str:
    return page.locator(f"{SCREEN} .k-title").inner_text()


def recover(page: Page, seconds: float = RECOVERY) -> float:
    """Wait until the invitation is there and the camera's picture moves again; return how long that took."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            attract = page.locator(f'{SCREEN}[data-scene="attract"]').count() and page.locator(".k-over").is_hidden()
            if attract and page.locator(".k-beat").count() and returned_frame(page) is not None:
                return time.monotonic() - begun
        except Error as error:  # a look into a page that is being reloaded
            if "navigati" not in str(error) and "destroyed" not in str(error):
                raise
        time.sleep(0.2)
    raise AssertionError(f"no invitation after {seconds} s: {page.evaluate('window.scenes')}")
