"""ICC profiles of the colour spaces that photos come in, written here, since Pillow brings none but sRGB."""

import struct

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # IEC 61966-2-1, as `para` of type 3
# name: the curve, and the colorants X, Y, Z of red, green and blue, adapted to D50
SPACES = {
    "sRGB": (SRGB_CURVE, ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))),
    "Display P3": (
        SRGB_CURVE,
        ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    ),
    "Adobe RGB": (
        (2.19921875,),
        ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    ),
    "ProPhoto RGB": ((1.8,), ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03135, 0.00009, 0.82491))),
}


def rgb_profile(name: str) -> bytes:
    """A profile of one of `SPACES` by matrix and curve (ICC.1:2022, 8.3.3)."""
    curve, colorants = SPACES[name]
    kind = {1: 0, 5: 3}[len(curve)]
    shaped = b"para" + struct.pack(">IHH", 0, kind, 0) + b"".join(_fixed(number) for number in curve)
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    tags |= {letter + b"XYZ": _xyz(colorant) for letter, colorant in zip((b"r", b"g", b"b"), colorants, strict=True)}
    return profile(b"RGB ", tags | {letter + b"TRC": shaped for letter in (b"r", b"g", b"b")})


def grey_profile(gamma: float) -> bytes:
    """A profile of grey pixels with a gamma curve."""
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"kTRC": b"para" + struct.pack(">IHH", 0, 0, 0) + _fixed(gamma)}
    return profile(b"GRAY", tags)


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """A profile of version 4 with any tags.

    Args:
        space: Of the pixels that it describes.
        tags: Their contents by signature.
        connection: The space that it leads to.
        kind: Of device.
    """
    table, body = struct.pack(">I", len(tags)), b""
    for signature, content in tags.items():
        table += signature + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI", size, b"lcms", 0x04400000) + kind + space + connection
    return head.ljust(36, b"\0") + b"acsp".ljust(92, b"\0") + table + body


def _fixed(number: float) -> bytes:
    return struct.pack(">i", round(number * 65536))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in values)
