"""Numbers people type, and the ones no text can reach."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import phone


@pytest.mark.parametrize(
    "typed",
    [
        "2015550123",
        "(201) 555-0123",
        "201.555.0123",
        "1 201 555 0123",
        "+12015550123",
        " +1 (201) 555‑0123 ",
        "٢٠١٥٥٥٠١٢٣",
        "＋１２０１５５５０１２３",
        "201\u00a0555\u00a00123",
    ],
)
def test_many_ways_to_type_one_number(typed: str) -> None:
    assert phone.e164(typed) == "+12015550123"


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("4165550123", "CA", "+14165550123"),
        ("787 555 0123", "PR", "+17875550123"),
        ("7875550123", "US", "+17875550123"),
    ],
)
def test_canada_and_puerto_rico_can_be_texted(typed: str, region: str, stored: str) -> None:
    assert phone.e164(typed, region) == stored


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "not a phone number"),
        ("-", "not a phone number"),
        ("988", "short code"),
        ("911", "short code"),
        ("74174", "short code"),
        ("5550123", "too few"),
        ("20155501234567", "too few or too many"),
        ("201-555-0123 x45", "extension"),
        ("201-555-0123 ext. 45", "extension"),
        ("201-555-0123 #45", "extension"),
        ("2015550123;ext=7", "extension"),
        ("call me", "letters"),
        ("1-800-FLOWERS", "letters"),
        ("0005550123", "in use"),
        ("+44 20 7946 0958", "United States"),
        ("+1 876 555 0123", "United States"),
        ("201\x00555\ud8000123x", "letters"),
    ],
)
def test_what_cannot_be_texted_is_refused_with_a_reason(typed: str, reason: str) -> None:
    with pytest.raises(phone.NotTextable, match=reason):
        phone.e164(typed)


def test_not_textable_is_a_value_error() -> None:
    assert issubclass(phone.NotTextable, ValueError)


def test_a_mask_shows_the_last_four_digits_only() -> None:
    assert phone.mask("+12015550147") == "··0147"
    assert phone.mask("") == "··"


def test_a_number_is_shown_as_people_write_it() -> None:
    assert phone.display("+12015550123") == "(201) 555-0123"
    assert phone.display("+17875550123") == "(787) 555-0123"
    assert phone.display("unknown") == "unknown"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_is_either_a_number_or_refused(typed: str) -> None:
    try:
        stored = phone.e164(typed)
    except phone.NotTextable:
        return
    assert stored.startswith("+1")
    assert phone.e164(stored) == stored
    assert phone.mask(stored) in "··" + stored[-4:]
