"""By which ways a colleague hears of what: the one rule, whatever they have chosen and whenever it is."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.inbox.staff import channels
from messaging.inbox.staff.channels import DESKTOP, EMAIL, KINDS, PAGE, TEXT, Standing

kinds = st.sampled_from(sorted(KINDS))
# What may ever stand in a colleague's row: also of kinds and ways that are not theirs to choose.
choices = st.dictionaries(kinds, st.dictionaries(st.sampled_from(channels.CHANNELS), st.booleans()))
standings = st.builds(Standing, *[st.booleans()] * 6)
URGENT = ("safety", "escalated", "handoff", "account", "approval")


@given(st.sampled_from(URGENT), choices, standings)
def test_no_choice_and_no_hour_keeps_what_cannot_wait_from_a_phone(kind, chosen, standing):
    ways = channels.ways(kind, chosen, standing)
    assert PAGE in ways
    assert (TEXT in ways) == standing.phone
    assert EMAIL in ways or not standing.mail or (standing.phone and standing.phone_works)


@given(kinds, choices, standings)
def test_nothing_goes_where_there_is_nobody_to_take_it(kind, chosen, standing):
    ways = channels.ways(kind, chosen, standing)
    assert TEXT not in ways or standing.phone
    assert EMAIL not in ways or standing.mail


@given(st.sampled_from(sorted(set(KINDS) - set(URGENT))), choices, standings)
def test_off_duty_it_is_quiet(kind, chosen, standing):
    if standing.away or not (standing.on_duty or standing.on_call):
        assert not {TEXT, EMAIL} & channels.ways(kind, chosen, standing)


@given(kinds, choices, standings)
def test_what_is_off_stays_off_and_what_is_on_goes_when_they_are_there(kind, chosen, standing):
    terms, there = KINDS[kind], Standing(phone=True, mail=True)
    for way, wish in chosen.get(kind, {}).items():
        if way in terms.offered:
            assert (way in channels.ways(kind, chosen, there)) == wish


@given(kinds, choices)
def test_what_is_not_offered_is_not_listened_to(kind, chosen):
    ways = channels.chosen(kind, chosen)
    assert KINDS[kind].fixed <= ways <= KINDS[kind].fixed | KINDS[kind].offered


def test_whoever_has_chosen_nothing_is_told_as_before():
    here = Standing(mail=True)
    assert channels.ways("screen", {}, here) == {PAGE, DESKTOP, TEXT}
    assert channels.ways("reply", {}, here) == {PAGE, DESKTOP}
    assert channels.ways("answered", {}, here) == {PAGE, TEXT}
    assert channels.ways("digest", {}, here) == {EMAIL}


def test_what_a_colleague_asks_is_one_kind_whatever_it_is():
    assert {channels.of_item(kind) for kind in ("task", "mention", "note")} == {"assigned"}
    assert channels.of_item("screen") == "screen"
    assert channels.muted_items({"assigned": {DESKTOP: False}}) == {"task", "mention", "note"}
    assert channels.muted_items({"safety": {DESKTOP: False}}) == frozenset()


@given(kinds)
def test_what_is_fixed_is_offered_to_nobody(kind):
    assert not KINDS[kind].fixed & KINDS[kind].offered
    assert KINDS[kind].usual <= KINDS[kind].offered
