"""Who an item goes to, and until when: facts in, decision out. Knows no clock, no database and no queue.

Rules in order: the clinician's panel, the language, who is on duty, the smallest load; then the clinic's fallback;
then anybody. An item that nobody can own stays with everyone and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

OWNERS = ("care_manager",)
LEADS = ("clinic_admin",)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Rules:
    """What the clinic decides, with the defaults of a clinic that has decided nothing yet. Minutes throughout.

    The defaults are policy, not a standard: no law sets a number of minutes.
    """

    answer_within: Mapping[str, int] = field(
        default_factory=lambda: {"safety": 15, "screen": 60, "handoff": 5, "reply": 240, "delivery": 480}
    )
    rung_minutes: int = 10
    fallback: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Rules":
        """Read a clinic's `rules`; what is not given keeps its default."""
        default = cls()
        return cls(
            answer_within={**default.answer_within, **given.get("answer_within", {})},
            rung_minutes=max(1, int(given.get("rung_minutes", default.rung_minutes))),
            fallback=tuple(email.strip().lower() for email in given.get("fallback", ())),
        )


@dataclass(frozen=True)
class Member:
    """One of the clinic's people as routing sees them.

    `open_items` is their present load; `reachable` whether a text or a sign-in can reach them at all.
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


@dataclass(frozen=True)
class Need:
    """What an item asks for: the patient's language and whose panel they belong to, where known."""

    kind: str
    language: str | None = None
    panel: str | None = None


@dataclass(frozen=True)
class Choice:
    """The owner, if anyone can be, and why: names of reasons with their value, such as "panel:Dr Lindqvist"."""

    owner_id: UUID | None
    why: tuple[str, ...]


def on_duty(hours: Mapping[str, Sequence[str]], local: datetime) -> bool:
    """Whether someone with these working hours works at this local moment; no hours at all means always.

    Hours whose end is not after their start go over midnight. Hours that cannot be read count as always: an alert
    too many is better than one too few.
    """
    if not hours:
        return True
    now, day = local.time().replace(tzinfo=None), local.weekday()
    try:
        today, yesterday = (_shift(hours.get(WEEKDAYS[one])) for one in (day, day - 1))
    except (TypeError, ValueError):
        return True
    if yesterday and yesterday[1] <= yesterday[0] and now < yesterday[1]:
        return True
    return today is not None and today[0] <= now and (now < today[1] or today[1] <= today[0])


def _shift(given: Sequence[str] | None) -> tuple[time, time] | None:
    if not given:
        return None
    start, end = (time.fromisoformat(at) for at in given)
    return start, end


def answer_by(kind: str, now: datetime, rules: Rules) -> datetime:
    """Return until when an item of this kind must have been answered."""
    return now + timedelta(minutes=rules.answer_within.get(kind, 240))


def choose(need: Need, team: Sequence[Member], rules: Rules) -> Choice:
    """Choose the owner of an item."""
    ranked = ladder(need, team, rules)
    if not ranked:
        return Choice(None, ("nobody",))
    return Choice(ranked[0].id, _why(need, ranked[0], rules))


def ladder(need: Need, team: Sequence[Member], rules: Rules) -> list[Member]:
    """Return everyone an item may climb to, best first: owners on duty, the fallback, leads, owners off duty."""
    fit = sorted(team, key=lambda member: _fitness(need, member))
    steps = (
        [member for member in fit if member.role in OWNERS and member.on_duty],
        [member for email in rules.fallback for member in fit if member.email == email],
        [member for member in fit if member.role in LEADS],
        [member for member in fit if member.role in OWNERS],
    )
    return list(dict.fromkeys(member for step in steps for member in step))


def rung(need: Need, team: Sequence[Member], rules: Rules, level: int, owner_id: UUID | None) -> list[Member]:
    """Return whom to alert on rung `level` (1, 2, ...): one more person each time, in the end everyone again."""
    others = [member for member in ladder(need, team, rules) if member.id != owner_id]
    if level <= len(others):
        return [others[level - 1]]
    return ladder(need, team, rules)


def _fitness(need: Need, member: Member) -> tuple[bool, bool, bool, int, str]:
    # False sorts first: panel, language, who can be reached, load; the name so that equal facts give the same answer.
    return (
        not (need.panel and need.panel in member.panels),
        bool(need.language) and need.language not in member.languages,
        not member.reachable,
        member.open_items,
        member.name,
    )


def _why(need: Need, member: Member, rules: Rules) -> tuple[str, ...]:
    why = []
    if need.panel and need.panel in member.panels:
        why.append(f"panel:{need.panel}")
    if need.language and need.language in member.languages:
        why.append(f"language:{need.language}")
    if member.role in OWNERS and member.on_duty:
        why.append("on_duty")
    elif member.email in rules.fallback:
        why.append("fallback")
    else:
        why.append("off_duty")
    return tuple(why)
