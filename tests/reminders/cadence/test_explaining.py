"""The plan of one visit explained: a time or a reason for each step, and never an exception."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.cadence import explaining

QUESTION = {"visit_at": "2026-03-10T09:00", "zone": "America/Denver", "booked_at": "2026-02-01T16:00:00Z"}


def test_a_plan_is_explained_in_the_words_of_the_surface():
    assert explaining.explain(QUESTION) == {
        "steps": [
            {
                "step": "72h",
                "at": "2026-03-07T16:00:00Z",
                "local": "2026-03-07T09:00:00-07:00",
                "why": ["planned: 72 hours before the visit by the clock on the wall, 71 hours as the clocks change"],
            },
            {
                "step": "24h",
                "at": "2026-03-09T15:00:00Z",
                "local": "2026-03-09T09:00:00-06:00",
                "why": ["planned: 24 hours before the visit"],
            },
            {
                "step": "2h",
                "at": "2026-03-10T14:00:00Z",
                "local": "2026-03-10T08:00:00-06:00",
                "why": ["planned: 2 hours before the visit", "moved: quiet hours until 08:00"],
            },
        ]
    }


def test_the_same_instant_written_in_another_way_gives_the_same_plan():
    for same in (
        "2026-03-10T15:00:00Z",
        "2026-03-10T17:00+02:00",
        "2026-03-10 09:00",
        "2026-03-10T09:00:00.000",
    ):
        assert explaining.explain({**QUESTION, "visit_at": same}) == explaining.explain(QUESTION)
    assert explaining.explain({**QUESTION, "patient_zone": None, "cadence": None}) == explaining.explain(QUESTION)


def test_a_dropped_step_has_no_time():
    last_minute = explaining.explain({**QUESTION, "booked_at": "2026-03-09T20:00:00Z"})
    assert [step["at"] for step in last_minute["steps"]] == [None, None, "2026-03-10T14:00:00Z"]
    assert last_minute["steps"][0]["local"] is None
    assert last_minute["steps"][0]["why"][-1] == "dropped: visit was booked after this step"


def test_a_cadence_and_the_zone_of_the_patient_are_heeded():
    steps = [{"name": "d", "before": "1 day", "at": "18:00", "text": "some_words"}]
    answer = explaining.explain({**QUESTION, "patient_zone": "America/New_York", "cadence": {"steps": steps}})
    assert [(step["step"], step["local"]) for step in answer["steps"]] == [("d", "2026-03-10T08:00:00-04:00")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"zone": "America/Denvr"}, "did you mean America/Denver"),
        ({"zone": None}, "zone: expected a text"),
        ({"patient_zone": "Mars/Olympus"}, "unknown time zone"),
        ({"visit_at": "10 March"}, "visit_at: expected a date and time"),
        ({"visit_at": "2026-03-10"}, "visit_at: expected a date and time"),
        ({"visit_at": "2026-02-30T09:00"}, "visit_at: "),
        ({"visit_at": "0001-01-01T00:00"}, "visit_at: expected a year"),
        ({"visit_at": "9999-12-31T23:59"}, "visit_at: expected a year"),
        ({"booked_at": "2026-02-01T16:00:00"}, "booked_at: expected Z or an offset"),
        ({"booked_at": 7}, "booked_at: expected a text"),
        ({"sent": True}, "unknown field sent"),
        ({"confirmed": "yes"}, "confirmed: expected true or false"),
        ({"marked": "cancelled"}, "marked: expected no_show or arrived"),
        ({"cadence": []}, "cadence: expected a table of fields"),
        ({"cadence": {"steps": [{"name": "a"}]}}, "cadence: steps[0].before: this field is required"),
    ],
)
def test_a_question_that_makes_no_sense_gets_an_error(change, expected):
    answer = explaining.explain({**QUESTION, **change})
    assert list(answer) == ["error"]
    assert expected in answer["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="minutes"))
OFFSETS = st.sampled_from(["", "Z", "+14:00", "-23:59", "+24:00", "+99:99"])
WHEN = st.builds(str.__add__, TIMES, OFFSETS)
STEP = st.fixed_dictionaries(
    {
        "name": st.just("a") | JSON,
        "before": st.sampled_from(["366 days", "1 day", "90 minutes", "99999 weeks", "-1 day"]) | JSON,
        "text": st.just("some_words") | JSON,
    },
    optional={
        "at": st.just("00:00") | JSON,
        "intake": JSON,
        "if_past": st.just("send") | JSON,
        "deliver_by": st.just("366 days") | JSON,
    },
)
CADENCE = st.fixed_dictionaries(
    {"steps": st.lists(STEP, max_size=2) | JSON},
    optional={
        "quiet_hours": st.just({"start": "23:59", "end": "00:00"}) | JSON,
        "min_gap": st.just("366 days") | JSON,
    },
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "visit_at": WHEN | JSON,
            "zone": st.sampled_from(["Pacific/Apia", "UTC", "nowhere"]) | JSON,
            "booked_at": WHEN | JSON,
        },
        optional={"patient_zone": st.just("Asia/Kathmandu") | JSON, "cadence": CADENCE | JSON},
    )
    | JSON
)
def test_explaining_never_raises(record):
    answer = explaining.explain(record)
    assert list(answer) in (["steps"], ["error"])
    json.dumps(answer)


@settings(max_examples=200, deadline=None)
@given(st.datetimes().map(str), OFFSETS, CADENCE)
def test_explaining_never_raises_for_a_question_that_is_nearly_right(at, offset, cadence):
    for year in ("1970", "2011", "2100"):
        record = {
            **QUESTION,
            "visit_at": year + at[4:16] + offset,
            "booked_at": "1970-01-01T00:00+14:00",
            "zone": "Pacific/Apia",
        }
        assert list(explaining.explain({**record, "cadence": cadence})) in (["steps"], ["error"])
        assert list(explaining.explain(record)) in (["steps"], ["error"])
