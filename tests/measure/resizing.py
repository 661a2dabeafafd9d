"""Compares our resizing to the network's input with that of Pillow and of a browser's canvas.

    python -m tests.measure.resizing --photos FOLDER [--most 200]

For programs that feed the network pictures which they have resized themselves. Prints one line for each way: how far
its pixels are from ours on average, in levels of 255, how many labels stay the same, and how much the confidence
changes.
"""

import argparse
import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import sync_playwright

from model import Classifier, read_photo
from model.photos import EXTENSIONS
from model.preprocessing import preprocess
from tests.helpers.browser import launch

Resize = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
CANVAS = """async ([uri, size, quality]) => {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = quality;
  context.drawImage(image, 0, 0, size, size);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Compare ways to resize a photo to the network's input.")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos, with folders in it")
    parser.add_argument("--most", type=int, default=200, help="how many to take, evenly from all")
    given = parser.parse_args()
    paths = sorted(p for p in given.photos.rglob("*") if p.suffix.lower().lstrip(".") in EXTENSIONS)
    photos = [read_photo(path) for path in paths[:: max(1, len(paths) // given.most)][: given.most]]
    classifier = Classifier.load()
    size = classifier.metadata.input_size
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()

        def pillow(how: Image.Resampling) -> Resize:
            return lambda rgb: np.asarray(Image.fromarray(rgb).resize((size, size), how))

        def canvas(quality: str) -> Resize:
            def resize(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
                out = io.BytesIO()
                Image.fromarray(rgb).save(out, "PNG", compress_level=1)
                uri = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
                return read_photo(base64.b64decode(page.evaluate(CANVAS, [uri, size, quality])))

            return resize

        ways: dict[str, Resize] = {
            f"Pillow, {how.name}": pillow(how)
            for how in (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)
        }
        ways |= {f"canvas, {quality}": canvas(quality) for quality in ("high", "medium", "low")}
        ours = [preprocess(rgb, size) for rgb in photos]
        wanted = [classifier.classify(rgb) for rgb in ours]
        for name, resize in ways.items():
            theirs = [resize(rgb) for rgb in photos]
            got = [classifier.classify(np.ascontiguousarray(rgb)) for rgb in theirs]
            far = np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(ours, theirs, strict=True)])
            same = sum(a.label == b.label for a, b in zip(wanted, got, strict=True))
            moved = np.array([abs(a.confidence - b.confidence) for a, b in zip(wanted, got, strict=True)])
            print(
                f"{name}: {far:.2f} levels, {same} of {len(photos)} labels, confidence {100 * moved.mean():.1f} points "
                f"on average, {100 * np.quantile(moved, 0.95):.1f} at the 95th percentile",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
