"""Who works at the clinic: invited, changed, gone and back; never so that a positive answer would find nobody.

Somebody who leaves keeps their name in the record. What they had not finished moves on (messaging.inbox.cover).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit
from messaging import people, phone
from messaging.inbox import checking, cover, holes, roster, routing
from messaging.models import Clinic, Staff

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
LANGUAGES = ("en", "es")
MOST_PANELS = 20


@dataclass(frozen=True)
class Facts:
    """What the clinic says of a colleague. `number` is E.164 or None; `panels` the clinicians whose patients are theirs."""

    name: str
    email: str
    role: str
    languages: tuple[str, ...]
    panels: tuple[str, ...]
    number: str | None


class MayNot(ValueError):
    """Not so: `problems` maps a field (name, email, role, languages, panels, number, or "" for the whole) to why.

    Where the reason is not a sentence of its own, it is a key of [colleague_refusals].
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field or 'colleague'}: {why}" for field, why in problems.items()))
        self.problems = dict(problems)


def read(raw: Mapping[str, Any], roles: Collection[str]) -> Facts:
    """Return what was typed as facts; `panels` is a list with commas. Raises MayNot with every field."""
    problems: dict[str, str] = {}
    name, email = str(raw.get("name", "")).strip(), str(raw.get("email", "")).strip().lower()
    if not name or len(name) > 80 or not name.isprintable():
        problems["name"] = "name"
    if not ADDRESS.fullmatch(email) or len(email) > 200 or not email.isprintable():
        problems["email"] = "email"
    if raw.get("role") not in roles:
        problems["role"] = "role"
    languages = tuple(one for one in LANGUAGES if one in raw.get("languages", ()))
    if not languages:
        problems["languages"] = "languages"
    panels = tuple(dict.fromkeys(one.strip() for one in str(raw.get("panels", "")).split(",") if one.strip()))
    if len(panels) > MOST_PANELS or any(len(one) > 120 or not one.isprintable() for one in panels):
        problems["panels"] = "panels"
    number = None
    try:
        number = phone.e164(raw["number"]) if str(raw.get("number", "")).strip() else None
    except phone.NotTextable as wrong:
        problems["number"] = f"{wrong}"
    if problems:
        raise MayNot(problems)
    return Facts(name, email, str(raw["role"]), languages, panels, number)


def invite(session: Session, clinic: Clinic, facts: Facts, actor: str) -> Staff:
    """Add a colleague, who can come in once they have used a link. Raises MayNot where the address is taken."""
    session.get(Clinic, clinic.id, with_for_update=True)
    known = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.email == facts.email))
    if known is not None:
        raise MayNot({"email": "works_here" if known.active else "worked_here"})
    return people.add_staff(
        session,
        clinic,
        name=facts.name,
        email=facts.email,
        role=facts.role,
        languages=facts.languages,
        panels=facts.panels,
        number=facts.number,
        actor=actor,
    )


def change(session: Session, clinic: Clinic, staff: Staff, facts: Facts, actor: str) -> None:
    """Change what the clinic says of a colleague; their address stays. Raises MayNot where nobody would be left."""
    gaps = _gaps(session, clinic)
    was = staff.role
    staff.name, staff.role, staff.number = facts.name, facts.role, facts.number
    staff.languages, staff.panels = list(facts.languages), list(facts.panels)
    _refuse_gaps(session, clinic, gaps)
    audit.record(session, clinic.id, actor, "staff.changed", f"staff:{staff.id}", role=facts.role, was=was)


def leave(session: Session, clinic: Clinic, staff: Staff, actor: str) -> int:
    """Let a colleague in no more, and move on what they had not finished; return how many items that were.

    Raises MayNot where nobody would be left. Their sessions are ended by whoever keeps sessions.
    """
    if actor == f"staff:{staff.id}":
        raise MayNot({"": "yourself"})
    gaps = _gaps(session, clinic)
    staff.active = False
    _refuse_gaps(session, clinic, gaps)
    moved = cover.release(session, staff)
    audit.record(session, clinic.id, actor, "staff.revoked", f"staff:{staff.id}", moved=moved)
    return moved


def come_back(session: Session, clinic: Clinic, staff: Staff, actor: str) -> None:
    """Let somebody who had left work here again; they need a new link to come in."""
    if not staff.active:
        staff.active, staff.password_hash = True, None
        audit.record(session, clinic.id, actor, "staff.returned", f"staff:{staff.id}")


@dataclass(frozen=True)
class _Gaps:
    """Why a positive answer could stay unseen: the reasons, and the minutes in which nobody can be reached."""

    reasons: frozenset[str]
    holes: Sequence[holes.Hole]


def _gaps(session: Session, clinic: Clinic) -> _Gaps:
    """How things stand; the clinic is locked meanwhile, so that of two who leave at once the second is seen."""
    session.get(Clinic, clinic.id, with_for_update=True)
    found = checking.check(routing.Rules.of(clinic.rules), roster.people(session, clinic))
    # Minutes without anybody are compared as minutes: their list in words changes with every one that is mended.
    reasons = frozenset(one.message for one in found if one.field != "on_call")
    return _Gaps(reasons, roster.coming_holes(session, clinic))


def _refuse_gaps(session: Session, clinic: Clinic, before: _Gaps) -> None:
    """Raise MayNot where a change has opened a gap that was not there before; one that has become smaller may stay."""
    session.flush()
    leads = select(func.count()).select_from(Staff)
    leads = leads.where(Staff.clinic_id == clinic.id, Staff.active, Staff.role.in_(routing.LEADS))
    if not session.scalar(leads):
        raise MayNot({"": "last_lead"})
    now = _gaps(session, clinic)
    opened = sorted(now.reasons - before.reasons)
    made = holes.made(before.holes, now.holes)
    if made:
        opened.append(
            f"nobody with a mobile number is on duty or on call: {checking.listed(made, clinic.zone)}"
        )
    if opened:
        raise MayNot({"": "; ".join(opened)})
