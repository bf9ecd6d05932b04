"""Who works at the clinic: invited, changed, gone and back; never so that a positive answer would find nobody.

Who leaves keeps their name in the record. What they had not finished moves on (messaging.inbox.staff.absences).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, queue
from messaging import phone, second_people, two_person_rule
from messaging.inbox.routing import assign, policy_checks
from messaging.inbox.staff import absences, coverage_guard, roster
from messaging.models import Clinic, Staff
from messaging.people import directory

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
LANGUAGES = ("en", "es")
MOST_PANELS, LONGEST_CREDENTIAL = 20, 40


@dataclass(frozen=True)
class Facts:
    """What the clinic says of a colleague. `number` is E.164 or None; `panels` clinicians whose patients are theirs;
    `credential` "LCSW", or empty."""

    name: str
    email: str
    role: str
    languages: tuple[str, ...]
    panels: tuple[str, ...]
    number: str | None
    credential: str = ""


class MayNot(ValueError):
    """Not so: `problems` maps a field (of Facts, or "" for the whole) to why.

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
    languages = tuple(language for language in LANGUAGES if language in raw.get("languages", ()))
    if not languages:
        problems["languages"] = "languages"
    panels = tuple(dict.fromkeys(panel.strip() for panel in str(raw.get("panels", "")).split(",") if panel.strip()))
    if len(panels) > MOST_PANELS or any(len(panel) > 120 or not panel.isprintable() for panel in panels):
        problems["panels"] = "panels"
    credential = " ".join(str(raw.get("credential", "")).split())
    if len(credential) > LONGEST_CREDENTIAL or not credential.isprintable():
        problems["credential"] = "credential"
    number = None
    try:
        number = phone.e164(raw["number"]) if str(raw.get("number", "")).strip() else None
    except phone.NotTextable as wrong:
        problems["number"] = f"{wrong}"
    if problems:
        raise MayNot(problems)
    return Facts(name, email, str(raw["role"]), languages, panels, number, credential)


def facts(staff: Staff) -> Facts:
    """Return what the clinic says of a colleague now."""
    return Facts(
        staff.name,
        staff.email,
        staff.role,
        tuple(staff.languages),
        tuple(staff.panels),
        staff.number,
        staff.credential,
    )


def invite(session: Session, clinic: Clinic, facts: Facts, actor: str) -> Staff:
    """Add a colleague, who can come in once they have used a link. Raises MayNot where the address is taken."""
    session.get(Clinic, clinic.id, with_for_update=True)
    free_address(session, clinic, facts.email)
    return directory.add_staff(
        session,
        clinic,
        name=facts.name,
        email=facts.email,
        role=facts.role,
        languages=facts.languages,
        panels=facts.panels,
        number=facts.number,
        credential=facts.credential,
        actor=actor,
    )


def free_address(session: Session, clinic: Clinic, email: str) -> None:
    """Raises MayNot where somebody here has this address, or has had it."""
    existing = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.email == email))
    if existing is not None:
        raise MayNot({"email": "works_here" if existing.active else "worked_here"})


def change(session: Session, clinic: Clinic, staff: Staff, facts: Facts, actor: str) -> None:
    """Change what the clinic says of a colleague; their address stays.

    Raises MayNot where nobody would be left who decides, and MakesGap where nobody could be reached any more.
    """
    was = staff.role
    with _keeping(session, clinic):
        if facts.number != staff.number:
            staff.number, staff.phone_fault = facts.number, None
            if facts.number and actor != audit.Actor.staff(staff.id):  # whoever holds that phone may be another
                second_people.begin_to_settle(staff, actor)
        if two_person_rule.gains_a_voice(was, facts.role):
            second_people.begin_to_settle(staff, actor)
        staff.name, staff.role, staff.credential = facts.name, facts.role, facts.credential
        staff.languages, staff.panels = list(facts.languages), list(facts.panels)
    audit.record(session, clinic.id, actor, "staff.changed", f"staff:{staff.id}", role=facts.role, was=was)


def successors(session: Session, staff: Staff) -> list[Staff]:
    """Return who can take over what a colleague leaves unfinished: who works in the inbox, or does the same work."""
    others = select(Staff).where(Staff.clinic_id == staff.clinic_id, Staff.active, Staff.id != staff.id)
    able = others.where(Staff.role.in_((*assign.OWNERS, staff.role)))
    return list(session.scalars(able.order_by(Staff.name)))


def leave(session: Session, clinic: Clinic, staff: Staff, actor: str, to: Staff | None = None) -> int:
    """Let a colleague in no more, and move on what they had not finished; return how many items that were.

    It goes to `to`, one of `successors`, else to who covers for them, else to the team.
    Raises MayNot where nobody would be left who decides, and MakesGap where nobody could be reached any more;
    then they work here as before. Their sessions are ended by whoever keeps sessions.
    """
    if actor == audit.Actor.staff(staff.id):
        raise MayNot({"": "yourself"})
    if to is not None and to not in successors(session, staff):
        raise MayNot({"to": "successor"})
    with _keeping(session, clinic):
        staff.active = False
    _look_at_handoffs(session, clinic)  # before items are moved: whoever acts on a handoff locks it before its items
    moved = absences.release(session, staff, to)
    heir = str(to.id) if to else None
    audit.record(session, clinic.id, actor, "staff.revoked", f"staff:{staff.id}", moved=moved, to=heir)
    return moved


def _look_at_handoffs(session: Session, clinic: Clinic) -> None:
    """Have what is under way looked at now: a patient may be on their way to them. Handoffs belong to the room above,
    and are known here by their table's name."""
    handoff = db.Base.metadata.tables["handoff"]
    under_way = (handoff.c.clinic_id == clinic.id) & handoff.c.follows.is_not(None)
    soon = handoff.update().where(under_way, handoff.c.ended_at.is_(None)).values(try_after=clock.now())
    session.execute(soon)
    queue.ring(session, "handoffs")


def come_back(session: Session, clinic: Clinic, staff: Staff, actor: str) -> None:
    """Let somebody who had left work here again; they need a new link to come in."""
    if not staff.active:
        staff.active, staff.password_hash = True, None
        second_people.begin_to_settle(staff, actor)
        audit.record(session, clinic.id, actor, "staff.returned", f"staff:{staff.id}")


def set_hours(
    session: Session,
    clinic_id: UUID,
    staff_id: UUID,
    *,
    hours: Mapping[str, Sequence[str]],
    on_call: Mapping[str, Sequence[str]],
    actor: str,
) -> bool:
    """Change when a colleague works and is on call, from now on; return whether anything is new.

    Raises MakesGap for the minutes in which nobody could be reached any more, and LookupError for somebody who
    does not work here.
    """
    staff = session.get(Staff, staff_id, populate_existing=True)
    if staff is None or staff.clinic_id != clinic_id or not staff.active:
        raise LookupError("nobody active here")
    wanted = {"hours": dict(hours), "on_call": dict(on_call)}
    changed = [name for name, week in wanted.items() if getattr(staff, name) != week]
    if not changed:
        return False
    with coverage_guard.keeping(session, session.get_one(Clinic, clinic_id)):
        for name in changed:
            setattr(staff, name, wanted[name])
    for name in changed:
        audit.record(session, clinic_id, actor, f"staff.{name}", f"staff:{staff_id}")
    return True


@contextmanager
def _keeping(session: Session, clinic: Clinic) -> Iterator[None]:
    """Within: whoever decides for the clinic, and whom its rules name, are there as before; and so is somebody at every
    minute."""
    with coverage_guard.keeping(session, clinic):
        before = _reasons(session, clinic)
        yield
        session.flush()
        leads = select(func.count()).select_from(Staff)
        leads = leads.where(Staff.clinic_id == clinic.id, Staff.active, Staff.role.in_(assign.LEADS))
        if not session.scalar(leads):
            raise MayNot({"": "last_lead"})
        opened = sorted(_reasons(session, clinic) - before)
        if opened:
            raise MayNot({"": "; ".join(opened)})


def _reasons(session: Session, clinic: Clinic) -> set[str]:
    """Why a positive answer could stay unseen, but for the minutes without anybody, which are asked as minutes."""
    problems = policy_checks.check(assign.Rules.of(clinic.rules), roster.people(session, clinic))
    return {problem.message for problem in problems if problem.field != "on_call"}
