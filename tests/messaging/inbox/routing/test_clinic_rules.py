"""The clinic's own rules: asked in their order, never holding anything back, and nothing changes without them."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import assign, clinic_rules, escalation_policy
from messaging.inbox.routing.assign import Member, Rules
from messaging.inbox.routing.clinic_rules import Need, Route


def member(name: str, **facts) -> Member:
    fields = {
        "id": UUID(bytes=name.encode().ljust(16)[:16]),
        "email": f"{name.lower()}@clinic.example",
        "name": name,
        "role": "care_manager",
        "languages": ("en",),
        "panels": (),
        "on_duty": True,
    }
    return Member(**(fields | facts))


ALBA, BEN = member("Alba", panels=("Dr. A",)), member("Ben", open_items=5)
CLEO = member("Cleo", role="clinician", on_duty=False, on_call=True)
TEAM = [ALBA, BEN, CLEO]


def chosen(need: Need, *rules: Route, team=TEAM, **more) -> tuple[str, tuple[str, ...]]:
    choice = assign.choose(need, team, Rules(routes=rules, **more))
    return next(member.name for member in team if member.id == choice.owner_id), choice.why


TO_BEN = Route("To Ben", "people", people=("ben@clinic.example",))


@pytest.mark.parametrize(
    ("conditions", "fitting", "other"),
    [
        ({"kinds": ("screen",)}, Need("screen"), Need("safety")),
        ({"panels": ("dr. a",)}, Need("reply", panel="Dr. A"), Need("reply", panel="Dr. B")),
        ({"places": ("Main Street",)}, Need("reply", place="main street "), Need("reply")),
        ({"languages": ("es",)}, Need("reply", "es"), Need("reply", "en")),
        ({"instrument": "phq9"}, Need("screen", instrument="phq9"), Need("screen", instrument="gad7")),
        (
            {"instrument": "phq9", "band": "moderate"},
            Need("screen", instrument="phq9", bands=("minimal", "mild", "moderate", "severe")),
            Need("screen", instrument="phq9", bands=("minimal", "mild")),
        ),
        ({"existing": True}, Need("reply", existing=ALBA.id), Need("reply")),
        ({"existing": False}, Need("reply"), Need("reply", existing=ALBA.id)),
    ],
)
def test_a_rule_decides_only_where_its_conditions_hold(conditions, fitting, other):
    rule = replace(TO_BEN, **conditions)
    assert chosen(fitting, rule)[0] == "Ben"
    assert chosen(other, rule)[0] == "Alba"


@pytest.mark.parametrize(
    ("rule", "need", "name"),
    [
        (Route("r", "panel"), Need("reply", panel="Dr. A"), "Alba"),
        (Route("r", "existing"), Need("reply", existing=BEN.id), "Ben"),
        (Route("r", "role", role="clinician"), Need("reply"), "Cleo"),
        (Route("r", "on_call"), Need("reply"), "Cleo"),
        (Route("r", "on_duty", below=5), Need("reply"), "Alba"),
        (Route("r", "people", people=("ben@clinic.example", "alba@clinic.example")), Need("reply"), "Alba"),
    ],
)
def test_each_way_of_saying_whom(rule, need, name):
    found, why = chosen(need, rule)
    assert found == name
    assert why[0] == "route:r"


def test_the_first_rule_that_finds_somebody_there_wins_and_the_others_say_they_fitted():
    nobody = Route("Off duty", "people", people=("dana@clinic.example",))
    full = Route("Not too much", "on_duty", below=1)
    team = [replace(ALBA, open_items=3), BEN, CLEO, member("Dana", on_duty=False)]
    assert chosen(Need("reply"), nobody, full, TO_BEN, Route("Later", "on_call"), team=team) == (
        "Ben",
        ("passed:Off duty", "passed:Not too much", "route:To Ben", "on_duty"),
    )


def test_whoever_has_no_phone_is_passed_over_for_what_is_texted():
    team = [ALBA, replace(BEN, phone=False), CLEO]
    assert chosen(Need("safety"), TO_BEN, team=team) == ("Alba", ("passed:To Ben", "on_duty"))
    assert chosen(Need("reply"), TO_BEN, team=team)[0] == "Ben"


def test_whoever_covers_sits_in_the_seat_that_a_rule_names():
    team = [ALBA, replace(BEN, away=True, covered_by=ALBA.id), CLEO]
    found, why = chosen(Need("reply"), TO_BEN, team=team)
    assert (found, why) == ("Alba", ("route:To Ben", "covering:Ben", "on_duty"))
    alone = [ALBA, replace(BEN, away=True), CLEO]
    assert chosen(Need("reply"), TO_BEN, team=alone) == ("Alba", ("passed:To Ben", "on_duty"))


def test_somebody_who_no_longer_works_the_inbox_gets_nothing_by_an_old_rule():
    team = [ALBA, replace(BEN, role="front_desk"), CLEO]
    assert chosen(Need("safety"), TO_BEN, team=team)[0] == "Alba"


def test_the_fallback_may_be_named_at_any_hour():
    team = [ALBA, replace(BEN, on_duty=False), CLEO]
    assert chosen(Need("safety"), TO_BEN, team=team, fallback=(BEN.email,))[0] == "Ben"


MEMBERS = st.builds(
    Member,
    id=st.uuids(),
    email=st.sampled_from([f"{name}@clinic.example" for name in "abcdef"]),
    name=st.text(min_size=1, max_size=5),
    role=st.sampled_from(("care_manager", "clinic_admin", "clinician", "front_desk")),
    languages=st.just(("en",)),
    panels=st.sampled_from(((), ("Dr. A",))),
    on_duty=st.booleans(),
    on_call=st.booleans(),
    phone=st.booleans(),
    away=st.booleans(),
    open_items=st.integers(0, 5),
)
TEAMS = st.lists(MEMBERS, max_size=5, unique_by=(lambda member: member.id, lambda member: member.email))
ROUTES = st.builds(
    Route,
    name=st.sampled_from("xyz"),
    to=st.sampled_from(clinic_rules.RECEIVERS),
    kinds=st.sampled_from(((), ("safety",))),
    below=st.none() | st.integers(1, 4),
    people=st.sampled_from(((), ("a@clinic.example",), ("b@clinic.example", "c@clinic.example"))),
    role=st.sampled_from(("", "clinician", "care_manager")),
)
NEEDS = st.builds(Need, st.sampled_from(("safety", "reply")), st.just("en"), st.none() | st.just("Dr. A"))


@profile(max_examples=100, deadline=None)
@given(team=TEAMS, rules=st.lists(ROUTES, max_size=3).map(tuple), need=NEEDS)
def test_a_rule_gives_to_somebody_there_or_leaves_it_to_the_order_every_clinic_begins_with(team, rules, need):
    plain, ruled = Rules(fallback=("a@clinic.example",)), Rules(fallback=("a@clinic.example",), routes=rules)
    before, after = assign.choose(need, team, plain), assign.choose(need, team, ruled)
    if any(reason.startswith("route:") for reason in after.why):
        owner = next(member for member in team if member.id == after.owner_id)
        assert not owner.away
        assert owner.phone or need.kind != "safety"
        assert owner.on_duty or owner.on_call or owner.email == "a@clinic.example"
    else:
        assert after.owner_id == before.owner_id
        assert [reason for reason in after.why if not reason.startswith("passed:")] == list(before.why)
    ranked_ids = {member.id for member in assign.ranked(need, team, ruled)}
    assert ranked_ids >= {member.id for member in assign.ranked(need, team, plain)}
    step = escalation_policy.climb(need, team, ruled, set(), after.owner_id)
    assert step.members or not ranked_ids
