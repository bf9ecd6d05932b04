"""Whatever a clinic changes, in whatever order: once somebody is there at every minute, that stays so."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import delete

from config import audit, db
from messaging.inbox import policy_decision
from messaging.inbox.models import Absence
from messaging.inbox.routing import assign, coverage_gaps, escalation_policy, hours
from messaging.inbox.staff import absences, coverage_guard, roster, staffing
from messaging.models import Clinic, Staff
from messaging.versions import publishing
from messaging.versions.models import Version
from reminders.clinic_profile import CLINIC

NOW = datetime(2027, 3, 10, 18, tzinfo=UTC)
RULES = policy_decision.kind(dict)
LEAD, MAIL = 3, [f"p{place}@clinic.example" for place in range(4)]
ROLES = ("care_manager", "clinician", "clinic_admin", "front_desk", "auditor")
DAY, NIGHT, ALWAYS = (
    {day: list(span) for day in hours.WEEKDAYS} for span in (("08:00", "20:00"), ("20:00", "08:00"), ("00:00", "00:00"))
)
SHORT, HARDLY = DAY | {"sat": ["08:30", "20:00"]}, {"mon": ["09:00", "10:00"]}
# Who works when, and is on call when: nobody is there twice, so that whatever is taken away is missed.
ROTAS = [
    ([DAY, NIGHT, HARDLY, HARDLY], [{}, {}, {}, {}]),
    ([ALWAYS, HARDLY, HARDLY, HARDLY], [{}, {}, {}, {}]),
    ([HARDLY, DAY, HARDLY, HARDLY], [NIGHT, {}, {}, {}]),
    ([DAY, HARDLY, DAY, HARDLY], [{}, {}, NIGHT, {}]),
    ([HARDLY, SHORT, HARDLY, NIGHT], [{}, {}, {}, {}]),
]
# Around the two nights of 2027 in which the clocks change, and days that the clinic may make holidays.
DAYS = [datetime(2027, month, day, tzinfo=UTC) for month, day in ((3, 11), (3, 13), (3, 16), (11, 6), (12, 24))]
HOLIDAYS = st.lists(st.sampled_from(("2027-03-16", "2027-11-07", "12-25")), max_size=2, unique=True)
WHO = st.integers(0, 3)
WEEKS, CALLED = st.sampled_from((DAY, NIGHT, SHORT, HARDLY, ALWAYS)), st.sampled_from(({}, {}, NIGHT, ALWAYS))
SOMEBODY = st.none() | WHO
AWAY = st.tuples(st.just("away"), WHO, SOMEBODY, st.sampled_from(DAYS), st.integers(0, 47), st.integers(1, 72))
ACTS = st.one_of(
    AWAY,
    AWAY,
    st.tuples(st.just("hours"), WHO, WEEKS, CALLED),
    st.tuples(st.just("back"), st.integers(0, 2)),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("change"), WHO, st.sampled_from(ROLES), st.booleans()),
    st.tuples(st.just("publish"), st.lists(WHO, min_size=1, max_size=2, unique=True), HOLIDAYS, WEEKS, CALLED),
    st.tuples(st.just("revert"), st.integers(1, 2)),
    st.tuples(st.just("zone"), st.sampled_from(("America/Denver", "America/New_York", "America/Phoenix"))),
)
REFUSALS = (
    coverage_guard.MakesGap, absences.MayNot, staffing.MayNot, publishing.Refused, publishing.Overtaken, LookupError,
)  # fmt: skip


@dataclass
class Door:
    """The clinic and its four people, changed by the verbs behind the pages, each in a transaction of its own."""

    clinic: UUID
    people: list[UUID]

    def restart(self, weeks, called) -> None:
        with db.unit_of_work(db.EVERY) as session:
            session.execute(delete(Absence))
            session.execute(delete(Version))
            clinic = session.get_one(Clinic, self.clinic)
            clinic.rules, clinic.zone = {}, "America/Denver"
            db.load_keys(session, {clinic.key_id})
            for place, staff_id in enumerate(self.people):
                staff = session.get_one(Staff, staff_id)
                staff.active, staff.role = True, "clinic_admin" if place == LEAD else "care_manager"
                staff.hours, staff.on_call = weeks[place], called[place]
                staff.number = f"+1303555016{place}"

    def do(self, act, *given) -> None:
        with db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, self.clinic)
            db.load_keys(session, {clinic.key_id})
            getattr(self, f"_{act}")(session, clinic, *given)

    def _one(self, session, place) -> Staff:
        return session.get_one(Staff, self.people[place])

    def _hours(self, session, clinic, who, week, called) -> None:
        staffing.set_hours(session, clinic.id, self.people[who], hours=week, on_call=called, actor="operator")

    def _away(self, session, clinic, who, by, day, begin, length) -> None:
        start, stand_in = day + timedelta(hours=begin), None if by is None else self._one(session, by)
        absences.plan(session, self._one(session, who), stand_in, start, start + timedelta(hours=length))

    def _back(self, session, clinic, place) -> None:
        planned = session.query(Absence).order_by(Absence.id).all()
        if planned:
            absences.come_back(session, planned[place % len(planned)], "operator")

    def _leave(self, session, clinic, who) -> None:
        staff = self._one(session, who)
        if staff.active:
            staffing.leave(session, clinic, staff, "operator")

    def _change(self, session, clinic, who, role, phone) -> None:
        staff = self._one(session, who)
        number = f"+1303555016{who}" if phone else None
        staffing.change(
            session, clinic, staff, staffing.Facts(staff.name, staff.email, role, ("en",), (), number), "operator"
        )

    def _publish(self, session, clinic, fallback, holidays, opening, called) -> None:
        present = RULES.present(session, clinic)
        on_call = {MAIL[0]: called} if called else {}
        written = present | {
            "fallback": [MAIL[place] for place in fallback],
            "holidays": holidays,
            "hours": opening,
            "on_call": on_call,
            "call": [{"name": "Dr Wu", "phone": "+13035550177"}],
        }
        self._follow(session, clinic, RULES, written)

    def _revert(self, session, clinic, number) -> None:
        draft = publishing.revert(session, clinic, RULES, number, edit=0, actor="operator")
        publishing.publish(session, clinic, RULES, edit=draft.edit, actor="operator")

    def _zone(self, session, clinic, zone) -> None:
        self._follow(session, clinic, CLINIC, CLINIC.present(session, clinic) | {"zone": zone})

    def _follow(self, session, clinic, kind, written) -> None:
        draft = publishing.save(session, clinic, kind, written, edit=0, actor="operator")
        publishing.publish(session, clinic, kind, edit=draft.edit, actor="operator")


@pytest.fixture
def door(clinic, new_staff) -> Door:
    return Door(clinic.id, [new_staff(f"P{place}", email=MAIL[place]).id for place in range(4)])


def now_is(door: Door) -> coverage_gaps.Watch:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return roster.watch(session, session.get_one(Clinic, door.clinic))


def somebody_there(here: coverage_gaps.Watch, at: datetime) -> set[str]:
    """Who expects to be told at this moment, found without the code that is asked: seat by seat, as pages say it."""
    local, rules = at.astimezone(ZoneInfo(here.zone)).replace(tzinfo=None), here.rules
    closed = {f"{local:%Y-%m-%d}", f"{local:%m-%d}"} & set(rules.hours.holidays)
    gone = {
        absence.staff_id: absence.cover_id for absence in here.absences if absence.starts_at <= at < absence.ends_at
    }
    by_id = {person.id: person for person in here.people}

    def works(person) -> bool:
        return not closed and hours.within(person.hours or rules.hours.week, local)

    def called(person) -> bool:
        return bool(person.on_call) and hours.within(person.on_call, local)

    expecting = set()
    for seat in here.people:
        sits, seen = seat, set()
        while sits is not None and sits.id in gone and sits.id not in seen:
            seen.add(sits.id)
            sits = by_id.get(gone[sits.id])
            sits = sits if sits is not None and sits.role in ROLES[:3] else None
        if sits is None or sits.id in gone or not sits.phone or sits.role not in ROLES[:3]:
            continue
        duty = seat.role in ("care_manager", "clinic_admin") and (works(seat) or works(sits))
        if duty or called(seat) or called(sits) or seat.email in rules.fallback:
            expecting.add(sits.name)
    return expecting


def told_at(here: coverage_gaps.Watch, at: datetime) -> set[str]:
    """Who is told of a positive answer that comes in at this moment and nobody acknowledges, to the policy's end."""
    gone = {
        absence.staff_id: absence.cover_id for absence in here.absences if absence.starts_at <= at < absence.ends_at
    }
    team = [
        escalation_policy.Person(**vars(person) | {"away": person.id in gone, "covered_by": gone.get(person.id)})
        for person in here.people
    ]
    members, need = escalation_policy.at(team, at, here.rules, here.zone), coverage_gaps.SAFETY
    owner = assign.choose(need, members, here.rules).owner_id
    told = {owner} if owner else set()
    for _ in range(2 * len(members) + 1):
        told |= {member.id for member in escalation_policy.climb(need, members, here.rules, told, owner).members}
    return {member.name for member in members if member.id in told}


MINUTES = st.lists(
    st.tuples(st.sampled_from(DAYS), st.integers(0, 96), st.sampled_from((0, 1, 29, 30, 59))),
    min_size=4,
    max_size=8,
)


# Two who are away together, and the fallback goes from who is here to one of them; then the clinic moves its clock, so
# that who is here goes home before who is away is back.
@example(
    rota=ROTAS[0],
    acts=[
        ("publish", [3], [], {}, {}),
        ("away", 1, None, DAYS[1], 0, 48),
        ("away", 2, None, DAYS[1], 0, 48),
        ("publish", [2], [], {}, {}),
    ],
    minutes=[(DAYS[1], 5, 0)],
)
@example(
    rota=ROTAS[0],
    acts=[("away", 1, None, DAYS[0], 15, 12), ("zone", "America/New_York")],
    minutes=[(DAYS[0], 25, 30)],
)
@profile(max_examples=25, deadline=None)
@given(
    rota=st.sampled_from(ROTAS),
    acts=st.lists(ACTS, min_size=4, max_size=8),
    minutes=MINUTES,
)
def test_whatever_is_changed_somebody_is_there_at_every_minute_or_it_was_refused(door, rota, acts, minutes):
    with time_machine.travel(NOW, tick=False):
        door.restart(*rota)
        whole = not coverage_gaps.every(now_is(door), NOW)
        for act in acts:
            before = now_is(door)
            try:
                door.do(*act)
            except REFUSALS:
                assert now_is(door) == before, "half of a refused act was kept"
            here = now_is(door)
            whole = whole or not coverage_gaps.every(here, NOW)
            if not whole:
                continue
            assert coverage_gaps.every(here, NOW) == []
            for day, hour, minute in minutes:
                at = day + timedelta(hours=hour, minutes=minute)
                there = somebody_there(here, at)
                assert there, f"nobody at {at} after {act}"
                assert there <= told_at(here, at)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_an_act_that_is_refused_leaves_nothing_behind(door, clinic):
    door.restart([DAY, NIGHT, {"mon": ["09:00", "10:00"]}, {"mon": ["09:00", "10:00"]}], [{}] * 4)
    with time_machine.travel(NOW, tick=False):
        for act in (
            ("leave", 1),
            ("change", 1, "auditor", True),
            ("change", 1, "care_manager", False),
            ("away", 1, None, DAYS[0], 0, 30),
            ("hours", 1, SHORT, {}),
        ):
            with pytest.raises(coverage_guard.MakesGap) as refused:
                door.do(*act)
            assert refused.value.when
        with db.unit_of_work(db.EVERY) as session:
            staff = session.get_one(Staff, door.people[1])
            assert (staff.active, staff.role, staff.hours) == (True, "care_manager", NIGHT)
            assert staff.number_ct is not None
            assert session.query(Absence).all() == []
            assert "staff.revoked" not in {entry.act for entry in session.query(audit.AuditEntry)}


def test_what_came_back_from_the_past_is_asked_like_anything_else(door):
    """The version that is brought back names a fallback who has left meanwhile."""
    door.restart([ALWAYS] * 4, [{}] * 4)
    with time_machine.travel(NOW, tick=False):
        door.do("publish", [1], [], {}, {})
        door.do("publish", [0], [], {}, {})
        door.do("leave", 1)
        with pytest.raises(publishing.Refused, match="nobody active here has the address"):
            door.do("revert", 1)


def test_a_clinic_of_one_is_set_up_step_by_step_with_its_holes(door):
    """What was a gap before does not stand in the way: one person's day is worth having."""
    door.restart([{"mon": ["09:00", "10:00"]}] * 4, [{}] * 4)
    with time_machine.travel(NOW, tick=False):
        for place in (1, 2):
            door.do("leave", place)
        door.do("hours", 0, DAY, {})
        door.do("away", 3, None, DAYS[0], 0, 5)
        assert coverage_gaps.every(now_is(door), NOW)
