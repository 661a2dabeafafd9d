"""A photo file in, upright RGB pixels out. The photo page and training read files through this one door."""

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "HEIF")
EXTENSIONS = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "heic", "heif")
MAX_PIXELS = 50_000_000
STRIP = 256  # rows


class PhotoError(ValueError):
    """A photo cannot be used. The message is one short line for the person who chose the file."""


def read_photo(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode a photo to uint8, shape (height, width, 3), RGB.

    source: a path, or the file's content. JPEG, PNG, WebP, BMP, HEIC, and the first frame of a GIF. EXIF orientation
    is applied, transparency is flattened on white.
    max_pixels: more than this is refused from the header, before anything is unpacked.
    Raises PhotoError for a file that is no such image, is cut short, or is too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns at its own, larger limit; ours is checked below and is an error
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
            with image:
                width, height = image.size
                if width * height > max_pixels:
                    size, most = round(width * height / 1e6), round(max_pixels / 1e6)
                    raise PhotoError(f"has {size} megapixels; the most is {most}. Use a smaller copy.")
                image.load()
                orientation, rgb = image.getexif().get(ExifTags.Base.Orientation, 1), _flatten(image)
            return _upright(rgb, orientation)
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise PhotoError("is not an image this can read. Use JPEG, PNG, WebP, BMP, GIF or HEIC.") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"unpacks to far more than {max_pixels / 1e6:.0f} megapixels. Use a smaller copy.") from error
    except FileNotFoundError as error:
        raise PhotoError("does not exist.") from error
    except MemoryError as error:
        raise PhotoError("needs too much memory to unpack. Use a smaller copy.") from error
    # Damaged files make Pillow's decoders raise nearly anything: OSError, SyntaxError, ValueError, struct.error, ...
    except Exception as error:
        raise PhotoError("is damaged or incomplete. Save or send it again.") from error


def _flatten(image: Image.Image) -> NDArray[np.uint8]:
    """Pixels of a loaded image, strip by strip: converted whole, 50 megapixels with transparency took 1.4 GiB."""
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, STRIP):
        bottom = min(top + STRIP, image.height)
        strip = image.crop((0, top, image.width, bottom))
        if strip.mode in ("I;16", "I"):  # 16-bit grey PNG: convert("RGB") would clip it to white instead of scaling
            strip = Image.fromarray((np.asarray(strip, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
        if strip.has_transparency_data:
            rgba = strip.convert("RGBA")
            strip = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        rgb[top:bottom] = np.asarray(strip.convert("RGB"))
    return rgb


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation, 1 to 8 (Exif 2.32, tag 0x0112); any other leaves the picture as it is."""
    if orientation in (3, 4, 7):
        rgb = rgb[::-1]
    if orientation in (2, 3, 7):
        rgb = rgb[:, ::-1]
    if orientation in (5, 7):
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (6, 8):
        rgb = np.rot90(rgb, 1 if orientation == 8 else -1)
    return np.ascontiguousarray(rgb)
