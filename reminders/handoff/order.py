"""Who is asked first: those who can be asked, in the order the clinic has decided. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.inbox.routing import assign
from reminders.handoff.terms import Terms

# How somebody can be asked, the nearest first: names of routing's reasons.
TIERS = ("on_duty", "on_call", "fallback")


@dataclass(frozen=True)
class Wanted:
    """What this handoff asks of whoever comes: reasons (keys), language, panel, and the place in the books."""

    reasons: Collection[str] = ()
    language: str | None = None
    panel: str | None = None
    place: str | None = None


def ordered(
    choices: Sequence[assign.Choice], team: Mapping[UUID, assign.Member], wanted: Wanted, terms: Terms
) -> list[assign.Choice]:
    """Return `choices` in the clinic's order, each with why.

    Where a routing rule of the clinic has decided, its order stays. Whoever is on duty is asked before who is on call,
    and these before the fallback, whatever else speaks for them.
    """
    if any(why.startswith("route:") for choice in choices for why in choice.why):
        return list(choices)
    ranked = sorted(choices, key=lambda choice: _rank(choice, team, wanted, terms))
    return [_said(choice, team, wanted, terms) for choice in ranked]


def _rank(
    choice: assign.Choice, team: Mapping[UUID, assign.Member], wanted: Wanted, terms: Terms
) -> tuple[int | bool, ...]:
    fits = _facts(choice, team, wanted, terms)
    load = team[choice.owner_id].open_items if choice.owner_id else 0
    tier = next((number for number, why in enumerate(TIERS) if why in choice.why), len(TIERS))
    return (tier, *(load if name == "load" else not fits[name] for name in terms.order))


def _facts(choice: assign.Choice, team: Mapping[UUID, assign.Member], wanted: Wanted, terms: Terms) -> dict[str, bool]:
    assert choice.owner_id is not None
    member = team[choice.owner_id]
    person = terms.person(member.email)
    return {
        "skill": bool(set(person.reasons) & set(wanted.reasons)),
        "panel": bool(wanted.panel) and wanted.panel in member.panels,
        "language": bool(wanted.language) and wanted.language in member.languages,
        "place": bool(wanted.place) and wanted.place in person.places,
    }


def _said(choice: assign.Choice, team: Mapping[UUID, assign.Member], wanted: Wanted, terms: Terms) -> assign.Choice:
    fits = _facts(choice, team, wanted, terms)
    more = [name for name in ("skill", "place") if name in terms.order and fits[name]]
    return assign.Choice(choice.owner_id, (*(f"handoff_{name}" for name in more), *choice.why))
