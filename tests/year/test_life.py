"""What people do in a simulated year: the same for the same seed, and all of it comes about."""

from datetime import date, timedelta

from tools.year import life

DAYS = [date(2027, 1, 1) + timedelta(days=ahead) for ahead in range(365)]


def test_a_seed_is_one_life():
    assert life.day(3, 1, DAYS[40]) == life.day(3, 1, DAYS[40])
    assert life.people(3, 1) == life.people(3, 1)
    assert life.day(3, 1, DAYS[40]) != life.day(4, 1, DAYS[40])


def test_everything_happens_in_a_year():
    acts = [act for on in DAYS for act in life.day(1, 0, on)]
    assert {act.kind for act in acts} == {
        "book", "move", "cancel", "type", "submit", "new_number", "leave", "away",
    }  # fmt: skip
    said = {act.said for act in acts if act.kind == "type"}
    assert said & set(life.CRISES)
    assert said & set(life.STOPS)
    assert "START" in said
    assert {act.value for act in acts if act.kind == "submit"} > {0, 3}


def test_nobody_is_booked_on_a_holiday_or_a_weekend():
    booked = [act for on in DAYS for act in life.day(1, 0, on) if act.kind == "book"]
    assert booked
    assert all(life.is_open(act.at.astimezone(life.CLINIC_ZONE).date()) for act in booked)


def test_two_share_a_phone_and_zones_differ():
    people = life.people(1, 0)
    assert [person.shares for person in people if person.shares is not None] == [8, 18, 28, 38]
    assert len({person.zone for person in people}) > 3


def test_the_days_of_summer_time_have_their_hours():
    begins, ends = date(2027, 3, 14), date(2027, 11, 7)
    assert life.at(begins + timedelta(days=1), 0) - life.at(begins, 0) == timedelta(hours=23)
    assert life.at(ends + timedelta(days=1), 0) - life.at(ends, 0) == timedelta(hours=25)
