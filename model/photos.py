"""Photo files in, upright RGB pixels out. The photo page and training read every file through `read_photo`."""

import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from model.colour import to_srgb
from model.preprocessing import INPUT_SIZE

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "HEIF")
EXTENSIONS = ("jpg", "jpeg", "jfif", "jpe", "png", "webp", "bmp", "gif", "heic", "heif")
MAX_PIXELS = 66_000_000  # phones with "64 megapixels" take photos of up to 9280 x 6944
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
REDUCIBLE = 4  # how many times as many pixels a photo may have that can be unpacked at a smaller size
STRIP_ROWS = 256  # converted at a time


# Why a photo cannot be used, in a line that follows the file's name. The pages have the same in their languages.
REASONS = {
    "pixels": "has {megapixels} megapixels; at most {most} are accepted. Use a smaller copy.",
    "format": "is not an image that can be read. Use JPEG, PNG, WebP, BMP, GIF or HEIC.",
    "bomb": "unpacks to far more than {most} megapixels. Use a smaller copy.",
    "missing": "does not exist.",
    "complex": "has more parts than can be read. Save it as a JPEG.",
    "memory": "needs too much memory to unpack. Use a smaller copy.",
    "damaged": "is damaged or incomplete. Save or send it again.",
    "bytes": "is larger than {most} MiB. Use a smaller copy.",
    "slow": "takes too long to unpack. Use a smaller copy.",
    "fatal": "is damaged, or too large to unpack. Save or send it again.",
    "stopping": "came while the server was being stopped.",
}


class PhotoError(ValueError):
    """A photo cannot be used. The message is one line in English, to follow the file's name.

    Attributes:
        reason: A key of `REASONS`, for those who say it in another language.
        values: Of the placeholders in the reason's text.
    """

    def __init__(self, reason: str, **values: int) -> None:
        super().__init__(REASONS[reason].format(**values))
        self.reason = reason
        self.values = values


def read_photo(
    source: str | Path | bytes, max_pixels: int = MAX_PIXELS, opened: Callable[[int], None] | None = None
) -> NDArray[np.uint8]:
    """Decode a photo.

    The EXIF orientation is applied, colours are converted to sRGB from the file's colour profile, and transparency is
    flattened on white.

    Args:
        source: A path, or the file's content: JPEG, PNG, WebP, BMP, HEIC, or a GIF, of which the first frame is taken.
        max_pixels: The most pixels that are unpacked. A picture with more is refused by its header, unless it has at
            most four times as many and is a JPEG, which can be unpacked at a half, a quarter or an eighth of its size,
            or a HEIC with a thumbnail that is large enough.
        opened: Called with the number of pixels that the header names, before anything is unpacked.

    Returns:
        The pixels, uint8, (height, width, 3), sRGB.

    Raises:
        PhotoError: The file is not such an image, is cut short or damaged, or is too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own limit is larger and gives a warning; ours is checked below and is an error
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
            with image:
                pixels = image.width * image.height
                if opened is not None:
                    opened(pixels)
                if max_pixels < pixels <= REDUCIBLE * max_pixels:
                    image.draft(None, (INPUT_SIZE, INPUT_SIZE))  # no side smaller than what the network sees
                if image.width * image.height > max_pixels:
                    # Rounded apart, lest a photo of 50.1 megapixels be told that 50 are accepted and it has 50
                    raise PhotoError("pixels", megapixels=math.ceil(pixels / 1e6), most=math.floor(max_pixels / 1e6))
                image.load()
                orientation, rgb = image.getexif().get(ExifTags.Base.Orientation, 1), _flatten(image)
            return _upright(rgb, orientation)
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise PhotoError(_unreadable(source)) from error
    except Image.DecompressionBombError as error:
        raise PhotoError("bomb", most=math.floor(max_pixels / 1e6)) from error
    except FileNotFoundError as error:
        raise PhotoError("missing") from error
    except MemoryError as error:
        raise PhotoError("memory") from error
    # Pillow's decoders raise nearly anything for a damaged file: OSError, SyntaxError, ValueError, struct.error ...
    except Exception as error:
        raise PhotoError("damaged") from error


def _unreadable(source: str | Path | bytes) -> str:
    """Why no decoder takes a file. Pillow keeps to itself what libheif had to say of a HEIC."""
    head = source[:12] if isinstance(source, bytes) else Path(source).read_bytes()[:12]
    if head[4:8] != b"ftyp" or head[8:12] not in HEIC_BRANDS:
        return "format"
    try:
        pillow_heif.open_heif(io.BytesIO(source) if isinstance(source, bytes) else source)
    except Exception as error:  # noqa: BLE001 (of many kinds, as in `read_photo`; its words are the answer)
        return "complex" if "limit" in str(error) or "too many" in str(error).lower() else "damaged"
    return "format"


def _flatten(image: Image.Image) -> NDArray[np.uint8]:
    """The sRGB pixels of a loaded image, with transparency flattened on white.

    It is converted strip by strip, since as a whole 50 megapixels with transparency took 1.4 GiB.
    """
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    convert = to_srgb(image)
    for top in range(0, image.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, image.height)
        strip = image.crop((0, top, image.width, bottom))
        if strip.mode in ("I;16", "I"):  # 16-bit grey PNG: convert("RGB") would clip it to white instead of scaling
            strip = Image.fromarray((np.asarray(strip, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
        if strip.has_transparency_data:
            rgba = strip.convert("RGBA")
            if convert:
                alpha, rgba = rgba.getchannel("A"), convert(rgba)
                rgba.putalpha(alpha)
            strip = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        elif convert:
            strip = convert(strip)
        rgb[top:bottom] = np.asarray(strip.convert("RGB"))
    return rgb


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn and mirror a picture as its EXIF orientation says (Exif 2.32, tag 0x0112, 1 to 8; others do nothing)."""
    if orientation in (3, 4, 7):
        rgb = rgb[::-1]
    if orientation in (2, 3, 7):
        rgb = rgb[:, ::-1]
    if orientation in (5, 7):
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (6, 8):
        rgb = np.rot90(rgb, 1 if orientation == 8 else -1)
    return np.ascontiguousarray(rgb)
