"""What holds for every plan, whatever the visit, the zones and the cadence."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminders import cadences
from reminders.rules import planning, zones

ZONES = [
    "America/New_York", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/St_Johns", "Pacific/Honolulu",
    "America/Santiago", "Europe/Dublin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "UTC",
]  # fmt: skip
CHANGES_OF_2027 = {
    "America/New_York": ["2027-03-14", "2027-11-07"],
    "America/Denver": ["2027-03-14", "2027-11-07"],
    "Europe/Dublin": ["2027-03-28", "2027-10-31"],
    "Australia/Lord_Howe": ["2027-04-04", "2027-10-03"],
    "America/Santiago": ["2027-04-04", "2027-09-05"],
}
DEFAULT = cadences.default()


def made(steps, **limits):
    """A cadence of (before, fields) pairs; each step is named after its length."""
    each = [
        {"name": before.replace(" ", "_"), "before": before, "text": "some_words", **fields}
        for before, fields in steps
    ]
    return cadences.from_mapping({"steps": each, **limits})


@st.composite
def some_visit(draw):
    zone = draw(st.sampled_from(ZONES))
    if zone in CHANGES_OF_2027 and draw(st.booleans()):
        day = datetime.fromisoformat(draw(st.sampled_from(CHANGES_OF_2027[zone])))
        wall = day + timedelta(minutes=draw(st.integers(-2 * 24 * 60, 5 * 24 * 60)))
    else:
        wall = draw(st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)))
    start = zones.local_to_utc(wall, ZoneInfo(zone))
    booked = start - timedelta(
        seconds=draw(st.one_of(st.integers(-3600, 4 * 86400), st.integers(0, 60 * 86400)))
    )
    patient = draw(st.none() | st.sampled_from(ZONES))
    return planning.Visit(
        start,
        ZoneInfo(zone),
        booked,
        patient and ZoneInfo(patient),
        draw(st.sampled_from([False] * 4 + [True])),
    )


@st.composite
def some_cadence(draw):
    lengths = [
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
    chosen = draw(st.lists(st.sampled_from(lengths), min_size=1, max_size=6, unique=True))
    steps = []
    for length in chosen:
        fields = {"if_past": draw(st.sampled_from(["drop", "send"])), "unless_confirmed": draw(st.booleans())}
        if length == "0 days" or ("day" in length and draw(st.booleans())):
            fields["at"] = draw(st.sampled_from(["00:30", "02:15", "07:59", "10:00", "18:30", "20:00"]))
        if draw(st.booleans()):
            fields["deliver_by"] = draw(st.sampled_from(["30 minutes", "1 day"]))
        steps.append((length, fields))
    return made(
        steps,
        min_gap=draw(st.sampled_from(["1 minute", "3 hours", "1 day"])),
        min_notice=draw(st.sampled_from(["5 minutes", "2 hours"])),
    )


def the_plan_keeps_its_promises(seen, used):
    planned = planning.plan(seen, used)
    place = seen.patient_zone or seen.zone
    assert planning.plan(seen, used) == planned
    assert sorted(step.step for step in planned) == sorted(step.name for step in used.steps)
    sent = [step for step in planned if step.at is not None]
    for step in sent:
        local = step.at.astimezone(place)
        assert 8 <= local.hour < 20
        assert seen.booked_at <= step.at < seen.starts_at
        assert step.at.utcoffset() == timedelta(0)
        assert step.local == local.isoformat()
        if any(reason.startswith("moved") for reason in step.why):
            assert seen.starts_at - step.at >= used.min_notice
        assert step.at < step.deliver_by <= seen.starts_at
        assert planning.still_useful(step.at, step.at, seen.starts_at, used, place)[0]
    assert all(later.at - earlier.at >= used.min_gap for earlier, later in itertools.pairwise(sent))
    for step in planned:
        assert step.why[0].startswith("planned: ")
        assert (step.at is None) == step.why[-1].startswith("dropped: ") == (step.local is None)
    if seen.confirmed:
        assert {step.step for step in sent} <= {step.name for step in used.steps if not step.unless_confirmed}


@settings(max_examples=200, deadline=None)
@given(some_visit())
def test_the_default_cadence_keeps_its_promises_for_every_visit(seen):
    the_plan_keeps_its_promises(seen, DEFAULT)
    assert [step.step for step in planning.plan(seen, DEFAULT)] == ["72h", "24h", "2h"]


@settings(max_examples=200, deadline=None)
@given(some_visit(), some_cadence())
def test_every_cadence_keeps_its_promises_for_every_visit(seen, used):
    the_plan_keeps_its_promises(seen, used)


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
