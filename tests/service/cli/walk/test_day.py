"""The demonstration's day: it is a Tuesday morning in New York whenever it begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.walk import day, morning

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@given(MOMENTS)
def test_it_begins_on_the_nearest_tuesday_at_twenty_to_ten_in_new_york(real: datetime) -> None:
    ahead = day.clock_shift(real)
    local = (real + ahead).astimezone(ZoneInfo(day.ZONE))
    assert (local.weekday(), local.hour, local.minute) == (1, 9, 40 if local.second < 30 else 39)
    assert abs(ahead) < timedelta(days=4)


@pytest.mark.parametrize(("instrument", "most"), [("phq9", 24), ("gad7", 21)])
def test_answers_make_their_total_and_none_speaks_of_self_harm(instrument: str, most: int) -> None:
    for total in range(most + 1):
        answers = morning.answers(instrument, total)
        assert sum(answers) == total
        assert set(answers) <= {0, 1, 2, 3}
        assert instrument != "phq9" or answers[8] == 0
    with pytest.raises(ValueError, match="cannot have"):
        morning.answers(instrument, most + 1)


def test_nobody_in_the_demonstration_has_a_number_that_could_be_somebodys() -> None:
    for number in (*morning.names(), *(text["number"] for text in morning.story()["texts"] if "number" in text)):
        assert number[5:10] == "55501", number


def test_everybody_the_morning_speaks_of_is_there() -> None:
    known = {patient.record for patient in (*day.PATIENTS, *morning.people())}
    story = morning.story()
    spoken_of = {entry["record"] for entry in (*story["texts"], *story["forms"], story["handoff"]) if "record" in entry}
    spoken_of |= {row[0] for row in story["visits"]["rows"]}
    spoken_of |= {record for totals in story["scores"].values() for record in totals}
    assert spoken_of <= known
