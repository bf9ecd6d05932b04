"""Coverage gaps, to the minute: of the week, of holidays, of absences, and in the weeks in which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import assign, coverage_gaps, escalation_policy, hours, policy_checks
from messaging.inbox.routing.assign import Call, Hours, Rules
from messaging.inbox.routing.clinic_rules import RECEIVERS, Need, Route
from messaging.inbox.routing.coverage_gaps import Away, Gap, Watch
from tests.messaging.inbox.routing.test_escalation_policy import PLACES, person

SPANS = st.sampled_from((["08:00", "17:15"], ["17:15", "08:00"], ["00:00", "00:00"], ["22:07", "06:41"]))
WEEKS = st.dictionaries(st.sampled_from(hours.WEEKDAYS), SPANS, max_size=7)
NAMES = ("Alba", "Ben", "Cleo", "Dana")
MAIL = [f"{name.lower()}@clinic.example" for name in NAMES]
START = datetime(2027, 3, 1, tzinfo=UTC)
DAY = hours.read("Mon-Sun 8:00-20:00")
NIGHT = hours.read("Mon-Sun 20:00-8:00")
ROSA, BEN = person("Rosa", hours=DAY), person("Ben", hours=NIGHT)


def said(found, zone="America/Denver") -> list[str]:
    return [coverage_gaps.say(gap, zone) for gap in found]


def test_two_who_follow_each_other_leave_no_minute_out():
    assert coverage_gaps.every(Watch([ROSA, BEN], Rules(), [], "America/Denver"), START) == []


def test_one_minute_is_a_hole():
    late = person("Ben", hours=NIGHT | {"tue": ["20:01", "08:00"]})
    gaps = coverage_gaps.weekly([ROSA, late], Rules())
    assert said(gaps) == ["Tue 20:00 to Tue 20:01"]


def test_a_hole_over_midnight_is_one_hole():
    rules = Rules(hours=Hours("UTC", DAY))
    assert said(coverage_gaps.weekly([ROSA], rules))[:2] == ["Mon 0:00 to Mon 8:00", "Mon 20:00 to Tue 8:00"]


def test_a_holiday_with_a_date_is_asked_on_its_weekday_until_it_is_over():
    on_call = person("Ines", hours=DAY, on_call=hours.read("Sat-Sun all day"))
    rules = Rules(hours=Hours("America/Denver", DAY, ("2027-11-25",)))
    gaps = coverage_gaps.on_holidays([ROSA, BEN, on_call], rules, date(2027, 11, 25))
    assert said(gaps) == ["Thu 0:00 to Fri 0:00"]
    assert coverage_gaps.on_holidays([ROSA, BEN, on_call], rules, date(2027, 11, 26)) == []
    every_year = Rules(hours=Hours("America/Denver", DAY, ("12-25",)))
    assert said(coverage_gaps.on_holidays([ROSA, BEN, on_call], every_year)) == ["Mon 0:00 to Sat 0:00"]


@pytest.mark.parametrize(
    ("starts", "gap"),
    [
        # The night the clocks go forward, the night they go back, and one on which they stay.
        (datetime(2027, 3, 14, 1, tzinfo=UTC), "Saturday 13 March 2027 20:00 to Sunday 14 March 2027 8:00"),
        (
            datetime(2027, 11, 7, 1, tzinfo=UTC),
            "Saturday 6 November 2027 20:00 to Sunday 7 November 2027 8:00",
        ),
        (datetime(2027, 7, 4, 1, tzinfo=UTC), "Saturday 3 July 2027 20:00 to Sunday 4 July 2027 8:00"),
    ],
)
def test_an_absence_is_walked_through_on_the_clinic_s_clock(starts, gap):
    away = Away(BEN.id, None, starts, starts + timedelta(hours=22))
    gaps = coverage_gaps.while_away(Watch([ROSA, BEN], Rules(), [away], "America/Denver"), START)
    assert said(gaps) == [gap]
    length = (gaps[0].end - gaps[0].start) / 60
    assert length == {3: 11, 11: 13, 7: 12}[starts.month]


def test_cover_closes_the_hole_unless_the_cover_is_away_too():
    cleo = person("Cleo", role="clinician", hours=hours.read("Mon-Sun 0:00-24:00"))
    week = timedelta(days=7)
    ben = Away(BEN.id, cleo.id, START + week, START + 2 * week)
    team = [ROSA, BEN, cleo]
    assert coverage_gaps.while_away(Watch(team, Rules(), [ben], "UTC"), START) == []
    both = [ben, Away(cleo.id, None, START + week, START + week + timedelta(days=1))]
    assert said(coverage_gaps.while_away(Watch(team, Rules(), both, "UTC"), START), "UTC") == [
        "Monday 8 March 2027 0:00 to 8:00",
        "Monday 8 March 2027 20:00 to Tuesday 9 March 2027 0:00",
    ]


def test_what_a_change_makes_is_told_apart_from_what_was():
    before = [Gap("week", 60, 120)]
    after = [Gap("week", 0, 180), Gap("holiday", 60, 120)]
    assert coverage_gaps.made(before, after) == [
        Gap("week", 0, 60),
        Gap("week", 120, 180),
        Gap("holiday", 60, 120),
    ]
    assert coverage_gaps.made(after, before) == []


STRETCHES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 9)).map(
        lambda start_and_length: Gap("week", start_and_length[0], sum(start_and_length))
    ),
    max_size=5,
)


@given(before=STRETCHES, after=STRETCHES)
def test_made_is_every_minute_of_after_that_is_not_in_before(before, after):
    def minutes(found):
        return {minute for gap in found for minute in range(gap.start, gap.end)}

    assert minutes(coverage_gaps.made(before, after)) == minutes(after) - minutes(before)


ROUTES = st.builds(
    Route,
    name=st.just("x"),
    to=st.sampled_from(RECEIVERS),
    below=st.none() | st.just(1),
    people=st.lists(st.sampled_from(MAIL), min_size=1, max_size=2).map(tuple),
    role=st.sampled_from(("care_manager", "clinician")),
)


@st.composite
def clinics(draw):
    team = [
        person(
            name,
            role=draw(st.sampled_from(("care_manager", "clinician", "clinic_admin"))),
            hours=draw(WEEKS),
            on_call=draw(WEEKS),
            phone=draw(st.booleans()),
            open_items=draw(st.integers(0, 2)),
        )
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    ]
    place = draw(st.sampled_from(PLACES))
    rules = Rules(
        fallback=tuple(draw(st.lists(st.sampled_from([person.email for person in team]), max_size=2))),
        hours=Hours(place, draw(WEEKS), draw(st.sampled_from(((), ("12-25",), ("2027-03-14", "11-07"))))),
        call_list=(Call("Dr Wu", "+13035550177"),),
        routes=tuple(draw(st.lists(ROUTES, max_size=2))),
    )
    absences = [
        Away(
            draw(st.sampled_from(team)).id,
            draw(st.none() | st.sampled_from([person.id for person in team])),
            START + timedelta(minutes=begin),
            START + timedelta(minutes=begin + length),
        )
        for begin, length in draw(st.lists(st.tuples(st.integers(0, 30 * 1440), st.integers(1, 9 * 1440)), max_size=2))
    ]
    return rules, team, place, absences


@profile(max_examples=120, deadline=None)
@given(
    clinic=clinics(),
    day=st.integers(0, 40),
    turn=st.sampled_from((0, 6 * 60 + 41, 8 * 60, 17 * 60 + 15, 22 * 60 + 7)),
    beside=st.integers(-61, 61),
)
def test_without_a_hole_every_positive_item_has_a_person_at_every_minute(clinic, day, turn, beside):
    """Over weeks in which clocks change, over holidays and absences: whoever is chosen or told next can be reached."""
    rules, team, place, absences = clinic
    # Near the minutes at which hours begin and end, where a gap is.
    midnight = datetime.combine((START + timedelta(days=day, hours=12)).date(), time(), ZoneInfo(place))
    moment = max(START, midnight.astimezone(UTC) + timedelta(minutes=turn + beside))
    away = {absence.staff_id: absence.cover_id for absence in absences if absence.starts_at <= moment < absence.ends_at}
    here = [
        escalation_policy.Person(**{**vars(person), "away": person.id in away, "covered_by": away.get(person.id)})
        for person in team
    ]
    members = escalation_policy.at(here, moment, rules, place)
    local = moment.astimezone(ZoneInfo(place)).replace(tzinfo=None)
    awake = coverage_gaps.awake(here, rules, local, closed=rules.hours.closed_on(local.date()))
    gaps = coverage_gaps.every(Watch(team, rules, absences, place), START)
    at = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() // 60)
    wall = local.weekday() * 1440 + local.hour * 60 + local.minute
    in_a_gap = any(
        gap.start <= (at if gap.when == "away" else wall) < gap.end
        for gap in gaps
        if gap.when != "holiday" or rules.hours.closed_on(local.date())
    )
    assert bool(awake) or in_a_gap, "a minute with nobody that the check has not seen"
    assert absences or bool(awake) != in_a_gap, "a hole where somebody is there"
    if not awake:
        return
    choice = assign.choose(Need("safety"), members, rules)
    owner = next(member for member in members if member.id == choice.owner_id)
    told = {owner.id: owner}
    for _ in range(len(team) + 1):
        told |= {
            member.id: member
            for member in escalation_policy.climb(Need("safety"), members, rules, set(told), owner.id).members
        }
    assert {member.name for member in told.values()} >= set(awake)


@profile(max_examples=60, deadline=None)
@given(clinic=clinics(), minute=st.integers(0, 7 * 1440 - 1))
def test_what_may_be_published_has_somebody_awake_at_every_minute_of_any_week(clinic, minute):
    rules, team, _place, _absences = clinic
    if policy_checks.check(rules, team):
        return
    local = coverage_gaps.MONDAY + timedelta(minutes=minute)
    assert coverage_gaps.awake(team, rules, local)
    if any(len(holiday) == 5 for holiday in rules.hours.holidays):
        assert coverage_gaps.awake(team, rules, local, closed=True)
