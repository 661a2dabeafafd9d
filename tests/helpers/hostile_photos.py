"""Photo files that mean harm: valid ones of every kind, damage done to them, and files made to exploit a format."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

INTERESTING = (0, 1, 2, 3, 4, 5, 7, 8, 9, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# of PNG: bits a sample, colour type, samples a pixel
KINDS = ((1, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3), (8, 3, 1), (8, 4, 2), (8, 6, 4))
PNG = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image file's content."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def valid_files() -> dict[str, bytes]:
    """Small valid files by a name that begins with their format; always the same ones."""
    random = np.random.default_rng(0)
    rough = Image.fromarray(random.integers(0, 256, (12, 16, 4), np.uint8)).resize((96, 72), Image.Resampling.BICUBIC)
    rgb, grey = rough.convert("RGB"), rough.convert("L")
    palette = rgb.quantize(32)
    frames = [rgb.rotate(angle) for angle in range(10, 90, 10)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "maker", b"x" * 200
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    text = PngInfo()
    text.add_text("Comment", "x" * 3000, zip=True)
    text.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    deep = Image.fromarray(random.integers(0, 65536, (72, 96)).astype(np.uint16))
    profile = random.integers(0, 256, 600, np.uint8).tobytes()
    return {
        "jpeg": encoded(rgb, "JPEG"),
        "jpeg 444, exif, icc": encoded(rgb, "JPEG", subsampling=0, exif=exif, icc_profile=profile, comment=b"x" * 50),
        "jpeg progressive": encoded(rgb, "JPEG", progressive=True),
        "jpeg progressive cmyk": encoded(rgb.convert("CMYK"), "JPEG", progressive=True),
        "jpeg cmyk": encoded(rgb.convert("CMYK"), "JPEG"),
        "jpeg grey, restarts": encoded(grey, "JPEG", restart_marker_blocks=3),
        "png": encoded(rgb, "PNG"),
        "png rgba, text, exif": encoded(rough, "PNG", pnginfo=text, exif=exif, icc_profile=profile),
        "png palette": encoded(palette, "PNG", transparency=bytes(range(32))),
        "png 16 bit": encoded(deep, "PNG"),
        "png 1 bit": encoded(grey.convert("1"), "PNG"),
        "png animated": encoded(rgb, "PNG", save_all=True, append_images=frames[:3]),
        "png interlaced": interlaced_png(rgb),
        "webp": encoded(rgb, "WEBP"),
        "webp alpha, exif, icc": encoded(rough, "WEBP", exif=exif, icc_profile=profile),
        "webp lossless": encoded(rough, "WEBP", lossless=True),
        "webp animated": encoded(rgb, "WEBP", save_all=True, append_images=frames),
        "bmp": encoded(rgb, "BMP"),
        "bmp palette": encoded(palette, "BMP"),
        "bmp rle": rle_bmp(96, 72),
        "bmp alpha": encoded(rough, "BMP"),
        "gif": encoded(palette, "GIF", transparency=3),
        "gif many frames": encoded(palette, "GIF", save_all=True, append_images=frames * 20),
        "heif": encoded(rgb, "HEIF", quality=50),
        "heif alpha, exif, icc": encoded(rough, "HEIF", exif=exif, icc_profile=profile),
        "heif two pictures": encoded(rgb, "HEIF", save_all=True, append_images=frames[:1]),
    }


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with a right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, depth: int = 8, color: int = 2, interlace: int = 0) -> bytes:
    """The signature and IHDR of a PNG of any size."""
    return PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))


def interlaced_png(image: Image.Image) -> bytes:
    """Adam7 (https://www.w3.org/TR/png-3/#8InterlaceMethods), which Pillow reads and does not write."""
    pixels = np.asarray(image)
    rows = b""
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[y::dy, x::dx])
    return (
        png_header(image.width, image.height, interlace=1) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def rle_bmp(width: int, height: int) -> bytes:
    """A run-length encoded BMP of stripes."""
    row = bytes((width // 2, 1, width - width // 2, 2, 0, 0))
    data = row * height + b"\0\1"
    start = 14 + 40 + 1024
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 2835, 2835, 256, 0)
    palette = b"".join(bytes((n, n, n, 0)) for n in range(256))
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + palette + data


def mutated(rng: random.Random, files: dict[str, bytes]) -> tuple[str, bytes]:
    """A valid file with one to six kinds of damage; a PNG's checksums are mostly made right again."""
    name = rng.choice(list(files))
    data = bytearray(files[name])
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(DAMAGE)(rng, data, files)
    if data.startswith(PNG) and rng.random() < 0.8:
        data = bytearray(checksums_fixed(bytes(data)))
    return name, bytes(data)


def _flip(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    for _ in range(rng.choice((1, 2, 8, 64))):
        if data:
            data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    size, order = rng.choice((1, 2, 4)), rng.choice(("big", "little"))
    at = _place(rng, data) if data else 0
    data[at : at + size] = (rng.choice(INTERESTING) & (256**size - 1)).to_bytes(size, order)


def _cut(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 4, 30, 400))]


def _repeat(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.choice((1, 4, 30, 400))] * rng.choice((1, 2, 50))


def _splice(rng: random.Random, data: bytearray, files: dict[str, bytes]) -> None:
    other = files[rng.choice(list(files))]
    at = rng.randrange(len(data) + 1)
    start = rng.randrange(len(other))
    data[at : at + rng.choice((0, 50, 10**6))] = other[start : start + rng.choice((20, 500, 10**6))]


def _place(rng: random.Random, data: bytearray) -> int:
    """Headers matter most."""
    return rng.randrange(min(len(data), rng.choice((64, 400, len(data)))))


DAMAGE: tuple[Callable[[random.Random, bytearray, dict[str, bytes]], None], ...] = (
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _cut,
    _remove,
    _repeat,
    _splice,
)


def checksums_fixed(png: bytes) -> bytes:
    """The chunks of a PNG with right checksums, so that damage gets past them."""
    out, at = bytearray(png[:8]), 8
    while at + 12 <= len(png):
        (size,) = struct.unpack_from(">I", png, at)
        if at + 12 + size > len(png):
            break
        out += chunk(png[at + 4 : at + 8], png[at + 8 : at + 8 + size])
        at += 12 + size
    return bytes(out) + png[at:]


def hostile(rng: random.Random, files: dict[str, bytes]) -> tuple[str, bytes]:
    """A file made to exploit its format."""
    make = rng.choice(HOSTILE)
    return make.__name__, make(rng, files)


def with_references(heif: bytes, count: int) -> bytes:
    """A HEIC whose picture says so many times that it is the thumbnail of itself (ISO/IEC 14496-12, 8.11.12)."""
    entries = struct.pack(">I4sHHH", 14, b"thmb", 1, 1, 1) * count
    box = struct.pack(">I4sI", 12 + len(entries), b"iref", 0) + entries
    at = heif.index(b"meta") - 4
    (size,) = struct.unpack_from(">I", heif, at)
    meta = struct.pack(">I", size + len(box)) + heif[at + 4 : at + size] + box
    return heif[:at] + meta + heif[at + size :]


def _size(rng: random.Random) -> tuple[int, int]:
    """More often than not below 50 megapixels, where only unpacking shows the harm."""
    if rng.random() < 0.2:
        return rng.choice((20_000, 65_535, 2**31 - 1, 2**32 - 1)), rng.choice((1, 20_000, 65_535, 2**31 - 1))
    side = rng.choice((500, 2000, 7000))
    return rng.choice(((side, side), (side * side, 1), (1, min(side * side, 65_500))))


def png_of_nothing(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """Zeros compress a thousandfold: up to 49 megapixels in 150 kB."""
    (width, height), (depth, color, samples) = _size(rng), rng.choice(KINDS)
    room = min(200_000_000, (width * samples * depth // 8 + 1) * height)
    body = zlib.compress(bytes(room if rng.random() < 0.5 else min(room, 1_000_000)), 1)
    head = png_header(width, height, depth, color, rng.choice((0, 0, 1)))
    return head + (chunk(b"PLTE", bytes(768)) if color == 3 else b"") + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_text_bomb(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """Texts and colour profiles that unpack to 30 MB each, or a hundred thousand tiny ones."""
    bomb = zlib.compress(bytes(30_000_000), 9)
    bodies = {b"zTXt": b"a\0\0" + bomb, b"iTXt": b"a\0\1\0\0\0" + bomb, b"iCCP": b"a\0\0" + bomb, b"tEXt": b"a\0b"}
    kind = rng.choice(list(bodies))
    times = 100_000 if kind == b"tEXt" else rng.choice((1, 10, 100))
    png = files["png"]
    return png[:33] + chunk(kind, bodies[kind]) * times + png[33:]


def jpeg_of_many_scans(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """One scan of a progressive JPEG over and over, on a picture declared to be large: each goes over all of it."""
    data = _sized_jpeg(rng, files["jpeg progressive"])
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    at = rng.randrange(1, len(scans) - 1)
    return data[: scans[at]] + data[scans[at] : scans[at + 1]] * rng.choice((10, 500, 5000)) + data[scans[at + 1] :]


def jpeg_of_any_size(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """A small JPEG that is declared to be large."""
    return _sized_jpeg(rng, files[rng.choice([name for name in files if name.startswith("jpeg")])])


def _sized_jpeg(rng: random.Random, data: bytes) -> bytes:
    at = next(at for at in range(len(data)) if data[at : at + 2] in (b"\xff\xc0", b"\xff\xc2"))
    width, height = (min(side, 65_535) for side in _size(rng))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def exif_maze(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """EXIF directories that refer to themselves, count to four thousand million, and orient by any type."""
    count = rng.choice((1, 3, 200, 65_535))
    entries = b""
    for _ in range(min(count, 200)):
        tag = rng.choice((0x0112, 0x8769, 0x8825, 0xA005, 0x014A, 0x927C, rng.randrange(65_536)))
        entries += struct.pack(
            "<HHII", tag, rng.randrange(14), rng.choice(INTERESTING), rng.choice((8, 26, *INTERESTING))
        )
    tiff = b"II*\0" + struct.pack("<IH", 8, count) + entries + struct.pack("<I", rng.choice((0, 8, 2**31)))
    carrier = Image.new("RGB", (16, 16), "red")
    return encoded(carrier, rng.choice(("JPEG", "PNG", "WEBP", "HEIF")), exif=b"Exif\0\0" + tiff)


def gif_of_many_frames(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """Up to 50 000 frames on a screen of any size."""
    gif = files["gif many frames"]
    width, height = (min(side, 65_535) for side in _size(rng))
    frame = b",\0\0\0\0" + struct.pack("<HHB", *rng.choice(((1, 1), (width, height))), 0) + b"\2\2L\1\0"
    return gif[:6] + struct.pack("<HH", width, height) + gif[10:-1] + frame * rng.choice((1, 5000, 50_000)) + b";"


def bmp_of_any_size(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """A BMP with another size in its header, bottom-up or top-down."""
    data = files[rng.choice([name for name in files if name.startswith("bmp")])]
    width, height = (side & 0xFFFFFFFF for side in _size(rng))
    return data[:18] + struct.pack("<II", width, rng.choice((height, -height & 0xFFFFFFFF))) + data[26:]


def webp_of_any_size(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """An animated WebP on a canvas of any size."""
    data = files[rng.choice(("webp animated", "webp alpha, exif, icc"))]
    width, height = (min(side, 2**24) - 1 for side in _size(rng))
    return data[:24] + width.to_bytes(3, "little") + height.to_bytes(3, "little") + data[30:]


def heif_of_any_size(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """A HEIC whose properties (`ispe`) or picture box name another size."""
    data = files[rng.choice([name for name in files if name.startswith("heif")])]
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", *(side & 0xFFFFFFFF for side in _size(rng))) + data[at + 8 :]


def polyglot(rng: random.Random, files: dict[str, bytes]) -> bytes:
    """A photo that is a page, an archive or a script too, before, after or within."""
    photo = files[rng.choice(list(files))]
    other = rng.choice(
        (b"<html><script>alert(1)</script>", b"PK\3\4" + bytes(26), b"%PDF-1.7\n", b"#!/bin/sh\n", b"MZ")
    )
    at = rng.choice((0, 2, 20, len(photo)))
    return photo[:at] + other + photo[at:]


HOSTILE: tuple[Callable[[random.Random, dict[str, bytes]], bytes], ...] = (
    png_of_nothing,
    png_text_bomb,
    jpeg_of_many_scans,
    jpeg_of_any_size,
    exif_maze,
    gif_of_many_frames,
    bmp_of_any_size,
    webp_of_any_size,
    heif_of_any_size,
    polyglot,
)
