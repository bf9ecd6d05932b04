"""Segments are counted as carriers count them."""

import pytest

from simulator import segments


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", ("GSM-7", 1, 0)),
        ("a" * 160, ("GSM-7", 1, 160)),
        ("a" * 161, ("GSM-7", 2, 161)),
        ("a" * 306, ("GSM-7", 2, 306)),
        ("a" * 307, ("GSM-7", 3, 307)),
        ("€" * 80, ("GSM-7", 1, 160)),
        ("€" * 81, ("GSM-7", 2, 162)),
        ("€" * 153, ("GSM-7", 3, 306)),  # 76 of them fill a part, one septet is lost
        ("ñ" * 160, ("GSM-7", 1, 160)),
        ("á" * 70, ("UCS-2", 1, 70)),
        ("á" * 71, ("UCS-2", 2, 71)),
        ("😀" * 35, ("UCS-2", 1, 70)),
        ("😀" * 67, ("UCS-2", 3, 134)),  # 33 of them fill a part of 67 units
    ],
)
def test_counts_units_and_parts(text: str, counted: tuple[str, int, int]) -> None:
    assert segments.count(text) == counted
