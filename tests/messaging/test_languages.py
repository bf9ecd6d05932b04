"""Languages as people, spreadsheets and other systems write them."""

import pytest

from messaging import languages


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("spa", "es"),
        ("SPA", "es"),
        ("Spanish", "es"),
        ("Español", "es"),
        ("ESPANOL", "es"),
        ("Spanish; Castilian", "es"),
        ("Español (México)", "es"),
        ("es_MX", "es-mx"),
        ("es-419", "es-419"),
        ("English", "en"),
        ("eng", "en"),
        ("Inglés", "en"),
        ("en-US", "en-us"),
        ("VIE", "vi"),
        ("zh-Hans-CN", "zh-cn"),
        ("zho", "zh"),
        ("chi", "zh"),
        ("Kreyòl", "ht"),
        ("Hmong", "hmn"),
        ("hmn", "hmn"),
        ("中文", "zh"),
        ("xx", "xx"),
    ],
)
def test_a_language_has_one_code_however_it_is_written(typed: str, code: str) -> None:
    assert languages.read(typed) == code


@pytest.mark.parametrize("typed", ["", "  ", "-", "Unknown", "Patient Declined", "UND", "n/a", "No especificado"])
def test_whoever_says_no_language_says_none(typed: str) -> None:
    assert languages.read(typed) is None


@pytest.mark.parametrize("typed", ["Klingonese", "English/Spanish", "speaks well", "es mx please"])
def test_what_is_no_one_language_is_refused_in_words(typed: str) -> None:
    with pytest.raises(languages.UnknownLanguage, match="expected one language"):
        languages.read(typed)


def test_staff_read_the_name_of_a_language() -> None:
    assert [languages.name(code) for code in ("es", "vi", "hmn", "es-mx", "lo", "xx")] == [
        "Spanish", "Vietnamese", "Hmong", "Spanish", "Laotian", "xx",
    ]  # fmt: skip


def test_no_name_stands_for_two_languages() -> None:
    for code, names in languages._data()["codes"].items():
        names = [*names, *([code] if code != "na" else [])]  # in a file it says that there is nothing to say
        assert {languages.read(name) for name in names} == {code}
