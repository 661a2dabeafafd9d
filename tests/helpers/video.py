"""Looking at the video that a page shows; the scripts run in the page."""

import base64
import io

import numpy as np
from PIL import Image
from playwright.sync_api import Page

_PLAYS = """() => {
  const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
  return video && video.videoWidth && video.currentTime > 0;
}"""
_GRAB = """() => {
  const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
  if (!video || !video.videoWidth || video.currentTime === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""

# True once the page's video has a frame whose panel is there: dark, above the lower edge, unlike the picture above it
ANNOTATED = """() => {
  const video = document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video');
  if (!video || !video.videoWidth) return false;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const mean = (y) => { const data = context.getImageData(canvas.width / 2, y, 120, 4).data;
    return data.filter((_, n) => n % 4 < 3).reduce((a, b) => a + b, 0) / (data.length * 0.75); };
  return mean(canvas.height * 0.785) < mean(canvas.height * 0.74) - 25;
}"""

# A camera that fails as the page's storage says, or works if that says nothing
_FAILING = """
(() => {
  const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const name = localStorage.getItem('fails') ?? 'FAILS';
    if (name) throw new DOMException('A message for developers', name);
    return ask(wanted);
  };
})();
"""

# How many pictures the page's video has shown since it began
PICTURES = """() => document.querySelector('iframe[title*="webrtc"]')?.contentDocument?.querySelector('video')
    ?.getVideoPlaybackQuality().totalVideoFrames ?? 0"""


def returned_frame(page: Page) -> np.ndarray | None:
    """What the page's video shows now: uint8, shape (height, width, 3), RGB; None before the first frame."""
    png = page.evaluate(_GRAB)
    return None if png is None else np.array(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def wait_for_video(page: Page, seconds: float = 30) -> np.ndarray:
    """Wait for the first frame of the page's video, and return it."""
    page.wait_for_function(_PLAYS, polling=50, timeout=seconds * 1000)
    frame = returned_frame(page)
    assert frame is not None
    return frame


def fails_with(name: str) -> str:
    """A page's script with which its camera fails with that DOMException, until the page's storage says otherwise."""
    return _FAILING.replace("FAILS", name)
