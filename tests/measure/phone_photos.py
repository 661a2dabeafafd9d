"""Unpacks photos as large and as noisy as phones take them, with the limits that the app has by default.

    python -m tests.measure.phone_photos [--keep FOLDER]

Prints one line a photo: what came of it, the processor time that it took, and the most memory that its worker had. The
photos are made first, which takes minutes, or taken from the folder.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from app.photo.decoder import PhotoDecoder
from app.settings import Settings
from model import PhotoError

NOISE_LEVELS = 12  # up or down, of 255: a phone's photo of a dim room
PHOTOS: dict[str, tuple[tuple[int, int], dict[str, object]]] = {
    "jpeg-50.jpg": ((8160, 6144), {"quality": 90}),
    "jpeg-50-progressive.jpg": ((8160, 6144), {"quality": 90, "progressive": True}),
    "jpeg-64.jpg": ((9280, 6944), {"quality": 85}),
    "jpeg-108.jpg": ((12000, 9000), {"quality": 60}),
    "heic-24.heic": ((4284, 5712), {"quality": 50, "tile_size": 512}),  # in tiles, as phones write it
    "heic-48.heic": ((6048, 8064), {"quality": 50, "tile_size": 512}),
    "heic-48-one-piece.heic": ((6048, 8064), {"quality": 50}),
}


def noisy(width: int, height: int) -> Image.Image:
    """A picture of soft colours with noise in every pixel; the same one each time."""
    random = np.random.default_rng(0)
    colors = Image.fromarray(random.integers(0, 256, (height // 64, width // 64, 3), np.uint8))
    pixels = np.asarray(colors.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    pixels += random.integers(-NOISE_LEVELS, NOISE_LEVELS + 1, pixels.shape, np.int16)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Unpack large and noisy photos.")
    parser.add_argument("--keep", type=Path, help="folder for the photos; those that are there are not made again")
    folder = parser.parse_args().keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    usual = Settings()
    for name, (size, options) in PHOTOS.items():
        path = folder / name
        if not path.exists():
            noisy(*size).save(path, **options)
        content = path.read_bytes()
        # A worker of its own for each, whose memory is then that photo's
        decoder = PhotoDecoder(
            usual.max_photo_megapixels * 1_000_000, usual.max_photo_seconds, usual.max_photo_mib * 2**20
        )
        try:
            height, width, _ = decoder.read(content).shape
            came = f"{width} x {height}"
        except PhotoError as error:
            came = str(error)
        print(
            f"{name}: {len(content) / 2**20:.1f} MiB, {came}, {decoder.cpu_s:.2f} s, {decoder.peak_kib / 1024:.0f} MiB",
            flush=True,
        )
        decoder.close()


if __name__ == "__main__":
    main()
