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


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("(679) 555-0123", "+16795550123"),
        ("+1 235 555 0199", "+12355550199"),
        ("483.555.0100", "+14835550100"),
        ("(227) 555-0134", "+12275550134"),
    ],
)
def test_an_area_code_that_is_new_is_one_of_ours(typed: str, stored: str) -> None:
    assert phone.e164(typed) == stored


@pytest.mark.parametrize("typed", ["(911) 555-0123", "(295) 555-0123", "(201) 155-0123", "(201) 911-0123"])
def test_what_the_plan_does_not_form_is_no_number(typed: str) -> None:
    with pytest.raises(phone.NotTextable, match="in use"):
        phone.e164(typed)


@pytest.mark.parametrize(
    "written",
    [
        "201-555-0125 (cell)",
        "Cell: 201 555 0125",
        "móvil 201.555.0125",
        "2015550125 m",
        "Mobile - (201) 555-0125",
        "tel. 201-555-0125",
        "201-555-0125 / 201-555-0125",
        "201-555-0101 (home), 201-555-0125 (cell)",
        "Home: 201-555-0101 Cell: 201-555-0125",
        "201-555-0101 (h) 201-555-0125 (c)",
        "201-555-0101 | 201-555-0125 celular",
    ],
)
def test_the_mobile_of_a_cell_is_found(written: str) -> None:
    assert phone.of_cell(written) == "+12015550125"


@pytest.mark.parametrize(
    "written",
    ["201-555-0125 x5", "201-555-0125 (work)", "201-555-0101 / 201-555-0125", "201-555-0101 c / 201-555-0125 c",
     "mother 201-555-0125", "2015550125,45", "201-555-0101 / 0125", "201-555-0101 or call", "c"],
)  # fmt: skip
def test_what_leaves_a_doubt_is_no_number(written: str) -> None:
    with pytest.raises(phone.NotTextable):
        phone.of_cell(written)


def test_mobiles_abroad_are_for_whoever_asks_for_them() -> None:
    for typed, country in (("+52 55 5555 0123", "MX"), ("1-876-555-0123", "JM"), ("+502 5555 0123", "GT")):
        assert phone.e164(typed, abroad=[country]).endswith("5550123")
        with pytest.raises(phone.NotTextable, match="United States"):
            phone.e164(typed, abroad=["ES"])
    with pytest.raises(phone.NotTextable, match="mobile"):
        phone.e164("+44 20 7946 0958", abroad=["GB"])


def test_countries_are_named_by_two_letters() -> None:
    assert phone.countries(["mx", "GT", "us", "MX"]) == ("MX", "GT")
    for wrong in ("Mexico", "XX", "", "M"):
        with pytest.raises(ValueError, match="no country"):
            phone.countries([wrong])


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
