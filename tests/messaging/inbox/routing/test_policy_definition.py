"""A clinic's escalation policy as a file: read, checked, published and written out again without losing anything."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbox.routing import hours, policy_definition, policy_file
from messaging.inbox.routing.assign import Hours, Rules
from messaging.inbox.routing.escalation_policy import Person


def person(name: str, **facts) -> Person:
    return Person(UUID(bytes=name.encode().ljust(16)[:16]), f"{name.lower()}@clinic.example", name, **facts)


OFFICE = hours.read("Mon-Fri 8:00-17:00")
TEAM = [
    person("Rosa", role="care_manager", hours=OFFICE),
    person("Ines", role="clinician", hours=OFFICE),
    person("Dana", role="clinic_admin", hours=OFFICE),
]
FILE = """hours = "Mon-Fri 8:00-17:00"
fallback = ["Dana@clinic.example"]
[on_call]
"ines@clinic.example" = "Mon-Fri 17:00-8:00, Sat-Sun all day"
[[call]]
name = "Dr Wu"
phone = "(303) 555-0177"
[safety]
answer = 10
closed = [{ ask = "on_call", wait = 5 }]
[screen]
answer = 60
clock = "business"
"""


def test_a_file_is_read_checked_and_written_out_again():
    written = policy_file.parse(FILE)
    assert policy_definition.check(written, TEAM, "America/Denver") == []
    assert policy_file.parse(policy_file.write(written)) == written
    rules = policy_definition.rules_of(written, {"handoff_minutes": 3}, "America/Denver")
    assert rules["handoff_minutes"] == 3
    again = policy_definition.present(rules, policy_definition.with_on_call(written, TEAM))
    assert again == written


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answer = 10", "answer = 0", "line 9: safety.answer"),
        ('ask = "on_call"', 'ask = "whoever"', "line 10: safety.closed[0].ask"),
        ("[screen]", "[scream]", "scream"),
        ('clock = "business"', 'clock = "lunar"', "line 13: screen.clock"),
        ("(303) 555-0177", "12", "line 7: call[0].phone"),
        ("Mon-Fri 8:00-17:00", "Mon-Fri 8:00-25:00", "line 1: hours"),
        ("[safety]", '[safety]\nclock = "business"', "line 9: safety.clock"),
        ("[safety]", "[safety", "this is not TOML"),
    ],
)
def test_each_mistake_in_a_file_is_named_with_its_field_and_line(old, new, said):
    with pytest.raises(policy_definition.BadPolicy) as wrong:
        policy_file.parse(FILE.replace(old, new))
    assert any(said in str(problem) for problem in wrong.value.problems), wrong.value


def test_a_stranger_cannot_be_on_call():
    written = policy_file.parse(FILE.replace('"ines@', '"nobody@'))
    assert {"on_call"} == {problem.field for problem in policy_definition.check(written, TEAM, "America/Denver")}


def test_the_defaults_are_those_of_a_clinic_that_has_decided_nothing():
    rules = Rules.of(policy_definition.rules_of(policy_definition.EscalationPolicy(), {}, "UTC"))
    assert rules == Rules(hours=Hours("UTC"))


RULE = """
[[route]]
name = "Spanish screens"
to = "people"
people = ["Rosa@clinic.example"]
languages = ["es"]
instrument = "phq9"
band = "moderate"

[[route]]
name = "Known"
to = "existing"
existing = true
below = 12
"""
BANDS = {"phq9": ["minimal", "mild", "moderate", "severe"], "phq2": ["negative", "positive"]}


def test_rules_are_read_in_their_order_and_held_as_they_were_written():
    written = policy_file.parse(FILE + RULE)
    rules = Rules.of(policy_definition.rules_of(written, {}, "America/Denver"))
    assert [route.name for route in rules.routes] == ["Spanish screens", "Known"]
    assert rules.routes[0].people == ("rosa@clinic.example",)
    assert (rules.routes[1].existing, rules.routes[1].below) == (True, 12)
    assert policy_definition.check(written, TEAM, "America/Denver", BANDS) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "people"', 'to = "nobody"', "line 17: route[0].to"),
        ('to = "existing"', 'to = "role"', "line 23: route[1]: choose care_manager or clinician"),
        ("below = 12", "below = 0", "line 27: route[1].below"),
        ("below = 12", "beloww = 12", "line 27: route[1].beloww: unknown; there are name, to, kinds"),
        ('name = "Known"', 'name = "spanish SCREENS"', "line 24: route[1].name: another rule has this name"),
        ('instrument = "phq9"\n', "", "line 15: route[0]: a band belongs to an instrument"),
        ("existing = true", "existing = false", "and ask that nobody did"),
    ],
)
def test_each_mistake_in_a_rule_is_named_with_its_line(old, new, said):
    with pytest.raises(policy_definition.BadPolicy) as wrong:
        policy_file.parse(FILE + RULE.replace(old, new))
    assert any(said in str(problem) for problem in wrong.value.problems), wrong.value


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("phq9", "phq8", "route[0].instrument", 20),
        ("moderate", "grave", "route[0].band", 21),
        ("Rosa@", "ghost@", "route[0].people", 18),
        ("Rosa@", "vic@", "route[0].people", 18),
    ],
)
def test_a_rule_about_what_there_is_not_is_refused(old, new, field, line):
    text = FILE + RULE.replace(old, new)
    team = [*TEAM, person("Vic", role="front_desk")]
    problems = policy_definition.check(policy_file.parse(text), team, "America/Denver", BANDS)
    assert [problem.field for problem in problems] == [field]
    assert policy_file.line_of_field(field, text) == line


TEXTS = st.text(min_size=1, max_size=12).map(str.strip).filter(bool)
SEVERAL = st.lists(TEXTS, max_size=2).map(tuple)
ROUTES = st.builds(
    policy_definition.Route,
    name=TEXTS,
    to=st.sampled_from(("panel", "on_duty", "on_call", "existing")),
    kinds=st.lists(st.sampled_from(("safety", "reply")), max_size=2).map(tuple),
    panels=SEVERAL,
    places=SEVERAL,
    languages=SEVERAL,
    instrument=st.sampled_from(("", "phq9")),
    existing=st.sampled_from((None, True)),
    below=st.none() | st.integers(1, 1000),
) | st.builds(
    policy_definition.Route,
    name=TEXTS,
    to=st.just("people"),
    people=st.just(("rosa@clinic.example",)),
    instrument=st.just("phq9"),
    band=TEXTS,
)


@given(rules=st.lists(ROUTES, max_size=4, unique_by=lambda route: route.name.casefold()))
def test_whatever_rules_there_are_the_file_and_the_clinic_keep_them(rules):
    written = policy_definition.EscalationPolicy(route=tuple(rules))
    assert policy_file.parse(policy_file.write(written)) == written
    kept = policy_definition.rules_of(written, {}, "UTC")
    assert policy_definition.present(json.loads(json.dumps(kept)), []).route == written.route


def test_topics_have_their_shipped_terms_and_a_clinic_changes_one_of_them():
    text = '[topic.pain]\nanswer = 20\n[topic.billing]\nanswer = 90\nto = "care_manager"\n'
    written = policy_file.parse(text)
    assert policy_file.parse(policy_file.write(written)) == written
    rules = Rules.of(policy_definition.rules_of(written, {}, "UTC"))
    assert (rules.topics["pain"].answer, rules.topics["medication"].answer) == (20, 60)
    assert [rules.topics[topic].to for topic in ("billing", "scheduling")] == ["care_manager", "front_desk"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[topic.pain]\nanswer = 0\n", "topic.pain.answer"),
        ('[topic.pain]\nanswer = 60\nto = "front_desk"\n', "topic"),
        ("[topic.weather]\nanswer = 60\n", "topic.weather"),
        ("quiet_after = 500\n", "quiet_after"),
    ],
)
def test_terms_that_cannot_be_are_refused_at_their_field(text: str, field: str):
    with pytest.raises(policy_definition.BadPolicy) as refused:
        policy_file.parse(text)
    assert refused.value.problems[0].field.startswith(field)
