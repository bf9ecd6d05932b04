"""What the words in somebody else's columns mean to us: how a visit stands, a language, a yes or a no. Pure."""

import tomllib
from functools import cache
from pathlib import Path

from messaging import languages
from reminders.imports.column_names import plain

# The fields that hold one of a few values, so that each value can be looked at.
FIELDS = {
    "patients": ("language", "consent", "sex", "privacy", "state"),
    "appointments": ("state",),
    "caseload": ("consent", "cost_told", "payer", "scale", "phase", "end_reason"),
}
# What an empty cell comes to, where that is more than nothing.
EMPTY = {
    "patients": {"language": "en", "consent": "yes"},
    "appointments": {"state": "booked"},
    "caseload": {"scale": "phq9"},
}
NOT_SAID = "not_said"
# What somebody chose for a word whose rows are not to be imported.
LEFT_OUT = "left_out"


def meaning(kind: str, field: str, written: str) -> str | None:
    """Return our value by the word for it in somebody else's books, "" for nothing said, None if it is not known."""
    if field == "language":
        return _language(written)
    word = plain(written)
    value = _words(kind, field).get(word) if word else ""
    return "" if value == NOT_SAID else value


def choices(kind: str, field: str) -> tuple[str, ...]:
    """Return our values of a field other than the language, as files of ours have them."""
    return tuple(value for value in _tables()[kind][field] if value != NOT_SAID)


def _language(written: str) -> str | None:
    try:
        return languages.read(written) or ""
    except languages.UnknownLanguage:
        return None


@cache
def _words(kind: str, field: str) -> dict[str, str]:
    return {word: value for value, words in _tables()[kind][field].items() for word in words}


@cache
def _tables() -> dict[str, dict[str, dict[str, list[str]]]]:
    return tomllib.loads((Path(__file__).parents[1] / "texts" / "values.toml").read_text(encoding="utf-8"))
