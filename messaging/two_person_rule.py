"""Who counts as the second person where two must agree (dual authorization, NIST SP 800-53 AC-3(2)). Pure.

Whoever was just brought in, raised or let in anew may be the asker under another name, so that for a while neither
their agreement nor their question counts as a voice of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

# What takes a second person: a decision of the clinic, somebody's access to patients' words or to the settings, letting
# in whoever has lost their second step, destroying a record, and looking at an emergency access afterwards.
Kind = Literal["decision", "access", "recovery", "destruction", "review"]
Refusal = Literal["", "role", "second", "concerned", "new", "asker_new"]
# How long somebody works here in a role before they count, and how long a clinic in which nobody counts has to wait.
SETTLES = timedelta(hours=72)
# For what each role may be the second person; a test holds it to the acts of web.permissions.
MAY_AGREE: Mapping[str, frozenset[Kind]] = {
    "clinic_admin": frozenset({"decision", "access", "recovery", "destruction", "review"}),
    "care_manager": frozenset({"decision", "access", "review"}),
    "auditor": frozenset({"review"}),
}


@dataclass(frozen=True)
class Person:
    """A colleague as far as this rule sees them.

    `settling_since` is when they were last brought in, given more to agree to, given another number by others, or let
    in without their second step; None where an operator has brought them in.
    """

    id: UUID
    role: str
    active: bool
    settling_since: datetime | None


def is_settled(person: Person, now: datetime) -> bool:
    """Whether somebody works here for long enough to be a voice of their own."""
    return person.active and (person.settling_since is None or now - person.settling_since >= SETTLES)


def may_agree(kind: Kind, person: Person, now: datetime) -> bool:
    """Whether somebody counts as a second person for acts of this kind."""
    return kind in MAY_AGREE.get(person.role, frozenset()) and is_settled(person, now)


def gains_a_voice(was: str | None, becomes: str) -> bool:
    """Whether whoever changes from one role to another may then agree to more; None is nobody yet."""
    return bool(MAY_AGREE.get(becomes, frozenset()) - MAY_AGREE.get(was or "", frozenset()))


def refusal(kind: Kind, asker: Person | None, person: Person, concerned: UUID | None, now: datetime) -> Refusal:
    """Return why `person` is not the second person for what `asker` asks about `concerned`; "" where they are.

    role: theirs does not agree to that; second: they have asked themselves; concerned: it is about them; new: they
    are not settled; asker_new: whoever asked is not. An `asker` of None is an operator, who is no colleague.
    """
    if not person.active or kind not in MAY_AGREE.get(person.role, frozenset()):
        return "role"
    if asker is not None and asker.id == person.id:
        return "second"
    if person.id == concerned:
        return "concerned"
    if not is_settled(person, now):
        return "new"
    return "asker_new" if asker is not None and not is_settled(asker, now) else ""
