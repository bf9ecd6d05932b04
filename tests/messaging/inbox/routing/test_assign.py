"""Whom an item goes to: whenever somebody can be asked, somebody is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import assign, escalation_policy
from messaging.inbox.routing.assign import Member, Need, Rules

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)  # a Tuesday


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


def chosen(need: Need, *team: Member, rules: Rules | None = None) -> tuple[str | None, tuple[str, ...]]:
    choice = assign.choose(need, team, rules or Rules())
    names = {member.id: member.name for member in team}
    return names[choice.owner_id] if choice.owner_id else None, choice.why


ROLES = ("care_manager", "clinic_admin", "clinician", "front_desk", "psychiatric_consultant", "auditor")
MEMBERS = st.builds(
    Member,
    id=st.uuids(),
    email=st.sampled_from([f"{name}@clinic.example" for name in "abcdefgh"]),
    name=st.text(min_size=1, max_size=5),
    role=st.sampled_from(ROLES),
    languages=st.lists(st.sampled_from(("en", "es")), max_size=2).map(tuple),
    panels=st.lists(st.sampled_from(("Dr. A", "Dr. B")), max_size=2).map(tuple),
    on_duty=st.booleans(),
    open_items=st.integers(0, 5),
)
TEAMS = st.lists(MEMBERS, max_size=6, unique_by=(lambda member: member.id, lambda member: member.email))
NEEDS = st.builds(
    Need,
    kind=st.sampled_from(("safety", "screen", "reply")),
    language=st.none() | st.sampled_from(("en", "es")),
    panel=st.none() | st.sampled_from(("Dr. A", "Dr. B")),
)
RULES = st.builds(
    Rules,
    fallback=st.lists(st.sampled_from([f"{name}@clinic.example" for name in "abxy"]), max_size=3).map(tuple),
)


def steps(need, team, rules, owner_id, count) -> list[tuple[Member, ...]]:
    """Whom the first `count` steps tell when nobody acknowledges."""
    told, rounds = set(), []
    for _ in range(count):
        rounds.append(escalation_policy.climb(need, team, rules, told, owner_id).members)
        told |= {member.id for member in rounds[-1]}
    return rounds


def can_be_asked(member: Member, rules: Rules) -> bool:
    return member.role in ("care_manager", "clinic_admin") or member.email in rules.fallback


@profile(max_examples=80, deadline=None)
@given(need=NEEDS, team=TEAMS, rules=RULES)
def test_somebody_is_chosen_whenever_somebody_can_be(need, team, rules):
    choice = assign.choose(need, team, rules)
    candidates = {member.id for member in team if can_be_asked(member, rules)}
    assert (choice.owner_id in candidates) if candidates else choice == assign.Choice(None, ("nobody",))
    assert choice.why


@profile(max_examples=80, deadline=None)
@given(need=NEEDS, team=TEAMS, rules=RULES)
def test_off_duty_only_when_nobody_is_on(need, team, rules):
    choice = assign.choose(need, team, rules)
    on = [member for member in team if member.role == "care_manager" and member.on_duty]
    if on:
        assert choice.owner_id in {member.id for member in on}
        assert "on_duty" in choice.why
    else:
        assert "on_duty" not in choice.why


@profile(max_examples=80, deadline=None)
@given(need=NEEDS, team=TEAMS, rules=RULES)
def test_panel_before_language_before_load_and_of_words_the_language_first(need, team, rules):
    same = [member for member in team if member.role == "care_manager" and member.on_duty]
    owner = next((member for member in same if member.id == assign.choose(need, team, rules).owner_id), None)
    if owner is None:
        return
    panel = (lambda member: need.panel in member.panels) if need.panel else (lambda member: True)
    reads = (lambda member: need.language in member.languages) if need.language else (lambda member: True)
    for fits in (reads, panel) if need.kind in ("safety", "reply") else (panel, reads):
        assert fits(owner) or not any(fits(member) for member in same)
        same = [member for member in same if fits(member) == fits(owner)]
    assert owner.open_items == min(member.open_items for member in same)


@profile(max_examples=80, deadline=None)
@given(need=NEEDS, team=TEAMS, rules=RULES, level=st.integers(1, 30), owner=st.integers(0, 8))
def test_a_rung_is_never_empty_while_somebody_can_be_asked(need, team, rules, level, owner):
    owner_id = team[owner].id if owner < len(team) else None
    step = steps(need, team, rules, owner_id, level)[-1]
    assert bool(step) == any(can_be_asked(member, rules) for member in team)
    assert len(set(step)) == len(step)


@profile(max_examples=50, deadline=None)
@given(need=NEEDS, team=TEAMS, rules=RULES)
def test_the_order_of_the_team_does_not_matter_and_all_are_reached(need, team, rules):
    ranked = assign.ranked(need, team, rules)
    if len({member.name for member in team}) == len(team):
        assert assign.ranked(need, team[::-1], rules) == ranked
    climbed = {member for step in steps(need, team, rules, None, len(team) + 1) for member in step}
    assert climbed == set(ranked) == {member for member in team if can_be_asked(member, rules)}


def test_the_clinician_s_panel_comes_first():
    need = Need("screen", "es", "Dr. A")
    alba, ben = member("Alba", languages=("es",)), member("Ben", panels=("Dr. A",), open_items=9)
    assert chosen(need, alba, ben) == ("Ben", ("panel:Dr. A", "on_duty"))


def test_words_go_to_who_can_read_them_whosever_panel_it_is():
    need = Need("reply", "es", "Dr. A")
    rosa, ben = member("Rosa", languages=("en", "es"), open_items=9), member("Ben", panels=("Dr. A",))
    assert chosen(need, rosa, ben) == ("Rosa", ("language:es", "panel_cannot_read:Ben", "on_duty"))


def test_where_nobody_reads_the_language_the_panel_has_it_and_the_reason_says_so():
    need = Need("reply", "es", "Dr. A")
    rosa, ben = member("Rosa", languages=("es",), on_duty=False), member("Ben", panels=("Dr. A",))
    assert chosen(need, rosa, ben) == ("Ben", ("panel:Dr. A", "no_reader:es", "on_duty"))


def test_then_the_language_then_the_load():
    alba, ben = member("Alba", open_items=3), member("Ben", languages=("en", "es"), open_items=7)
    assert chosen(Need("screen", "es"), alba, ben) == ("Ben", ("language:es", "on_duty"))
    assert chosen(Need("screen", "en"), alba, ben) == ("Alba", ("language:en", "on_duty"))


def test_the_fallback_is_asked_before_whoever_is_off_duty():
    alba, cleo = member("Alba", on_duty=False), member("Cleo", role="clinician", on_duty=False)
    rules = Rules.of({"fallback": ["Cleo@Clinic.Example "]})
    assert chosen(Need("safety"), alba, cleo, rules=rules) == ("Cleo", ("fallback",))


def test_a_lead_is_asked_before_whoever_is_off_duty():
    alba, dana = member("Alba", on_duty=False), member("Dana", role="clinic_admin")
    assert chosen(Need("safety"), alba, dana)[0] == "Dana"
    assert chosen(Need("safety"), alba) == ("Alba", ("off_duty",))


def test_an_empty_team_says_so():
    assert chosen(Need("safety")) == (None, ("nobody",))


def test_each_rung_asks_one_more_and_the_last_asks_everyone():
    team = [member("Alba"), member("Ben", open_items=1), member("Dana", role="clinic_admin")]
    climbed = steps(Need("safety"), team, Rules(), team[0].id, 4)
    assert [[member.name for member in step] for step in climbed] == [
        ["Ben"],
        ["Dana"],
        ["Alba", "Ben", "Dana"],
        ["Alba", "Ben", "Dana"],
    ]


def test_deadlines_are_the_clinic_s_own():
    rules = Rules.of({"answer_within": {"screen": 30}, "rung_minutes": 5})
    assert assign.answer_by("screen", NOON, rules) == NOON + timedelta(minutes=30)
    assert assign.answer_by("safety", NOON, rules) == NOON + timedelta(minutes=15)
    assert rules.rung_minutes == 5


@pytest.mark.parametrize("minutes", [0, -5])
def test_no_clinic_can_make_the_ladder_spin(minutes):
    assert Rules.of({"rung_minutes": minutes}).rung_minutes >= 1


@pytest.mark.parametrize(
    ("hours", "hour", "on"),
    [
        ({}, 3, True),
        ({"tue": ["08:00", "17:00"]}, 12, True),
        ({"tue": ["08:00", "17:00"]}, 8, True),
        ({"tue": ["08:00", "17:00"]}, 17, False),
        ({"wed": ["08:00", "17:00"]}, 12, False),
        ({"tue": []}, 12, False),
        ({"tue": ["22:00", "06:00"]}, 23, True),
        ({"tue": ["22:00", "06:00"]}, 3, False),
        ({"mon": ["22:00", "06:00"]}, 3, True),
        ({"mon": ["22:00", "06:00"]}, 6, False),
        ({"mon": ["22:00", "06:00"]}, 23, False),
        ({"tue": ["16:00", "00:00"]}, 23, True),
        ({"tue": ["8am", "5pm"]}, 3, True),
        ({"tue": ["08:00"]}, 3, True),
        ({"tue": 8}, 3, True),
    ],
)
def test_who_is_on_duty(hours, hour, on):
    assert assign.on_duty(hours, NOON.replace(hour=hour)) is on


def test_a_shift_over_the_turn_of_the_week():
    monday = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert assign.on_duty({"sun": ["20:00", "04:00"]}, monday)
