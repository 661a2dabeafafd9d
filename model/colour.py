"""Colours of a photo to sRGB, from the ICC profile that its file brings along (ICC.1:2022)."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

# The modes of a photo whose pixels a profile of each colour space describes, by the mode that they are converted from.
# A profile for any other space (Lab, XYZ ...) describes nothing that `model.photos` reads.
SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
SAME_LEVELS = 2  # A profile that moves no colour by more than so many of 255 levels is sRGB, under whatever name.


def to_srgb(image: Image.Image) -> Callable[[Image.Image], Image.Image] | None:
    """Find out how a photo's colours are converted to sRGB.

    A profile that is broken, or is meant for other pixels than the photo has, is ignored, as viewers do: the photo is
    then read as if it had none.

    Args:
        image: The photo, with its profile in `info["icc_profile"]`, if it has one.

    Returns:
        A function that takes a part of the photo in any mode, and returns it in mode RGB, without transparency. None if
        there is nothing to convert: no profile, or one of sRGB.
    """
    content = image.info.get("icc_profile")
    if not content:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = SPACES.get(profile.profile.xcolor_space)
        if mode is None or mode != _described(image.mode):
            return None
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):  # All that ImageCms raises for a broken profile.
        return None

    def convert(part: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(part.convert(mode), transform)
        assert converted is not None  # It is None only where the picture is changed in place.
        return converted

    return convert if mode == "CMYK" or _moves(convert, mode) else None


def _described(mode: str) -> str:
    """What kind of pixels the profile of a photo in this mode has to describe: a value of `SPACES`."""
    if mode == "CMYK":
        return mode
    return "L" if mode in ("1", "L", "LA", "I", "I;16") else "RGB"


def _moves(convert: Callable[[Image.Image], Image.Image], mode: str) -> bool:
    """Whether a conversion changes any of many colours so that it matters."""
    samples = _samples().convert(mode)
    moved = np.asarray(convert(samples), np.int16) - np.asarray(samples.convert("RGB"), np.int16)
    return bool(np.abs(moved).max() > SAME_LEVELS)


def _samples() -> Image.Image:
    """Colours from all over the RGB cube, nine levels of each channel, and all levels of grey."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return Image.fromarray(np.concatenate([cube, greys])[None])
