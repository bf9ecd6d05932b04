"""How many SMS segments a text takes, counted as carriers do."""

from typing import NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("€[]{}\\^~|\f")


class Segments(NamedTuple):
    """The alphabet ("GSM-7" or "UCS-2"), the number of segments and the units (septets or 16-bit units) used."""

    encoding: str
    segments: int
    units: int


def count(text: str) -> Segments:
    """Count `text`: 160 septets alone or 153 per part; 70 UCS-2 units alone or 67 per part."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        return _count("GSM-7", [2 if char in _EXTENDED else 1 for char in text], alone=160, part=153)
    return _count("UCS-2", [2 if ord(char) > 0xFFFF else 1 for char in text], alone=70, part=67)


def _count(encoding: str, widths: list[int], *, alone: int, part: int) -> Segments:
    units = sum(widths)
    if units <= alone:
        return Segments(encoding, 1, units)
    segments, room = 1, part
    for width in widths:  # a character of two units is never cut in half
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return Segments(encoding, segments, units)
