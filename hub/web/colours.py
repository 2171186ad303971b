"""Which ink can be read on a colour."""

from typing import Final

_LIGHT: Final = "#ffffff"
_DARK: Final = "#000000"
#: sRGB and its luminance, as WCAG 2.1 defines them (relative luminance, contrast ratio)
_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)


def ink_on(colour: str) -> str:
    """The ink with the higher contrast on ``#rrggbb``; one of the two has at least 4.5 : 1 on every colour."""
    return max((_LIGHT, _DARK), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip(_WEIGHTS, linear, strict=True))
