"""A photo file in, upright RGB pixels out. The photo page and training read files through this one door."""

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "HEIF")
EXTENSIONS = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "heic", "heif")
MAX_PIXELS = 50_000_000


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
                return _flatten(ImageOps.exif_transpose(image))
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise PhotoError("is not an image this can read. Use JPEG, PNG, WebP, BMP, GIF or HEIC.") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"unpacks to far more than {max_pixels / 1e6:.0f} megapixels. Use a smaller copy.") from error
    except FileNotFoundError as error:
        raise PhotoError("does not exist.") from error
    # Damaged files make Pillow's decoders raise nearly anything: OSError, SyntaxError, ValueError, struct.error, ...
    except Exception as error:
        raise PhotoError("is damaged or incomplete. Save or send it again.") from error


def _flatten(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I;16", "I"):  # 16-bit grey PNG: convert("RGB") would clip it to white instead of scaling
        image = Image.fromarray((np.asarray(image, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(white, rgba)
    return np.array(image.convert("RGB"))
