"""The clinic's own rules about who gets what: asked in order, and the first that finds somebody there decides. Pure.

A rule has conditions, all of which must hold, and says to whom an item goes then. It never holds an item back: a rule
that finds nobody who is there now is passed over, and behind the last stands the order every clinic begins with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

OWNERS = ("care_manager",)
LEADS = ("clinic_admin",)
# Whose work the inbox is. A rule may name nobody else, except whom the clinic has made its lead or its fallback.
WORKERS = (*OWNERS, "clinician")
# Who may open an item and move it: an alert in the hand of anybody else is in nobody's.
ACTING = (*WORKERS, *LEADS)
# These are texted to a phone at once; whoever has none on file cannot be their first owner by a rule.
TEXTED = ("safety", "screen", "handoff")
# Whom a rule may give an item to: the panel's own people | who dealt with this patient last | people by name | a role
# | care managers on duty | who is on call.
RECEIVERS = ("panel", "existing", "people", "role", "on_duty", "on_call")


@dataclass(frozen=True)
class Member:
    """One of the clinic's people as routing sees them.

    `open_items` is their present load; `reachable` whether a text or a sign-in can reach them at all, `phone` whether
    a text can; `covered_by` who stands in for them while they are `away`, if anybody does. `in_place_of` are the
    addresses of those whose place they have taken meanwhile.
    """

    id: UUID
    email: str
    name: str
    role: str
    languages: tuple[str, ...]
    panels: tuple[str, ...]
    on_duty: bool
    open_items: int = 0
    reachable: bool = True
    on_call: bool = False
    away: bool = False
    covered_by: UUID | None = None
    phone: bool = True
    in_place_of: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Whose turn is theirs: their own, and that of whom they stand in for."""
        return (self.email, *self.in_place_of)


@dataclass(frozen=True)
class Need:
    """What an item asks for, where known: the patient's language, whose panel they belong to, where their visit is,
    who dealt with them last, and of a screen its instrument with every band its total has reached, lowest first."""

    kind: str
    language: str | None = None
    panel: str | None = None
    place: str | None = None
    existing: UUID | None = None
    instrument: str | None = None
    bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """One rule. A condition that is empty always holds; `existing` asks whether somebody dealt with the patient before.

    `band` is reached or passed by the total; `below` leaves out whoever has as many open items or more. `people` are
    addresses, of which the best fitting is taken.
    """

    name: str
    to: str
    kinds: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    instrument: str = ""
    band: str = ""
    existing: bool | None = None
    below: int | None = None
    people: tuple[str, ...] = ()
    role: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Route":
        """Read a rule as it is kept in a clinic's `rules`."""
        read: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
        }
        return cls(**read)


@dataclass(frozen=True)
class Taken:
    """Whom the clinic's rules give an item to, best first, and why; nobody where no rule found anybody."""

    members: tuple[Member, ...]
    why: tuple[str, ...]


def take(
    need: Need,
    seats: Sequence[Member],
    routes: Sequence[Route],
    *,
    existing: str | None = None,
    fallback: Sequence[str] = (),
) -> Taken:
    """Return what the first rule yields that fits and finds somebody there.

    `seats` are the team, best fitting first, with whoever covers in the seat of whoever is away; `existing` is the
    address of who dealt with this patient last. The reasons name the rule, and those that fitted and found nobody.
    """
    passed: list[str] = []
    there = [seat for seat in seats if is_there(need, seat, fallback)]
    for route in routes:
        if not fits(route, need):
            continue
        receiving = [seat for seat in there if _receives(route, need, seat, existing)]
        if receiving:
            return Taken(tuple(receiving), (*passed, f"route:{route.name}"))
        passed.append(f"passed:{route.name}")
    return Taken((), tuple(passed))


def fits(route: Route, need: Need) -> bool:
    """Whether every condition of the rule holds."""
    conditions = (
        (route.kinds, need.kind),
        (route.panels, need.panel),
        (route.places, need.place),
        (route.languages, need.language),
    )
    if any(wanted and not _among(value, wanted) for wanted, value in conditions):
        return False
    if route.instrument and route.instrument != need.instrument:
        return False
    if route.band and route.band not in need.bands:
        return False
    return route.existing is None or route.existing == (need.existing is not None)


def _among(value: str | None, wanted: Sequence[str]) -> bool:
    return value is not None and value.strip().casefold() in {choice.strip().casefold() for choice in wanted}


def is_there(need: Need, member: Member, fallback: Sequence[str] = ()) -> bool:
    """Whether somebody can be given this now: here, expecting it, and for what is texted with a phone on file."""
    named = member.on_call or member.email in fallback
    expects = named or (member.on_duty and member.role in ACTING)
    by_text = member.phone or need.kind not in TEXTED
    return expects and by_text and member.reachable and not member.away


def _receives(route: Route, need: Need, member: Member, existing: str | None) -> bool:
    if route.below is not None and member.open_items >= route.below:
        return False
    works = member.role in WORKERS
    return {
        "panel": works and bool(need.panel) and need.panel in member.panels,
        "existing": works and member.email == existing,
        "people": member.email in route.people,
        "role": member.role == route.role,
        "on_duty": member.role in OWNERS and member.on_duty,
        "on_call": member.on_call,
    }[route.to]
