"""Who counts as the second person: settled, of the right role, and neither who asks nor whom it concerns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from messaging import two_person_rule as rule
from messaging.two_person_rule import MAY_AGREE, SETTLES, Person
from web import permissions

NOW = datetime(2026, 12, 2, 9, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
KINDS = st.sampled_from(get_args(rule.Kind))
PEOPLE = st.builds(
    Person,
    id=st.integers(1, 4).map(lambda number: UUID(int=number)),
    role=st.sampled_from([*permissions.MAY, "a role nobody knows"]),
    active=st.booleans(),
    settling_since=st.none() | st.integers(-200, 200).map(lambda hours: NOW - timedelta(hours=hours)),
)
DANA = Person(UUID(int=1), "clinic_admin", True, None)
LEE = Person(UUID(int=2), "clinic_admin", True, NOW - SETTLES)


@given(KINDS, PEOPLE | st.none(), PEOPLE, st.none() | st.integers(1, 4).map(lambda number: UUID(int=number)))
def test_whoever_agrees_is_settled_able_and_neither_asker_nor_concerned(
    kind: rule.Kind, asker: Person | None, person: Person, concerned: UUID | None
) -> None:
    agrees = rule.refusal(kind, asker, person, concerned, NOW) == ""
    able = kind in MAY_AGREE.get(person.role, ()) and rule.is_settled(person, NOW)
    apart = person.id != concerned and (asker is None or (asker.id != person.id and rule.is_settled(asker, NOW)))
    assert agrees == (able and apart)
    assert able == rule.may_agree(kind, person, NOW)


@given(PEOPLE, st.integers(0, 10_000))
def test_once_settled_somebody_stays_so_until_something_changes(person: Person, hours: int) -> None:
    if rule.is_settled(person, NOW):
        assert rule.is_settled(person, NOW + timedelta(hours=hours))
    assert not rule.is_settled(replace(person, active=False), NOW)


@given(KINDS, PEOPLE)
def test_of_a_pair_one_of_whom_is_new_neither_way_round_counts(kind: rule.Kind, person: Person) -> None:
    new = replace(person, id=UUID(int=9), settling_since=NOW - SETTLES + A_MINUTE)
    assert rule.refusal(kind, new, DANA, None, NOW) != ""
    assert rule.refusal(kind, DANA, new, None, NOW) != ""


def test_each_refusal_says_which_it_was() -> None:
    new = replace(LEE, settling_since=NOW - SETTLES + A_MINUTE)
    assert rule.refusal("access", DANA, LEE, None, NOW) == ""
    assert rule.refusal("access", None, LEE, None, NOW) == ""
    assert rule.refusal("access", DANA, DANA, None, NOW) == "second"
    assert rule.refusal("access", DANA, LEE, LEE.id, NOW) == "concerned"
    assert rule.refusal("access", DANA, new, None, NOW) == "new"
    assert rule.refusal("access", new, DANA, None, NOW) == "asker_new"
    assert rule.refusal("destruction", DANA, replace(LEE, role="care_manager"), None, NOW) == "role"
    assert rule.refusal("access", DANA, replace(LEE, active=False), None, NOW) == "role"


def test_whoever_may_agree_to_more_begins_anew_and_whoever_may_agree_to_less_does_not() -> None:
    assert rule.gains_a_voice(None, "care_manager")
    assert rule.gains_a_voice("care_manager", "clinic_admin")
    assert rule.gains_a_voice("front_desk", "auditor")
    assert not rule.gains_a_voice("clinic_admin", "care_manager")
    assert not rule.gains_a_voice("care_manager", "front_desk")


def test_the_roles_are_those_that_may_open_the_pages_where_it_is_done() -> None:
    acts = {"decision": "clinic.agree", "access": "clinic.agree", "review": "emergency.review"}
    acts |= {"recovery": "clinic.settings", "destruction": "clinic.settings"}
    assert set(acts) == set(get_args(rule.Kind))
    for kind, act in acts.items():
        able = {role for role, kinds in MAY_AGREE.items() if kind in kinds}
        assert able == {role for role in permissions.MAY if permissions.may(role, act)}, kind
