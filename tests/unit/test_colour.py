"""Colour profiles: the same colour reaches the network from every colour space, and none fails a photo."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from model import read_photo
from tests.helpers.hostile_photos import encoded
from tests.helpers.profiles import grey_profile, profile, rgb_profile

# One red in each space, rounded to 8 bits: sRGB's (220, 40, 60) by the matrices that the standards give
RED = {
    "sRGB": (220, 40, 60),
    "Display P3": (202, 59, 66),
    "Adobe RGB": (189, 44, 62),
    "ProPhoto RGB": (152, 67, 50),
}


def flat(color: int | tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (32, 600), color)  # more than two strips


@pytest.mark.parametrize("space", RED)
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 100})])
def test_one_red_from_every_space(space, kind, options):
    content = encoded(flat(RED[space]), kind, icc_profile=rgb_profile(space), **options)
    rgb = read_photo(content).astype(int)
    assert np.abs(rgb - RED["sRGB"]).max() <= 2 + 2 * (kind == "JPEG")  # JPEG rounds the colour itself


def test_heic_from_an_iphone():
    content = encoded(flat(RED["Display P3"]), "HEIF", quality=100, icc_profile=rgb_profile("Display P3"))
    assert np.abs(read_photo(content).astype(int) - RED["sRGB"]).max() <= 4  # HEVC rounds the colour itself


def test_transparency_and_palettes_are_converted_too():
    icc = rgb_profile("Display P3")
    clear = Image.new("RGBA", (32, 32), (*RED["Display P3"], 128))
    half = [round(128 / 255 * value + (1 - 128 / 255) * 255) for value in RED["sRGB"]]
    assert np.abs(read_photo(encoded(clear, "PNG", icc_profile=icc)).astype(int) - half).max() <= 2
    palette = flat(RED["Display P3"]).quantize(4)
    assert np.abs(read_photo(encoded(palette, "PNG", icc_profile=icc)).astype(int) - RED["sRGB"]).max() <= 2


def test_grey_has_a_profile_of_its_own():
    rgb = read_photo(encoded(flat(100, "L"), "PNG", icc_profile=grey_profile(1.0)))
    assert (rgb == 168).all()  # linear light of 100 / 255, in sRGB's curve
    deep = Image.fromarray(np.full((32, 32), 100 * 257, np.uint16))
    assert (read_photo(encoded(deep, "PNG", icc_profile=grey_profile(1.0))) == 168).all()


def noise(mode: str) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 4), np.uint8), "RGBA").convert(mode)


SOUND = rgb_profile("Display P3")
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
USELESS = {
    "empty": b"",
    "text": b"not a profile",
    "cut short in the header": SOUND[:100],
    "cut short in the tags": SOUND[:200],
    "cut short in the curves": SOUND[:-8],
    "noise": np.random.default_rng(1).integers(0, 256, 600, np.uint8).tobytes(),
    "without tags": profile(b"RGB ", {}),
    "of no space": profile(b"????", {}),
    "of a link": profile(b"RGB ", {}, connection=b"RGB ", kind=b"link"),
    "of Lab": LAB,
    "of grey pixels": grey_profile(1.0),
    "of sRGB": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "of sRGB by hand": rgb_profile("sRGB"),
}


@pytest.mark.parametrize("name", USELESS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_profile_that_is_broken_or_changes_nothing_is_as_none(name, mode):
    image = noise(mode)
    read = read_photo(encoded(image, "PNG", icc_profile=USELESS[name]))
    assert (read == read_photo(encoded(image, "PNG"))).all()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "1"), ("JPEG", "L"), ("JPEG", "CMYK")])
def test_a_profile_for_other_pixels_is_as_none(kind, mode):
    image = noise("RGB").convert(mode)
    for icc in (SOUND, LAB, b"x"):
        read = read_photo(encoded(image, kind, icc_profile=icc))
        assert (read == read_photo(encoded(image, kind))).all()


def test_every_byte_of_a_profile_may_be_wrong():
    image, random = noise("RGB"), np.random.default_rng(2)
    for _ in range(150):
        icc = bytearray(SOUND)
        for at in random.integers(0, len(icc), 3):
            icc[at] = random.integers(0, 256)
        assert read_photo(encoded(image, "PNG", icc_profile=bytes(icc))).shape == (40, 50, 3)
