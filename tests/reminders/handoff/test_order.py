"""The clinic's order decides who is asked first; its routing rules come before it, and duty before all else."""

from uuid import UUID

from messaging.inbox.routing import assign
from reminders.handoff.order import Wanted, ordered
from reminders.handoff.terms import Person, Terms


def member(number: int, name: str, **facts: object) -> assign.Member:
    given: dict[str, object] = {"role": "care_manager", "languages": ("en",), "panels": (), "on_duty": True}
    return assign.Member(UUID(int=number), f"{name}@clinic.example", name, **(given | facts))  # type: ignore[arg-type]


def asked(team: list[assign.Member], terms: Terms, wanted: Wanted, *rule: str) -> list[str]:
    choices = [
        assign.Choice(each.id, (*(rule if not number else ()), "on_duty" if each.on_duty else "on_call"))
        for number, each in enumerate(team)
    ]
    by_id = {each.id: each for each in team}
    return [by_id[choice.owner_id].name for choice in ordered(choices, by_id, wanted, terms) if choice.owner_id]


ANA, BEN, CLEO = member(1, "ana", open_items=1), member(2, "ben", languages=("es",)), member(3, "cleo", open_items=9)
TEAM = [ANA, BEN, CLEO]
SAID = (Person(email="cleo@clinic.example", reasons=("grief",), places=("North",)),)


def test_who_is_asked_for_a_reason_comes_first() -> None:
    assert asked(TEAM, Terms(people=SAID), Wanted(reasons=("grief",)))[0] == "cleo"
    assert asked(TEAM, Terms(people=SAID), Wanted(reasons=("sleep",)))[0] == "ben"


def test_the_first_thing_that_differs_decides() -> None:
    both = Wanted(reasons=("grief",), language="es")
    assert asked(TEAM, Terms(people=SAID, order=("language", "skill")), both)[0] == "ben"
    assert asked(TEAM, Terms(people=SAID, order=("skill", "language")), both)[0] == "cleo"
    assert asked(TEAM, Terms(people=SAID, order=("place", "load")), Wanted(place="North"))[0] == "cleo"


def test_by_load_the_least_busy_is_asked() -> None:
    assert asked(TEAM, Terms(order=("load",)), Wanted()) == ["ben", "ana", "cleo"]


def test_with_no_order_of_its_own_routing_decides() -> None:
    assert asked(TEAM, Terms(order=()), Wanted(reasons=("grief",))) == ["ana", "ben", "cleo"]


def test_whom_a_rule_names_stays_first_and_on_call_comes_last() -> None:
    far = member(4, "dan", on_duty=False)
    terms = Terms(people=(Person(email="dan@clinic.example", reasons=("grief",)), *SAID))
    assert asked([far, *TEAM], terms, Wanted(reasons=("grief",)))[-1] == "dan"
    assert asked(TEAM, terms, Wanted(reasons=("grief",)), "route:Ana first")[0] == "ana"
