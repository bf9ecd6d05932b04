"""A colleague's access that takes two: asked by an administrator, and given once a second person has agreed.

Until then nothing of it exists: no account, no role, no number, no link. Where nobody here counts as a second person
(messaging.two_person_rule), everybody is told, and after three days in which nobody has said no the asker may go on.
"""

from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import second_people, two_person_rule
from messaging.inbox.staff import nudging, staffing
from messaging.models import Clinic, Staff
from web.account import account_news
from web.models import AccessRequest
from web.settings import granting

What = Literal["invite", "change", "return", "link"]
# How long a request waits for somebody to agree.
VALID = timedelta(days=7)
PATH = "/settings/people/requests"
TOLD = ("clinic_admin", "auditor")


class Refused(ValueError):
    """Not so, and nothing was changed; `why` is a key of [access_request_refusals]."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def waiting(session: Session, clinic_id: UUID) -> list[AccessRequest]:
    """Return what waits for a second person, the oldest first."""
    asked = select(AccessRequest).where(
        AccessRequest.clinic_id == clinic_id,
        AccessRequest.outcome.is_(None),
        AccessRequest.asked_at > clock.now() - VALID,
    )
    return list(session.scalars(asked.order_by(AccessRequest.asked_at, AccessRequest.id)))


def ask(
    session: Session, clinic: Clinic, what: What, facts: staffing.Facts, by: Staff, staff: Staff | None = None
) -> AccessRequest:
    """Ask for what a second person agrees to; what was asked about the same colleague before is replaced.

    `staff` is None for somebody who does not work here. Raises staffing.MayNot where their address is taken.
    """
    session.get_one(Clinic, clinic.id, with_for_update=True)
    if staff is None:
        staffing.free_address(session, clinic, facts.email)
    for earlier in waiting(session, clinic.id):
        if earlier.facts["email"] == facts.email:
            _end(session, earlier, "replaced", audit.Actor.staff(by.id))
    row = AccessRequest(clinic_id=clinic.id, key_id=clinic.key_id, what=what, asked_by=by.id, asked_at=clock.now())
    row.staff_id, row.role = staff.id if staff is not None else None, facts.role
    row.facts = asdict(facts) | {"was": _standing(staff)}
    session.add(row)
    session.flush()
    row.facts = row.facts | {"nobody": not could_agree(session, row)}
    _note(session, row, audit.Actor.staff(by.id), "asked")
    _tell(session, clinic, row, by)
    if staff is not None and staff.active:
        account_news.tell(session, staff, "access_asked", audit.Actor.staff(by.id))
    return row


def could_agree(session: Session, row: AccessRequest) -> list[Staff]:
    """Return who counts as the second person for a request."""
    asker = audit.Actor.staff(row.asked_by)
    return second_people.others(session, row.clinic_id, "access", asker, row.staff_id)


def refusal(session: Session, row: AccessRequest, actor: str) -> str:
    """Return why `actor` may not agree now, a key of [access_request_refusals]; "" where they may.

    The operator at the command line may; so may the asker, where nobody could agree, once that was to be read for long
    enough.
    """
    if row.outcome is not None or row.asked_at <= clock.now() - VALID:
        return "over"
    if _standing(session.get(Staff, row.staff_id) if row.staff_id else None) != row.facts["was"]:
        return "changed"
    if audit.Actor(actor).kind == audit.OPERATOR:
        return ""
    why = second_people.refusal(session, "access", actor, audit.Actor.staff(row.asked_by), row.staff_id)
    if why == "second" and goes_on_at(session, row) is not None:
        return "" if clock.now() >= row.asked_at + two_person_rule.SETTLES else "early"
    return why


def goes_on_at(session: Session, row: AccessRequest) -> datetime | None:
    """Return from when the asker may go on alone; None where somebody could agree then or can now, or the asker is too
    new to be the only voice."""
    asker = session.get_one(Staff, row.asked_by)
    if (
        not row.facts["nobody"]
        or could_agree(session, row)
        or not two_person_rule.is_settled(second_people.person(asker), clock.now())
    ):
        return None
    return row.asked_at + two_person_rule.SETTLES


def agree(session: Session, clinic: Clinic, row: AccessRequest, actor: str) -> granting.Link | None:
    """Agree, so that what was asked happens; return the link that it made, if any.

    Raises Refused, and what the act itself raises where the clinic would have nobody left (staffing, coverage_guard).
    """
    session.get_one(Clinic, clinic.id, with_for_update=True)
    session.refresh(row)
    staff = session.get(Staff, row.staff_id, with_for_update=True, populate_existing=True) if row.staff_id else None
    if why := refusal(session, row, actor):
        raise Refused(why)
    made = _give(session, clinic, row, staff)
    alone = actor == audit.Actor.staff(row.asked_by)
    _end(session, row, "waited" if alone else "agreed", actor)
    return made


def end(session: Session, clinic: Clinic, row: AccessRequest, actor: str) -> bool:
    """Say no to a request, or take one's own back; return whether it was one's own. Raises Refused."""
    session.get_one(Clinic, clinic.id, with_for_update=True)
    session.refresh(row)
    if row.outcome is not None:
        raise Refused("over")
    own = actor == audit.Actor.staff(row.asked_by)
    _end(session, row, "withdrawn" if own else "refused", actor)
    return own


def _give(session: Session, clinic: Clinic, row: AccessRequest, staff: Staff | None) -> granting.Link | None:
    asker, asked = audit.Actor.staff(row.asked_by), _facts(row)
    if staff is None:
        staff = staffing.invite(session, clinic, asked, asker)
        row.staff_id = staff.id
    elif row.what == "change":
        changed = replace(staffing.facts(staff), role=asked.role, number=asked.number)
        granting.change(session, clinic, staff, changed, asker)
        return None
    staffing.come_back(session, clinic, staff, asker)
    return granting.link(session, clinic, staff, asker)


def _facts(row: AccessRequest) -> staffing.Facts:
    # A request may be older than a field.
    typed: dict[str, Any] = {
        each.name: row.facts[each.name] for each in fields(staffing.Facts) if each.name in row.facts
    }
    return staffing.Facts(**typed | {key: tuple(typed[key]) for key in ("languages", "panels")})


def _standing(staff: Staff | None) -> list[str | bool | None]:
    """What whoever agrees has looked at: if it is another by then, they have agreed to something else."""
    return [] if staff is None else [staff.name, staff.role, staff.number, staff.active, staff.sso_state == "locked"]


def _end(session: Session, row: AccessRequest, outcome: str, actor: str) -> None:
    row.outcome, row.ended_by, row.ended_at, row.facts = outcome, actor, clock.now(), {}
    _note(session, row, actor, outcome)
    clinic, asker = session.get_one(Clinic, row.clinic_id), session.get_one(Staff, row.asked_by)
    if asker.active and actor != audit.Actor.staff(asker.id):
        nudging.tell(session, clinic, asker, "approval", path=PATH, dedupe=f"access_request:{row.id}:over")


def _tell(session: Session, clinic: Clinic, row: AccessRequest, by: Staff) -> None:
    """Tell whoever could agree, administrators and auditors; where nobody could agree, everybody who works here."""
    able = {staff.id for staff in could_agree(session, row)}
    working = select(Staff).where(
        Staff.clinic_id == clinic.id, Staff.active, Staff.id.not_in({by.id, row.staff_id} - {None})
    )
    for staff in session.scalars(working.order_by(Staff.id)):
        if not able or staff.id in able or staff.role in TOLD:
            dedupe = f"access_request:{row.id}:{staff.id}"
            nudging.tell(session, clinic, staff, "approval", path=PATH, dedupe=dedupe)


def _note(session: Session, row: AccessRequest, actor: str, act: str) -> None:
    about = f"staff:{row.staff_id}" if row.staff_id else f"access_request:{row.id}"
    facts = {"what": row.what, "role": row.role, "request": str(row.id)}
    audit.record(session, row.clinic_id, actor, f"access.{act}", about, **facts)
