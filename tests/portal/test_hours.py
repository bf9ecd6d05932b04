"""Property: whatever the clinic's cadence, the visit and the place, nobody is texted outside the hours they chose."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from reminders.cadence import cadence_definition
from reminders.rules import planning

PLACES = ("America/Denver", "America/New_York", "America/Phoenix", "Pacific/Honolulu", "America/St_Johns")
MINUTE = timedelta(minutes=1)
clocks = st.builds(lambda hour, half: f"{hour:02}:{half:02}", st.integers(0, 23), st.sampled_from([0, 30]))


@st.composite
def spans(draw):
    first, last = sorted(draw(st.tuples(clocks, clocks)))
    assume(first < last)
    return [first, last]


@st.composite
def clinics(draw):
    opens, closes = draw(spans())
    lengths = draw(st.lists(st.integers(1, 120), min_size=1, max_size=4, unique=True))
    return cadence_definition.from_mapping(
        {
            "steps": [
                {
                    "name": f"s{number}",
                    "before": f"{length} hours",
                    "text": "reminder_day",
                    "if_past": draw(st.sampled_from(["drop", "send"])),
                }
                for number, length in enumerate(lengths)
            ],
            "quiet_hours": {"start": closes, "end": opens},
            "min_gap": "1 minute",
            "catch_up": "48 hours",
        }
    )


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


def inside(at, place, span):
    first, last = (time.fromisoformat(edge) for edge in span)
    return first <= at.astimezone(place).time() < last


@given(clinics(), spans(), moments, st.integers(1, 300), st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_no_step_is_planned_outside_the_hours_a_patient_chose(clinic, own, starts, ahead, there, here):
    both = cadence_definition.within(clinic, own)
    assume(both is not None)
    visit = planning.Visit(starts, ZoneInfo(there), starts - timedelta(hours=ahead), ZoneInfo(here))
    night = [f"{clinic.quiet_hours.end:%H:%M}", f"{clinic.quiet_hours.start:%H:%M}"]
    for step in planning.plan(visit, both):
        assert step.at is None or inside(step.at, ZoneInfo(here), own)
        assert step.at is None or inside(step.at, ZoneInfo(here), night)


@given(clinics(), spans(), moments, st.integers(0, 47 * 60), st.sampled_from(PLACES))
def test_the_last_look_lets_nothing_leave_outside_them_either(clinic, own, due, late, here):
    both = cadence_definition.within(clinic, own)
    assume(both is not None)
    now = due + late * MINUTE
    useful, why = planning.still_useful(due, now, now + timedelta(days=3), both, ZoneInfo(here))
    assert useful == (inside(now, ZoneInfo(here), own) and inside(now, ZoneInfo(here), _open(clinic))), why


def _open(clinic):
    return [f"{clinic.quiet_hours.end:%H:%M}", f"{clinic.quiet_hours.start:%H:%M}"]


@given(clinics(), spans())
def test_the_two_spans_have_a_cadence_exactly_where_they_have_a_minute_in_common(clinic, own):
    first, last = max(own[0], _open(clinic)[0]), min(own[1], _open(clinic)[1])
    both = cadence_definition.within(clinic, own)
    assert (both is not None) == (first < last)
    assert both is None or _open(both) == [first, last]


@given(clinics())
def test_without_hours_of_their_own_the_clinics_hold(clinic):
    assert cadence_definition.within(clinic, None) is clinic
    assert cadence_definition.within(clinic, []) is clinic
