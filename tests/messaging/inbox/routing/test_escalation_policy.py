"""The clinic's escalation policy: in any hour of any week somebody is told, or a page says who must be called."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import assign, coverage_gaps, escalation_policy, hours, policy_checks
from messaging.inbox.routing.assign import Call, EscalationStep, Hours, Need, Rules
from messaging.inbox.routing.escalation_policy import Person

PLACES = ("America/Denver", "America/New_York", "America/Phoenix", "Europe/Madrid", "Asia/Karachi")
# The weeks of 2027 in which the clocks of these places change, and one in which none does.
WEEKS_OF_2027 = [datetime(2027, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 22), (7, 5), (10, 25), (11, 1))]
MOMENTS = st.builds(
    lambda week, minute: week + timedelta(minutes=minute),
    st.sampled_from(WEEKS_OF_2027),
    st.integers(0, 7 * 1440 + 120),
)
SPANS = st.sampled_from((["08:00", "17:00"], ["17:00", "08:00"], ["00:00", "00:00"], ["22:15", "06:45"]))
WEEKS = st.dictionaries(st.sampled_from(hours.WEEKDAYS), SPANS, max_size=7)
NAMES = ("Alba", "Ben", "Cleo", "Dana", "Elif", "Finn")
CALL = (Call("Dr Wu", "+13035550177"),)


def person(name: str, **facts) -> Person:
    fields = {
        "id": UUID(bytes=name.encode().ljust(16)[:16]),
        "email": f"{name.lower()}@clinic.example",
        "name": name,
        "role": "care_manager",
    }
    return Person(**(fields | facts))


@st.composite
def teams(draw) -> list[Person]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=0, max_size=5, unique=True))
    ids = [person(name).id for name in names]
    return [
        person(
            name,
            role=draw(st.sampled_from(("care_manager", "clinic_admin", "clinician"))),
            hours=draw(WEEKS),
            on_call=draw(WEEKS),
            phone=draw(st.booleans()),
            away=draw(st.booleans()),
            covered_by=draw(st.none() | st.sampled_from(ids)),
        )
        for name in names
    ]


RUNGS = st.lists(
    st.builds(EscalationStep, st.sampled_from(escalation_policy.ASKED), st.integers(1, 30)), max_size=4
).map(tuple)


@st.composite
def clinics(draw) -> tuple[Rules, list[Person], str]:
    team, place = draw(teams()), draw(st.sampled_from(PLACES))
    rules = Rules(
        fallback=tuple(draw(st.lists(st.sampled_from([person.email for person in team]), max_size=2))) if team else (),
        hours=Hours(place, draw(WEEKS), draw(st.sampled_from(((), ("12-25",), ("03-14", "11-07"))))),
        in_business=draw(st.sampled_from((frozenset(), frozenset({"screen"})))),
        steps={("safety", True): draw(RUNGS), ("safety", False): draw(RUNGS)},
        call_list=draw(st.sampled_from(((), CALL))),
    )
    return rules, team, place


@profile(max_examples=80, deadline=None)
@given(clinic=clinics(), moment=MOMENTS, kind=st.sampled_from(("safety", "screen")))
def test_every_ladder_ends_and_on_the_way_each_is_asked_once(clinic, moment, kind):
    rules, team, place = clinic
    lines = escalation_policy.preview(Need(kind), team, rules, moment, place)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert all(earlier.at < later.at for earlier, later in pairwise(lines))
    assert [line.ask for line in lines if line.ask == escalation_policy.THE_END] == ["end"]
    assert lines[-1].ask == "end"
    names_asked = [name for line in lines[1:-1] for name in line.names]
    assert len(names_asked) == len(set(names_asked))
    assert len(lines) <= len(team) + 3


@profile(max_examples=80, deadline=None)
@given(clinic=clinics(), moment=MOMENTS)
def test_where_the_check_finds_nothing_somebody_is_told_in_any_minute_of_any_week(clinic, moment):
    rules, team, place = clinic
    here = [Person(**{**vars(person), "away": False}) for person in team]
    if policy_checks.check(rules, here):
        return
    names = {person.name for person in here if person.phone}
    lines = escalation_policy.preview(Need("safety"), here, rules, moment, place)
    local = moment.astimezone(escalation_policy.ZoneInfo(place)).replace(tzinfo=None)
    awake = coverage_gaps.awake(here, rules, local, closed=rules.hours.closed_on(local.date()))
    assert awake, "a hole the check has not seen"
    assert set(awake) <= names & {name for line in lines for name in line.names}
    assert rules.call_list
    assert lines[-1].at - moment <= timedelta(minutes=30 + 30 * len(here) * 4)


@profile(max_examples=60, deadline=None)
@given(team=teams(), moment=MOMENTS, place=st.sampled_from(PLACES))
def test_chains_of_cover_end_and_never_with_somebody_who_is_away(team, moment, place):
    members = escalation_policy.at(team, moment, Rules(), place)
    by_id = {member.id: member for member in members}
    for member in members:
        cover = assign.stand_in(member, by_id)
        assert cover is None or not cover.away
        assert cover is member or member.away
    choice = assign.choose(Need("safety"), members, Rules())
    seats = [assign.stand_in(member, by_id) for member in members if member.role in ("care_manager", "clinic_admin")]
    if any(seats):
        assert choice.owner_id is not None
        assert not by_id[choice.owner_id].away


NIGHT = datetime(2026, 3, 7, 10, 0, tzinfo=UTC)  # Saturday, 3:00 in Denver
OFFICE = hours.read("Mon-Fri 8:00-17:00")
ROSA, BEN = person("Rosa", hours=OFFICE, panels=("Dr. A",)), person("Ben", hours=OFFICE)
INES = person("Ines", role="clinician", hours=OFFICE, on_call=hours.read("Mon-Fri 17:00-8:00, Sat-Sun 8:00-8:00"))
DANA = person("Dana", role="clinic_admin", hours=OFFICE)
TEAM = [ROSA, BEN, INES, DANA]
GOOD = Rules(
    fallback=("dana@clinic.example",),
    hours=Hours("America/Denver", OFFICE),
    steps={("safety", False): (EscalationStep("on_call", 5), EscalationStep("lead", 10))},
    backups={"rosa@clinic.example": "ben@clinic.example"},
    call_list=CALL,
)


def test_off_hours_go_to_whoever_is_on_call_then_to_the_lead_then_to_the_call_list():
    lines = escalation_policy.preview(Need("safety"), TEAM, GOOD, NIGHT, "America/Denver")
    assert [(line.ask, line.names) for line in lines[:2]] == [("owner", ("Ines",)), ("lead", ("Dana",))]
    assert lines[-1].ask == "end"
    assert [line.at - NIGHT for line in lines] == [timedelta(minutes=m) for m in (0, 15, 25)]


def test_the_backup_is_the_one_who_was_named_or_who_stands_in_for_them():
    rules = Rules(steps={("safety", True): (EscalationStep("backup", 5),)}, backups=GOOD.backups)
    noon = escalation_policy.at(TEAM, datetime(2026, 3, 3, 19, tzinfo=UTC), rules, "America/Denver")
    assert [member.name for member in escalation_policy.climb(Need("safety"), noon, rules, set(), ROSA.id).members] == [
        "Ben"
    ]
    away = [ROSA, Person(**{**vars(BEN), "away": True, "covered_by": DANA.id}), DANA]
    noon = escalation_policy.at(away, datetime(2026, 3, 3, 19, tzinfo=UTC), rules, "America/Denver")
    assert [member.name for member in escalation_policy.climb(Need("safety"), noon, rules, set(), ROSA.id).members] == [
        "Dana"
    ]


def test_an_item_that_crosses_into_the_night_misses_nobody_of_the_night_s_ladder():
    told = {BEN.id}
    team = escalation_policy.at(TEAM, NIGHT, GOOD, "America/Denver")
    step = escalation_policy.climb(Need("safety"), team, GOOD, told, ROSA.id, is_open=False)
    assert [member.name for member in step.members] == ["Ines"]


def test_whoever_covers_takes_the_seat_with_its_panel_and_says_for_whom():
    away = Person(**{**vars(ROSA), "away": True, "covered_by": BEN.id})
    team = escalation_policy.at([away, BEN, INES], datetime(2026, 3, 3, 19, tzinfo=UTC), Rules(), "America/Denver")
    choice = assign.choose(Need("screen", "en", "Dr. A"), team, Rules())
    assert (choice.owner_id, choice.why) == (BEN.id, ("panel:Dr. A", "covering:Rosa", "on_duty"))


def test_a_good_ladder_has_no_problem():
    assert policy_checks.check(GOOD, TEAM) == []
    assert all(names for day in coverage_gaps.week(TEAM, GOOD) for _begin, _end, names in day)


def fields(rules: Rules, team) -> set[str]:
    return {problem.field for problem in policy_checks.check(rules, team)}


def changed(**facts) -> Rules:
    return Rules(**{**vars(GOOD), **facts})


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"fallback": ()}, "fallback"),
        ({"fallback": ("nobody@clinic.example",)}, "fallback"),
        ({"call_list": ()}, "call"),
        ({"backups": {"rosa@clinic.example": "rosa@clinic.example"}}, "backup"),
        ({"answer_within": {**GOOD.answer_within, "safety": 31}}, "safety.answer"),
        ({"rung_minutes": 31}, "repeat"),
        ({"steps": {("safety", False): (EscalationStep("lead", 31),)}}, "safety.closed"),
        ({"steps": {("safety", True): (EscalationStep("lead", 30),) * 5}}, "safety.open"),
    ],
)
def test_a_ladder_that_could_leave_a_positive_answer_unseen_is_refused_with_its_field(facts, field):
    assert field in fields(changed(**facts), TEAM)


def test_a_night_with_nobody_is_named_by_its_hours():
    silent = [Person(**{**vars(DANA), "phone": False, "email": "x@clinic.example"}), ROSA, BEN]
    (found,) = [
        str(problem) for problem in policy_checks.check(changed(fallback=()), silent) if problem.field == "on_call"
    ]
    assert "Mon 17:00 to Tue 8:00" in found
    assert "Fri 17:00 to" in found


def test_half_an_hour_with_nobody_is_a_hole():
    night = person("Nils", on_call=hours.read("Mon-Fri 17:30-8:00, Sat-Sun all day"))
    rules = changed(fallback=())
    (found,) = [str(problem) for problem in policy_checks.check(rules, [ROSA, night]) if problem.field == "on_call"]
    assert "Mon 17:00 to Mon 17:30" in found


def test_holidays_need_somebody_on_call_by_day_too():
    rules = changed(fallback=("rosa@clinic.example",), hours=Hours("America/Denver", OFFICE, ("12-25",)))
    mute = Person(**{**vars(ROSA), "phone": False})
    assert any("holiday" in problem.message for problem in policy_checks.check(rules, [mute, BEN, INES]))


def test_a_hole_needs_nobody_who_is_on_holiday_this_week():
    gone = [Person(**{**vars(person), "away": True}) for person in TEAM]
    assert policy_checks.check(GOOD, gone) == []


LEAVES = Rules(before_leaving=frozenset({"safety", "screen"}))
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "leaves_in", "due_in"),
    [
        ("screen", 40, 30),
        ("screen", 12, 5),
        ("screen", 400, 60),
        ("safety", 22, 12),
        ("reply", 40, 240),
        ("screen", -5, 60),
    ],
)
def test_before_they_leave_the_building(kind, leaves_in, due_in):
    due = assign.answer_by(kind, NOON, LEAVES, leaves_at=NOON + timedelta(minutes=leaves_in))
    assert due == NOON + timedelta(minutes=due_in)


def test_safety_and_handoffs_run_in_real_time_whatever_a_clinic_writes():
    stored = {"ladder": {"kinds": {kind: {"clock": "business"} for kind in assign.KINDS}}}
    rules = Rules.of(stored | {"hours": {"zone": "America/Denver", "week": OFFICE}})
    assert rules.in_business == {"screen", "reply", "delivery"}
    assert assign.answer_by("safety", NIGHT, rules) == NIGHT + timedelta(minutes=15)
    assert assign.answer_by("screen", NIGHT, rules) > NIGHT + timedelta(days=2)
