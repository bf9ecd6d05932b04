"""What holds for every plan, whatever the visit, the zones and the cadence;
and for what is sent late or about many visits."""

import dataclasses
import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

from reminders import reasons
from reminders.cadence import cadence_definition
from reminders.rules import conditions, limits, planning, zones

ZONES = [
    "America/New_York", "America/Denver", "America/Phoenix", "America/Puerto_Rico", "Pacific/Honolulu",
    "America/Los_Angeles", "America/St_Johns", "America/Santiago", "Europe/Dublin", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "UTC",
]  # fmt: skip
OURS = ["2027-03-14", "2027-11-07"]
CHANGES_OF_2027 = {
    "America/New_York": OURS,
    "America/Denver": OURS,
    "Europe/Dublin": ["2027-03-28", "2027-10-31"],
    "Australia/Lord_Howe": ["2027-04-04", "2027-10-03"],
    "America/Santiago": ["2027-04-04", "2027-09-05"],
}
DEFAULT = cadence_definition.default()
BEFORE = [
    "2 weeks",
    "4 days",
    "72 hours",
    "1 day",
    "26 hours",
    "20 hours",
    "5 hours",
    "3 hours",
    "90 minutes",
    "20 minutes",
    "0 days",
]
AFTER = ["30 minutes", "3 hours", "1 day", "2 days", "0 days"]
WHEN = ["first_visit", "not_confirmed", "intake_open", "language:es", "place:North clinic", "kind:group"]
DAYS = [("09:00", "17:00"), ("09:00", "09:30"), ("13:00", "13:30")]
WINDOWS = {
    ("20:00", "08:00"): DAYS,
    ("21:00", "07:30"): DAYS,
    ("18:00", "09:00"): DAYS,
    ("09:30", "09:00"): [("09:10", "09:20")],
}
ANCHORS = st.lists(
    st.one_of(
        st.tuples(st.just("before"), st.sampled_from(BEFORE)),
        st.tuples(st.just("before"), st.sampled_from(BEFORE)),
        st.tuples(st.just("weekday"), st.sampled_from(planning.anchors.WEEKDAYS)),
        st.tuples(st.sampled_from(conditions.OUTCOMES), st.sampled_from(AFTER)),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)  # fmt: skip
# Around each length that a cadence here may name for a text that is late, in seconds.
LATE = [edge + more for edge in (600, 1800, 3600, 14400, 86400) for more in (-1, 0, 1, 900)]
TEXAS = {6: (time(12), time(21))}  # a Sunday; every other day from nine, until nine in the evening
HARD_TO_FIND = [HealthCheck.filter_too_much, HealthCheck.too_slow]


@st.composite
def some_visit(draw):
    zone = draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        day = datetime.fromisoformat(draw(st.sampled_from(CHANGES_OF_2027.get(zone, OURS))))
        wall = day + timedelta(minutes=draw(st.integers(-2 * 24 * 60, 5 * 24 * 60)))
    else:
        wall = draw(st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)))
    start = zones.local_to_utc(wall, ZoneInfo(zone))
    booked = start - timedelta(seconds=draw(st.one_of(st.integers(-3600, 4 * 86400), st.integers(0, 60 * 86400))))
    patient = draw(st.none() | st.sampled_from(ZONES))
    return planning.Visit(
        start,
        ZoneInfo(zone),
        booked,
        patient and ZoneInfo(patient),
        confirmed=draw(st.sampled_from([False] * 4 + [True])),
        outcome=draw(st.sampled_from([None, None, None, *conditions.OUTCOMES])),
        facts=draw(
            st.builds(
                conditions.Facts,
                language=st.sampled_from([None, "es-MX", "en"]),
                place=st.sampled_from([None, "north  CLINIC"]),
                kind=st.sampled_from([None, "Group"]),
                first_visit=st.sampled_from([None, True, False]),
                intake_done=st.sampled_from([None, True, False]),
            )
        ),
    )


@st.composite
def some_steps(draw, night):
    steps = []
    for number, (anchor, length) in enumerate(draw(ANCHORS)):
        after = anchor in conditions.OUTCOMES
        when = draw(st.lists(st.sampled_from(WHEN), max_size=1 if draw(st.booleans()) else 0))
        if after:
            when = [anchor, *(condition for condition in when if condition != "not_confirmed")]
        step = {"name": f"s{number}", "text": "some_words", "after" if after else anchor: length, "when": when}
        if anchor == "weekday" or length == "0 days" or ("day" in length and draw(st.booleans())):
            step["at"] = draw(st.sampled_from(["00:30", "02:15", "07:59", "10:00", "18:30", "20:00"]))
        step["if_past"] = draw(st.sampled_from(["drop", "send"]))
        step["unless_confirmed"] = "not_confirmed" in when or draw(st.booleans())
        if draw(st.booleans()):
            step["deliver_by"] = draw(st.sampled_from(["30 minutes", "30 minutes", "4 hours", "1 day"]))
        if draw(st.sampled_from([False, False, True])):
            start, end = draw(st.sampled_from(WINDOWS[night]))
            step["window"] = {"start": start, "end": end}
        steps.append(step)
    return steps


@st.composite
def some_cadence(draw):
    """A cadence in which every field there is may say something."""
    starts, ends = draw(st.sampled_from(list(WINDOWS)))
    a_day = draw(st.integers(1, 3))
    made = {
        "steps": draw(some_steps((starts, ends))),
        "kinds": {"group": draw(some_steps((starts, ends)))} if draw(st.booleans()) else {},
        "quiet_hours": {"start": starts, "end": ends},
        "quiet_states": draw(st.sampled_from([[], [], ["TX"]])),
        "min_gap": draw(st.sampled_from(["1 minute", "3 hours", "1 day"])),
        "min_notice": draw(st.sampled_from(["5 minutes", "2 hours"])),
        "catch_up": draw(st.sampled_from(["10 minutes", "60 minutes", "1 day", "1 day"])),
        "cap_per_day": a_day,
        "cap_per_week": a_day + draw(st.integers(0, 3)),
        "combine_day": draw(st.booleans()),
    }
    try:
        read = cadence_definition.from_mapping(made)
    except cadence_definition.BadCadence:  # a window outside the hours, or two steps at one moment
        reject()
    own = draw(st.sampled_from([None, None, ["09:00", "13:15"]]))
    return cadence_definition.within(read, own) or read


@st.composite
def some_case(draw):
    """A visit and a cadence; the visit went as one of the steps has it, or is still to come where that is before it."""
    used, seen = draw(some_cadence()), draw(some_visit())
    went = draw(st.sampled_from([conditions.outcome(step.when) for _, step in used.all_steps()]))
    return dataclasses.replace(seen, outcome=went), used


def may_leave(at, place, used, step):
    """Whether it is no quiet hour for the patient: told from what the clinic wrote, and not by the rules that plan."""
    local = at.astimezone(place)
    clock, quiet = local.time(), used.quiet_hours
    opens, closes = TEXAS.get(local.weekday(), (time(9), time(21)))
    in_texas = not used.quiet_states or opens <= clock < closes
    inside = step.window is None or step.window.start <= clock < step.window.end
    return quiet.end <= clock < quiet.start and in_texas and inside


def the_plan_keeps_its_promises(seen, used):
    planned = planning.plan(seen, used)
    place = seen.patient_zone or seen.zone
    assert planning.plan(seen, used) == planned
    meant = {s.name: s for s in used.steps_for(seen.facts.kind) if conditions.outcome(s.when) == seen.outcome}
    assert sorted(step.step for step in planned) == sorted(meant)
    sent = [step for step in planned if step.at is not None]
    for step in sent:
        local, written = step.at.astimezone(place), meant[step.step]
        assert may_leave(step.at, place, used, written)
        assert seen.booked_at <= step.at
        assert step.at.utcoffset() == timedelta(0)
        assert step.local == local.isoformat()
        if seen.outcome:
            assert step.at > seen.starts_at
        else:
            assert step.at < step.deliver_by <= seen.starts_at
            if any(reason.key in reasons.MOVED for reason in step.why):
                assert seen.starts_at - step.at >= used.min_notice
        if written.deliver_by:
            assert step.at < step.deliver_by <= step.at + written.deliver_by
        assert useful(step, step.at, seen, used)
    moments = sorted(step.at for step in sent)
    assert all(later - earlier >= used.min_gap for earlier, later in itertools.pairwise(moments))
    for step in planned:
        why = reasons.kept(reason.stored() for reason in step.why)
        assert why[0].startswith("planned: ")
        assert (step.at is None) == why[-1].startswith("dropped: ") == (step.local is None)
    if seen.confirmed:
        assert {step.step for step in sent} <= {name for name in meant if not meant[name].unless_confirmed}


def useful(step, now, seen, used):
    written = used.step(step.step, seen.facts.kind)
    place = seen.patient_zone or seen.zone
    return planning.still_useful(step.at, now, seen.starts_at, used, place, step.deliver_by, written)[0]


@settings(max_examples=200, deadline=None)
@given(some_visit())
def test_the_default_cadence_keeps_its_promises_for_every_visit(seen):
    the_plan_keeps_its_promises(seen, DEFAULT)
    names = [] if seen.outcome else ["72h", "24h", "2h"]
    assert [step.step for step in planning.plan(seen, DEFAULT)] == names


@settings(max_examples=200, deadline=None, suppress_health_check=HARD_TO_FIND)
@given(some_case())
def test_every_cadence_keeps_its_promises_for_every_visit(case):
    the_plan_keeps_its_promises(*case)


@settings(max_examples=200, deadline=None, suppress_health_check=HARD_TO_FIND)
@given(some_case(), st.integers(0, 2 * 86400))
def test_what_is_sent_late_keeps_them_too(case, seconds):
    seen, used = case
    place = seen.patient_zone or seen.zone
    for step, late in itertools.product(planning.plan(seen, used), [seconds, *LATE]):
        now = step.at and step.at + timedelta(seconds=late)
        if now is None or not useful(step, now, seen, used):
            continue
        assert may_leave(now, place, used, used.step(step.step, seen.facts.kind))
        assert now < (step.deliver_by or seen.starts_at + timedelta(days=9))
        assert (now > seen.starts_at) if seen.outcome else (now < seen.starts_at)
        assert now - step.at <= used.catch_up


@settings(max_examples=100, deadline=None, suppress_health_check=HARD_TO_FIND)
@given(
    some_case(),
    st.lists(st.integers(-48, 7 * 24), max_size=4),
    st.lists(st.integers(0, 200), max_size=3),
)
def test_over_all_visits_of_a_patient_the_caps_hold_and_each_text_has_its_moment_or_its_reason(case, hours, ago):
    seen, used = case
    place = seen.patient_zone or seen.zone
    texts = []
    for distance in [0, *hours]:
        start = seen.starts_at + timedelta(hours=distance)
        visit = planning.Visit(
            start, seen.zone, seen.booked_at, seen.patient_zone, outcome=seen.outcome, facts=seen.facts
        )
        texts += [
            limits.Text(used.step(step.step, seen.facts.kind), step.at, start.astimezone(seen.zone).date(), "booked")
            for step in planning.plan(visit, used)
            if step.at is not None
        ]

    def goes_with(first, other):
        return used.combine_day and limits.shared(texts[first], texts[other], used.min_gap)

    first = min((text.at for text in texts), default=seen.starts_at)
    before = [first - timedelta(hours=each) for each in ago]
    objections = limits.would_be([text.at for text in texts], place, used, before, goes_with)
    sent = [text for text, objection in zip(texts, objections, strict=True) if objection is None]
    for text, objection in zip(texts, objections, strict=True):
        gone = [at.astimezone(place).date() for at in [*before, *(text.at for text in sent)] if at <= text.at]
        ages = [(text.at.astimezone(place).date() - day).days for day in gone]
        if objection is None:
            assert ages.count(0) <= used.cap_per_day
            assert sum(age < 7 for age in ages) <= used.cap_per_week
        elif objection == limits.COMBINED:
            assert used.combine_day
            assert any(limits.shared(earlier, text, used.min_gap) and earlier.at <= text.at for earlier in sent)
        else:
            assert reasons.words(objection).startswith("cap: ")
            assert ages.count(0) >= used.cap_per_day or sum(age < 7 for age in ages) >= used.cap_per_week


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([(zone, day) for zone, days in CHANGES_OF_2027.items() for day in days]),
    st.integers(-1, 4),
    st.integers(8 * 60, 20 * 60 - 1),
)
@example(("Australia/Lord_Howe", "2027-10-03"), 0, 9 * 60)
def test_whole_days_before_keep_the_hour_of_the_visit_when_the_clocks_change(change, days, minute):
    place, day = ZoneInfo(change[0]), change[1]
    wall = datetime.fromisoformat(day) + timedelta(days=days, minutes=minute)
    planned = planning.plan(
        planning.Visit(zones.local_to_utc(wall, place), place, datetime(2026, 1, 1, tzinfo=UTC)), DEFAULT
    )
    for step, before in zip(planned, (3, 1), strict=False):
        assert step.local[:16] == (wall - timedelta(days=before)).isoformat()[:16]


@settings(max_examples=100, deadline=None)
@given(some_visit(), st.integers(0, 5 * 86400))
def test_planning_again_never_looks_back(seen, seconds):
    now = seen.starts_at - timedelta(seconds=seconds)
    assert all(step.at >= now for step in planning.plan(seen, DEFAULT, now) if step.at is not None)
