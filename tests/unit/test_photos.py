"""Photo files of every kind, good and bad."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from model import PhotoError, read_photo
from model.photos import STRIP_ROWS
from tests.helpers.hostile_photos import with_references

RED, BLUE = (230, 20, 20), (20, 20, 230)


def two_halves(width: int = 64, height: int = 32) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def near(pixel: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool(abs(pixel.astype(int) - color).max() < 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "HEIF"])
def test_every_format_is_read_as_rgb(kind):
    rgb = read_photo(encoded(two_halves(), kind))
    assert rgb.shape == (32, 64, 3)
    assert rgb.dtype == np.uint8
    assert near(rgb[16, 8], RED)
    assert near(rgb[16, 56], BLUE)


@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    corner = two_halves()
    corner.paste((20, 230, 20), (0, 0, 16, 16))
    content = encoded(corner, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    rgb = read_photo(content)
    assert (rgb == expected).all()
    assert rgb.flags.c_contiguous


def test_pictures_of_many_strips_are_whole():
    pixels = np.random.default_rng(0).integers(0, 256, (3 * STRIP_ROWS + 7, 20, 3), np.uint8)
    assert (read_photo(encoded(Image.fromarray(pixels), "PNG")) == pixels).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_flattened_on_white(kind):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (read_photo(encoded(clear, kind, lossless=True)) == 255).all()


def test_a_palette_with_transparency_is_flattened_too():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert (read_photo(encoded(image, "PNG", transparency=0)) == 255).all()


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)]
    rgb = read_photo(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert near(rgb[4, 4], RED)


def test_grey_and_16_bit_grey_keep_their_brightness():
    assert (read_photo(encoded(Image.new("L", (4, 4), 100), "PNG")) == 100).all()
    deep = Image.fromarray(np.full((4, 4), 100 * 256, np.uint16))
    assert (read_photo(encoded(deep, "PNG")) == 100).all()


def test_cmyk_jpeg():
    assert read_photo(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")).shape == (8, 8, 3)


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(PhotoError, match="not an image"):
        read_photo(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "HEIF"])
def test_a_truncated_file_is_refused(kind):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    content = encoded(noise, kind)
    with pytest.raises(PhotoError):
        read_photo(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (10_000, r"^has 100 megapixels; at most 66 are accepted\."),
        (20_000, r"^unpacks to far more than 66 megapixels\."),  # Pillow itself refuses to open these
    ],
)
def test_too_many_pixels_are_refused_before_unpacking(side, words):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    with pytest.raises(PhotoError, match=words):
        read_photo(bomb)


def test_the_most_pixels_can_be_set():
    with pytest.raises(PhotoError, match="megapixels"):
        read_photo(encoded(two_halves(), "PNG"), max_pixels=2047)
    assert read_photo(encoded(two_halves(), "PNG"), max_pixels=2048).shape == (32, 64, 3)


def test_a_photo_is_never_said_to_have_as_many_megapixels_as_are_accepted():
    with pytest.raises(PhotoError, match=r"has 2 megapixels; at most 1 are"):
        read_photo(encoded(two_halves(1001, 1000), "PNG"), max_pixels=1_000_000)


@pytest.mark.parametrize(
    ("kind", "options", "size"),
    [
        ("JPEG", {}, (320, 640)),
        ("JPEG", {"progressive": True}, (320, 640)),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (8, 8))]}, (320, 640)),
        ("HEIF", {"thumbnails": [200, 480]}, (240, 480)),
    ],
)
def test_a_photo_of_too_many_pixels_is_unpacked_smaller_where_its_format_can(kind, options, size):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    content = encoded(two_halves(2560, 1280), kind, exif=exif, **options)
    rgb = read_photo(content, max_pixels=1_000_000)
    assert rgb.shape == (*size, 3)
    whole = cv2.resize(read_photo(content), size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(rgb.astype(int) - whole).mean() < 3
    with pytest.raises(PhotoError, match="has 4 megapixels"):  # four times as many are the most
        read_photo(content, max_pixels=800_000)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "GIF", "HEIF"])
def test_other_photos_of_too_many_pixels_are_refused(kind):
    with pytest.raises(PhotoError, match="megapixels"):
        read_photo(encoded(two_halves(1280, 800), kind), max_pixels=1_000_000)


def test_a_photo_within_the_limit_is_never_reduced():
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1400, 1400, 3), np.uint8))
    content = encoded(pixels, "JPEG")
    assert (read_photo(content, max_pixels=1400 * 1400) == np.asarray(Image.open(io.BytesIO(content)))).all()


def test_the_number_of_pixels_is_told_before_they_are_unpacked():
    told = []
    with pytest.raises(PhotoError, match="damaged"):
        read_photo(encoded(two_halves(), "PNG")[:60], opened=told.append)
    assert told == [64 * 32]


@pytest.mark.parametrize("references", [60, 1001])
def test_a_heic_with_wrong_references_is_damaged_or_too_complex_and_an_image(references, tmp_path):
    content = with_references(encoded(two_halves(), "HEIF"), references)
    path = tmp_path / "a.heic"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(PhotoError, match="is damaged" if references < 1000 else "has more parts"):
            read_photo(source)


def test_a_path_is_read_and_a_missing_one_named_so(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(two_halves(), "PNG"))
    assert read_photo(path).shape == (32, 64, 3)
    with pytest.raises(PhotoError, match="does not exist"):
        read_photo(tmp_path / "b.png")
