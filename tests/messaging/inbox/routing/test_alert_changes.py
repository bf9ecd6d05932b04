"""Which changes of a policy need a second person: those after which an alert could come later, or to nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbox.routing import alert_changes, hours, policy_definition
from messaging.inbox.routing.policy_definition import read

BASE = {
    "hours": "Mon-Fri 8:00-17:00",
    "fallback": ["dana@clinic.example"],
    "repeat": 10,
    "backup": {"rosa@clinic.example": "ben@clinic.example"},
    "on_call": {"ines@clinic.example": "Mon-Fri 17:00-8:00"},
    "call": [{"name": "Dr Wu", "phone": "+13035550177"}],
    "safety": {
        "answer": 15,
        "before_leaving": True,
        "closed": [{"ask": "on_call", "wait": 5}, {"ask": "lead", "wait": 5}],
    },
    "route": [{"name": "Spanish", "to": "on_duty", "languages": ["es"]}],
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fallback": []}, "dana@clinic.example is no longer the fallback"),
        ({"call": []}, "Dr Wu is no longer on the call list"),
        ({"backup": {}}, "ben@clinic.example no longer stands in for rosa@clinic.example"),
        ({"on_it": 25}, "holds the escalation for 25 minutes instead of 20"),
        ({"repeat": 12}, "every 12 minutes instead of every 10"),
        ({"safety": {**BASE["safety"], "answer": 20}}, "patient safety may wait 20 minutes instead of 15"),
        ({"safety": {**BASE["safety"], "before_leaving": False}}, "no longer come sooner"),
        ({"screen": {"answer": 60, "clock": "business"}}, "positive screens stands still"),
        ({"safety": {**BASE["safety"], "closed": []}}, "no longer asks whoever is on call"),
        (
            {"safety": {**BASE["safety"], "closed": BASE["safety"]["closed"][::-1]}},
            "whoever is on call asked 5 minutes later",
        ),
        ({"on_call": {"ines@clinic.example": "Mon-Fri 17:00-7:30"}}, "Tue 7:30 to Tue 8:00"),
        ({"on_call": {}}, "ines@clinic.example is no longer on call Mon 17:00 to Tue 8:00"),
        (
            {"route": [{"name": "Spanish", "to": "on_call", "languages": ["es"]}]},
            "the rule “Spanish” decides who gets patient safety",
        ),
        (
            {"route": [{"name": "New", "to": "on_call", "kinds": ["screen"]}, *BASE["route"]]},
            "the rule “New” decides who gets positive screens",
        ),
    ],
)
def test_what_could_silence_an_alert_is_named(changed, said):
    silences = alert_changes.silences(read(BASE), read(BASE | changed))
    assert any(said in silence for silence in silences), silences


@pytest.mark.parametrize(
    "changed",
    [
        {"repeat": 5},
        {"fallback": ["dana@clinic.example", "rosa@clinic.example"]},
        {"reply": {"answer": 900}},
        {"safety": {**BASE["safety"], "answer": 10}},
        {"on_call": {"ines@clinic.example": "Mon-Sun all day"}},
        {"route": [{"name": "Replies", "to": "on_call", "kinds": ["reply"]}, *BASE["route"]]},
        {"route": []},
    ],
)
def test_what_makes_nothing_later_needs_nobody_else(changed):
    assert alert_changes.silences(read(BASE), read(BASE | changed)) == []


def test_rules_about_safety_in_another_order_are_named():
    first, second = {"name": "a", "to": "on_call"}, {"name": "b", "to": "on_duty"}
    silences = alert_changes.silences(read({"route": [first, second]}), read({"route": [second, first]}))
    assert "the rules about patient safety are asked in another order" in silences


def test_opening_hours_matter_where_the_clock_of_screens_stands_still_meanwhile():
    old = read(BASE | {"screen": {"answer": 60, "clock": "business"}})
    shorter = old.model_copy(update={"hours": hours.read("Mon-Fri 8:00-16:00")})
    assert any("open for less" in silence for silence in alert_changes.silences(old, shorter))
    assert any(
        "open for less" in silence
        for silence in alert_changes.silences(old, old.model_copy(update={"holidays": ("12-25",)}))
    )
    assert alert_changes.silences(read(BASE), read(BASE | {"hours": "Mon-Fri 8:00-16:00"})) == []


WEEKS = st.dictionaries(
    st.sampled_from(hours.WEEKDAYS),
    st.sampled_from((["08:00", "17:00"], ["17:00", "08:00"], ["00:00", "00:00"])),
)


@given(old=WEEKS, new=WEEKS, minute=st.integers(0, 10079))
def test_hours_taken_away_are_every_minute_that_was_and_is_not(old, new, minute):
    def among(spans):
        return any(begin <= minute < end for begin, end in spans)

    gone = [(gap.start, gap.end) for gap in alert_changes.taken_away(old, new)]
    assert among(gone) == (among(hours.spans(old)) and not among(hours.spans(new)))


def test_nothing_changes_nothing():
    assert alert_changes.silences(policy_definition.EscalationPolicy(), policy_definition.EscalationPolicy()) == []
