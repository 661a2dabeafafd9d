"""Text that can be read on any background colour, by relative luminance and contrast as WCAG 2.2 defines them."""


def rgb(color: str) -> tuple[int, int, int]:
    """Split #RRGGBB into red, green and blue, each 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: str) -> float:
    """The relative luminance of #RRGGBB, 0 to 1 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in rgb(color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, #RRGGBB, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(background: str) -> str:
    """Near-black or white, whichever is easier to read on a background of #RRGGBB."""
    return max("#FFFFFF", "#16191D", key=lambda color: contrast(color, background))
