"""The icons, each a few polylines on a 24 by 24 grid, drawn the same on video frames and on pages."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.look.colors import rgb
from app.look.data_uri import data_uri

GRID = 24  # the side of an icon, in the units of its points
STROKE = 1.8  # the width of its lines, in the same units

Polyline = tuple[tuple[float, float], ...]  # points as (x, y), from the upper left corner


def _closed(*points: tuple[float, float]) -> Polyline:
    """The polyline through the points and back to the first."""
    return (*points, points[0])


def _three_turns(*lines: Polyline) -> tuple[Polyline, ...]:
    """The lines, and the same lines turned by one third and by two thirds of a circle about (12, 13)."""
    turned = []
    for angle in (0.0, 2 * math.pi / 3, 4 * math.pi / 3):
        cos, sin = math.cos(angle), math.sin(angle)
        for line in lines:
            around = ((x - 12, y - 13) for x, y in line)
            turned.append(
                tuple((round(12 + x * cos - y * sin, 2), round(13 + x * sin + y * cos, 2)) for x, y in around)
            )
    return tuple(turned)


ICONS: dict[str, tuple[Polyline, ...]] = {
    "box": (
        _closed((3, 7.5), (12, 3), (21, 7.5), (21, 16.5), (12, 21), (3, 16.5)),
        ((3, 7.5), (12, 12), (21, 7.5)),
        ((12, 12), (12, 21)),
        ((7.5, 5.25), (16.5, 9.75), (16.5, 13)),
    ),
    "bottle": (
        _closed((10, 2), (14, 2), (14, 8), (16.5, 11), (17, 12.5), (17, 22), (7, 22), (7, 12.5), (7.5, 11), (10, 8)),
        ((7, 14.5), (17, 14.5)),
        ((7, 18.5), (17, 18.5)),
        ((10, 4.5), (14, 4.5)),
    ),
    "can": (
        _closed((7.5, 2.5), (16.5, 2.5), (18.5, 5.5), (18.5, 18.5), (16.5, 21.5), (7.5, 21.5), (5.5, 18.5), (5.5, 5.5)),
        ((5.5, 5.5), (18.5, 5.5)),
        ((5.5, 18.5), (18.5, 18.5)),
        ((9, 15), (15, 9)),
    ),
    "sheet": (
        _closed((5, 2), (14.5, 2), (19.5, 7), (19.5, 22), (5, 22)),
        ((14.5, 2), (14.5, 7), (19.5, 7)),
        ((8.5, 11.5), (16, 11.5)),
        ((8.5, 15), (16, 15)),
        ((8.5, 18.5), (13, 18.5)),
    ),
    "cup": (
        _closed((5.5, 9), (18.5, 9), (16.5, 22), (7.5, 22)),
        ((4, 9), (4.5, 6.5), (19.5, 6.5), (20, 9)),
        ((12, 6.5), (13, 2), (17, 2)),
        ((6.5, 14), (17.5, 14)),
    ),
    "bag": (
        _closed((9, 8), (5.5, 12), (4, 17.5), (6.5, 22), (17.5, 22), (20, 17.5), (18.5, 12), (15, 8)),
        ((9, 8), (7, 3.5), (10, 2.5), (12, 4.5), (14, 2.5), (17, 3.5), (15, 8)),
        ((8.5, 8), (15.5, 8)),
    ),
    "bin": (
        ((3.5, 6), (20.5, 6)),
        ((9, 6), (9, 2.8), (15, 2.8), (15, 6)),
        ((5.5, 6), (7, 21.5), (17, 21.5), (18.5, 6)),
        ((9.9, 10.5), (10.2, 17.5)),
        ((14.1, 10.5), (13.8, 17.5)),
    ),
    "recycle": _three_turns(
        ((7.7, 7.6), (10.4, 3), (13.6, 3), (17, 8.9)),
        ((12.8, 8.3), (17, 8.9), (18.6, 4.9)),
    ),
    "shop": (
        _closed((4.5, 2.5), (19.5, 2.5), (22, 8.5), (2, 8.5)),
        ((2, 8.5), (3.2, 11.5), (5.8, 11.5), (7, 8.5), (8.2, 11.5), (10.8, 11.5), (12, 8.5)),
        ((12, 8.5), (13.2, 11.5), (15.8, 11.5), (17, 8.5), (18.2, 11.5), (20.8, 11.5), (22, 8.5)),
        ((4.2, 11.5), (4.2, 21.5), (19.8, 21.5), (19.8, 11.5)),
        ((9.2, 21.5), (9.2, 15.2), (14.8, 15.2), (14.8, 21.5)),
    ),
    "leaf": (
        _closed((20.5, 3.5), (20.3, 11), (17.5, 16.5), (12.5, 18.8), (7.5, 17), (5.6, 12.5), (7.2, 8.2), (12, 5.2)),
        ((3.5, 21.5), (7.5, 17), (14.5, 10)),
    ),
    "tag": (
        _closed((3, 3), (12, 3), (21, 12), (12, 21), (3, 12)),
        _closed((6.5, 6.5), (8.5, 6.5), (8.5, 8.5), (6.5, 8.5)),
    ),
    "arrow": (
        ((12, 21), (12, 3.5)),
        ((5, 10.5), (12, 3.5), (19, 10.5)),
    ),
    "question": (
        ((7.5, 8), (8.5, 4.8), (12, 3.5), (15.5, 4.8), (16.5, 8), (15, 11), (12, 13), (12, 15.5)),
        ((12, 20), (12, 20.6)),
    ),
    "frame": (
        ((3, 8), (3, 3), (8, 3)),
        ((16, 3), (21, 3), (21, 8)),
        ((21, 16), (21, 21), (16, 21)),
        ((8, 21), (3, 21), (3, 16)),
        ((12, 8.5), (12, 15.5)),
        ((8.5, 12), (15.5, 12)),
    ),
    "camera-off": (
        ((2.5, 2.5), (21.5, 21.5)),
        ((9, 6), (15.5, 6), (15.5, 12.5)),
        ((15.5, 10.5), (21, 7.5), (21, 16)),
        ((14, 18), (3, 18), (3, 6), (5, 6)),
    ),
}


def draw(mask: NDArray[np.uint8], icon: str, x: float, y: float, size: float) -> None:
    """Draw an icon on a mask, in white (255) and antialiased.

    Args:
        mask: uint8, shape (height, width); changed in place.
        icon: A name in `ICONS`.
        x: The icon's left edge in pixels.
        y: Its upper edge in pixels.
        size: Its side in pixels.

    Raises:
        KeyError: No icon has this name.
    """
    shift = 4  # binary places of cv2's fixed-point coordinates, which makes them sixteenths of a pixel
    thickness = max(1, round(STROKE * size / GRID))
    for line in ICONS[icon]:
        points = (np.array(line) * size / GRID + (x, y)) * 2**shift
        cv2.polylines(mask, [points.round().astype(np.int32)], False, 255, thickness, cv2.LINE_AA, shift)


def svg_uri(icon: str, color: str) -> str:
    """Make an icon for an <img> on a page.

    Args:
        icon: A name in `ICONS`.
        color: Any colour that CSS knows.

    Returns:
        An SVG as a data: address.

    Raises:
        KeyError: No icon has this name.
    """
    lines = "".join(f'<polyline points="{" ".join(f"{x},{y}" for x, y in line)}"/>' for line in ICONS[icon])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID} {GRID}" fill="none" stroke="{color}" '
        f'stroke-width="{STROKE}" stroke-linecap="round" stroke-linejoin="round">{lines}</svg>'
    )
    return data_uri("image/svg+xml", svg.encode())


def favicon(icon: str, color: str, side: int = 64) -> Image.Image:
    """Make a page's own small icon: one of the icons, in white on a coloured square.

    Args:
        icon: A name in `ICONS`.
        color: The square's colour, #RRGGBB.
        side: The square's side in pixels.

    Raises:
        KeyError: No icon has this name.
    """
    mask = np.zeros((side, side), np.uint8)
    draw(mask, icon, side * 0.15, side * 0.15, side * 0.7)
    image = np.empty((side, side, 3), np.uint8)
    image[:] = rgb(color)
    return Image.fromarray(np.maximum(image, mask[:, :, None]))
