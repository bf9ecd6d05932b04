"""By which ways a colleague hears of what concerns them: one rule of kind, person and moment. Pure.

Everything stands in their list; beyond that each decides for themselves, and off duty it is quiet. What cannot wait is
not theirs to switch off: somebody may be in danger, or stands in the building.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messaging.inbox.routing import assign

PAGE, DESKTOP, TEXT, EMAIL = CHANNELS = ("page", "desktop", "text", "email")
Chosen = Mapping[str, Any]


@dataclass(frozen=True)
class Terms:
    """What holds for a kind: the ways nobody can switch off, those one may choose, and those chosen from the start."""

    fixed: frozenset[str] = frozenset({PAGE})
    offered: frozenset[str] = frozenset({DESKTOP, TEXT, EMAIL})
    usual: frozenset[str] = frozenset({DESKTOP})

    @property
    def urgent(self) -> bool:
        """Whether it goes to the phone at any hour, and by e-mail where the phone takes nothing."""
        return TEXT in self.fixed


_URGENT = Terms(frozenset({PAGE, DESKTOP, TEXT}), frozenset({EMAIL}), frozenset())
_AWAY_FROM_THE_PAGE = frozenset({TEXT, EMAIL})
# In the order in which they stand on the page of preferences.
KINDS: Mapping[str, Terms] = {
    "safety": _URGENT,
    "escalated": _URGENT,
    "handoff": _URGENT,
    "screen": Terms(usual=frozenset({DESKTOP, TEXT})),
    "reply": Terms(),
    "delivery": Terms(),
    "assigned": Terms(),
    "due_soon": Terms(offered=_AWAY_FROM_THE_PAGE, usual=frozenset()),
    "answered": Terms(offered=_AWAY_FROM_THE_PAGE, usual=frozenset({TEXT})),
    # Whoever is off duty finds it in the queue of reviews.
    "access": Terms(offered=_AWAY_FROM_THE_PAGE, usual=_AWAY_FROM_THE_PAGE),
    "account": Terms(frozenset({PAGE, TEXT}), frozenset({EMAIL}), frozenset({EMAIL})),
    # No hour keeps it: who asks for access alone at night is to be seen at once.
    "approval": Terms(frozenset({PAGE, TEXT}), frozenset({EMAIL}), frozenset({EMAIL})),
    "digest": Terms(frozenset(), frozenset({EMAIL}), frozenset({EMAIL})),
}
_ITEMS = (*assign.KINDS, *assign.ASKED)


@dataclass(frozen=True)
class Standing:
    """How a colleague stands at a moment.

    `on_call` is whoever is expected to answer out of hours, the clinic's fallback too; `phone` whether there is a
    number, `phone_works` whether it is known to take texts, `mail` whether a confirmed address takes mail.
    """

    on_duty: bool = True
    on_call: bool = False
    away: bool = False
    phone: bool = True
    phone_works: bool = True
    mail: bool = False

    @property
    def quiet(self) -> bool:
        """Whether only what cannot wait may reach them."""
        return self.away or not (self.on_duty or self.on_call)


def of_item(kind: str) -> str:
    """Return the kind of nudge that an item of this kind is."""
    return "assigned" if kind in assign.ASKED else kind


def chosen(kind: str, chosen_by_them: Chosen) -> frozenset[str]:
    """Return the ways that hold for a kind as its colleague has chosen, at whatever moment.

    `chosen_by_them` is Staff.notify; what is not offered for a kind is not listened to.
    """
    terms, of_kind = KINDS[kind], chosen_by_them.get(kind, {})
    return terms.fixed | {way for way in terms.offered if of_kind.get(way, way in terms.usual)}


def leaves_the_page(kind: str, chosen_by_them: Chosen) -> bool:
    """Whether this colleague is ever sent anything of this kind, at whatever moment."""
    return bool(_AWAY_FROM_THE_PAGE & chosen(kind, chosen_by_them))


def muted_items(chosen_by_them: Chosen) -> frozenset[str]:
    """Return the kinds of item of which an open page does not speak on their desktop."""
    return frozenset(kind for kind in _ITEMS if DESKTOP not in chosen(of_item(kind), chosen_by_them))


def wanted(kind: str, chosen_by_them: Chosen, standing: Standing) -> frozenset[str]:
    """Return the ways by which this colleague is to hear of this kind now, whether or not they can be reached so."""
    ways = chosen(kind, chosen_by_them)
    if KINDS[kind].urgent:
        return ways if standing.phone and standing.phone_works else ways | {EMAIL}
    return ways - _AWAY_FROM_THE_PAGE if standing.quiet else ways


def ways(kind: str, chosen_by_them: Chosen, standing: Standing) -> frozenset[str]:
    """Return the ways by which this colleague hears of this kind now."""
    lacking = {way for way, there in ((TEXT, standing.phone), (EMAIL, standing.mail)) if not there}
    return wanted(kind, chosen_by_them, standing) - lacking
