"""Whom the word of a clinic's identity provider lets in: who is linked, who joins, and who is nobody here any more.

Known again by issuer and subject, never by an address: an address is given to somebody else one day. By a verified
address of the clinic's own a colleague is linked once, and told of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox.staff import coverage_guard, staffing
from messaging.models import Clinic, Staff
from reminders import single_sign_on
from web import patient_access, sessions
from web.account import account_news, signin, sso_claims
from web.account.sso_claims import Person, Refused, SignedOut
from web.models import LogoutToken, StaffSession

# Longer than a logout token is believed (sso_claims.LOGOUT_SECONDS): until then it is known again.
A_TOKEN = timedelta(hours=1)


def come_in(
    session: Session, clinic_id: UUID, claims: Mapping[str, Any], terms: single_sign_on.Terms, asked_at: datetime
) -> tuple[Staff, str | None] | None:
    """Return whom verified `claims` let into a clinic, and "provider" where they stand for the second step too.

    `asked_at` is when the question was asked that they answer. None for somebody who has no role here: what was open
    of theirs has ended, which is to be committed. Raises Refused, with nothing done.
    """
    # Locked: of two first sign-ins of one person at once, the second finds what the first has made.
    clinic = session.get_one(Clinic, clinic_id, with_for_update=True, populate_existing=True)
    db.load_keys(session, {clinic.key_id})
    person = sso_claims.person(claims, terms.groups_claim)
    subject = subject_of(session, clinic, terms.issuer, person.subject)
    staff = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.sso_subject == subject))
    role = terms.role_of(person.groups)
    if role is None:
        end(session, staff)
        return None
    if staff is not None and staff.sso_used_at is not None and asked_at <= staff.sso_used_at:
        raise Refused("answered_before")
    staff = staff or _first_time(session, clinic, person, terms, role)
    if not staff.active or staff.sso_state == "locked":
        raise Refused("locked" if staff.active else "inactive")
    if staff.sso_subject is None:
        _link(session, staff, subject)
    if staff.role != role:
        _give_role(session, clinic, staff, role)
    staff.sso_state, staff.sso_used_at = "linked", clock.now()
    return staff, "provider" if person.methods & set(terms.second_step) else None


def subject_of(session: Session, clinic: Clinic, issuer: str, subject: str) -> bytes:
    """Return what is kept of whom the provider means: known again, and not readable."""
    return db.clinic_index(session, clinic.key_id, "sso_subject", f"{issuer}\n{subject}")


def session_of(session: Session, clinic: Clinic, issuer: str, sid: object) -> bytes | None:
    """Return what is kept of the provider's name for one of its sessions; None where it gives none."""
    if not isinstance(sid, str) or not 0 < len(sid) <= sso_claims.LONGEST_SUBJECT:
        return None
    return db.clinic_index(session, clinic.key_id, "sso_session", f"{issuer}\n{sid}")


def sign_out(session: Session, clinic_id: UUID, issuer: str, told: SignedOut) -> None:
    """End what the provider says has ended: one session where we know it by its name, else all of the person.

    A token is good once: what has been told before raises Refused. Nobody here by that name is nothing to end.
    """
    clinic = session.get_one(Clinic, clinic_id, with_for_update=True)
    db.load_keys(session, {clinic.key_id})
    _once(session, clinic, issuer, told.token_id)
    opened = select(StaffSession).where(StaffSession.clinic_id == clinic.id, StaffSession.ended_at.is_(None))
    sid = session_of(session, clinic, issuer, told.session)
    known = session.scalars(opened.where(StaffSession.provider_session == sid)).all() if sid is not None else []
    subject = subject_of(session, clinic, issuer, told.subject)
    staff = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.sso_subject == subject))
    theirs = [row for row in known if not told.subject or (staff is not None and row.staff_id == staff.id)]
    for row in theirs:
        row.ended_at = clock.now()
        _signed_out(session, clinic, row.staff_id)
    if staff is not None and not theirs:
        sessions.revoke(session, staff.id)
        _signed_out(session, clinic, staff.id)


def _once(session: Session, clinic: Clinic, issuer: str, token_id: str) -> None:
    kept = db.clinic_index(session, clinic.key_id, "sso_logout", f"{issuer}\n{token_id}")
    now = clock.now()
    session.execute(delete(LogoutToken).where(LogoutToken.clinic_id == clinic.id, LogoutToken.used_at < now - A_TOKEN))
    if session.scalar(select(LogoutToken.id).where(LogoutToken.clinic_id == clinic.id, LogoutToken.token == kept)):
        raise Refused("jti")
    session.add(LogoutToken(clinic_id=clinic.id, token=kept, used_at=now))


def _signed_out(session: Session, clinic: Clinic, staff_id: UUID) -> None:
    audit.record(session, clinic.id, account_news.PROVIDER, "staff.sso_signed_out", f"staff:{staff_id}")


def unlink(session: Session, staff: Staff, actor: str) -> None:
    """Let the provider's word mean nobody here until they come in by it anew."""
    staff.sso_subject = staff.sso_state = staff.sso_used_at = None
    audit.record(session, staff.clinic_id, actor, "staff.sso_unlinked", f"staff:{staff.id}")
    account_news.tell(session, staff, "sso_unlinked", actor)


def end(session: Session, staff: Staff | None) -> None:
    """Somebody whom the provider knows, and gives no role here: nothing of theirs opens any more."""
    if staff is None or staff.sso_state != "linked":
        return
    staff.sso_state = "refused"
    sessions.revoke(session, staff.id)
    signin.spend_links(session, staff.id)
    patient_access.end_all(session, staff, account_news.PROVIDER)
    audit.record(session, staff.clinic_id, account_news.PROVIDER, "staff.sso_left", f"staff:{staff.id}")


def _first_time(session: Session, clinic: Clinic, person: Person, terms: single_sign_on.Terms, role: str) -> Staff:
    """Return the colleague whose address the provider has verified, or a new one where accounts are made."""
    if not person.email:
        raise Refused("email_unverified")
    if not sso_claims.of_domain(person.email, terms.domains):
        raise Refused("email_elsewhere")
    there = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.email == person.email))
    if there is None:
        return _joiner(session, clinic, person, terms, role)
    if there.sso_subject is not None:
        raise Refused("linked_to_another")
    return there


def _joiner(session: Session, clinic: Clinic, person: Person, terms: single_sign_on.Terms, role: str) -> Staff:
    if not terms.joiners:
        raise Refused("not_invited")
    if not person.name:
        raise Refused("no_name")
    facts = staffing.Facts(person.name, person.email, role, staffing.LANGUAGES[:1], (), None)
    return staffing.invite(session, clinic, facts, account_news.PROVIDER)


def _link(session: Session, staff: Staff, subject: bytes) -> None:
    staff.sso_subject = subject
    audit.record(session, staff.clinic_id, account_news.PROVIDER, "staff.sso_linked", f"staff:{staff.id}")
    account_news.tell(session, staff, "sso_linked", account_news.PROVIDER)


def _give_role(session: Session, clinic: Clinic, staff: Staff, role: str) -> None:
    """Give somebody the role that their groups have; refused where then nobody could be reached or decide any more."""
    try:
        staffing.change(session, clinic, staff, replace(staffing.facts(staff), role=role), account_news.PROVIDER)
    except (staffing.MayNot, coverage_guard.MakesGap):
        raise Refused("role_leaves_gap") from None
    sessions.revoke(session, staff.id)
    patient_access.end_all(session, staff, account_news.PROVIDER)
    account_news.tell(session, staff, "role", account_news.PROVIDER)
