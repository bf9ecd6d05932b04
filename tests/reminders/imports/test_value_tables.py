"""Words of other systems are read as ours by tables; what is not known is not guessed."""

import pytest

from messaging.people.privacy import LEVELS, STATES
from reminders.imports import column_mapping, value_tables


@pytest.mark.parametrize(
    ("kind", "field", "word", "ours"),
    [
        ("appointments", "state", "Scheduled", "booked"),
        ("appointments", "state", "Confirmed", "booked"),
        ("appointments", "state", "CHECKED-IN", "arrived"),
        ("appointments", "state", "No Show", "no_show"),
        ("appointments", "state", "Cancelled by patient", "cancelled"),
        ("appointments", "state", "Completed", "arrived"),
        ("appointments", "state", "Rescheduled", None),
        ("appointments", "state", "", ""),
        ("patients", "language", "**ENG", "en"),
        ("patients", "language", "SPA", "es"),
        ("patients", "language", "SPA - Spanish", "es"),
        ("patients", "language", "Spanish", "es"),
        ("patients", "language", "Klingonese", None),
        ("patients", "language", "Declined", ""),
        ("patients", "consent", "Y", "yes"),
        ("patients", "consent", "Text OK", "yes"),
        ("patients", "consent", "Do Not Text", "no"),
        ("patients", "consent", "Sí", "yes"),
        ("patients", "consent", "perhaps", None),
        ("patients", "sex", "Unknown", ""),
        ("patients", "sex", "F", "female"),
    ],
)
def test_a_word_of_another_system_is_read_as_ours(kind: str, field: str, word: str, ours: str | None) -> None:
    assert value_tables.meaning(kind, field, word) == ours


def test_no_word_means_two_things_and_each_is_as_it_is_looked_up() -> None:
    for kind, fields in value_tables._tables().items():
        for field, by_value in fields.items():
            words = [word for words in by_value.values() for word in words]
            assert len(words) == len(set(words)), (kind, field)
            assert all(value_tables.plain(word) == word for word in words), (kind, field)


def test_our_own_values_stand_in_the_tables() -> None:
    assert value_tables.choices("patients", "privacy") == LEVELS
    assert value_tables.choices("patients", "state") == STATES
    assert value_tables.choices("appointments", "state") == ("booked", "cancelled", "arrived", "no_show")
    for kind, fields in value_tables.FIELDS.items():
        assert set(fields) <= set(column_mapping.fields(kind))
        for field in fields:
            if field != "language":
                assert all(value_tables.meaning(kind, field, own) == own for own in value_tables.choices(kind, field))
