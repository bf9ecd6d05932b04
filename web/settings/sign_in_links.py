"""Invitations and links to a new password as the page of the people lists them, and how each colleague signs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from messaging.models import Clinic, Staff
from web import times, words
from web.account import signin
from web.models import Passkey, SignInLink

# Older ones say nothing any more that the audit does not say.
LISTED, MOST = timedelta(days=90), 50


@dataclass(frozen=True)
class Line:
    """One link: whose, "invite" or "reset", when it was made, until when it works, and its state in words."""

    id: UUID
    who: str
    kind: str
    sent: str
    expires: str
    state: str
    open: bool


def lines(session: Session, clinic: Clinic, names: Mapping[UUID, str], now: datetime) -> list[Line]:
    """Return the clinic's links of the last months, newest first."""
    made = select(SignInLink).where(
        SignInLink.clinic_id == clinic.id, SignInLink.kind.in_(signin.CHOOSES), SignInLink.created_at > now - LISTED
    )
    recent = session.scalars(made.order_by(SignInLink.created_at.desc(), SignInLink.id).limit(MOST))
    return [_line(link, clinic.zone, names, now) for link in recent]


def standings(session: Session, clinic: Clinic, people: Sequence[Staff], now: datetime) -> dict[UUID, str]:
    """Return by colleague whether they can sign in, and by what, or until when their invitation works."""
    waiting = select(SignInLink.staff_id, func.max(SignInLink.expires_at)).where(
        SignInLink.clinic_id == clinic.id, SignInLink.used_at.is_(None)
    )
    until = dict(session.execute(waiting.group_by(SignInLink.staff_id)).all())
    keyed = set(session.scalars(select(Passkey.staff_id).where(Passkey.clinic_id == clinic.id)))
    return {
        person.id: _standing(person, person.id in keyed, until.get(person.id), clinic.zone, now) for person in people
    }


def _standing(person: Staff, has_passkey: bool, until: datetime | None, zone: str, now: datetime) -> str:
    if not person.active:
        return words.say("colleagues", "gone")
    if person.sso_state is not None:
        return words.say("colleagues", f"sso_{person.sso_state}")
    if person.password_hash is not None or has_passkey:
        return words.say("colleagues", "signs_in" if person.password_hash is not None else "signs_in_by_passkey")
    if until is None or until <= now:
        return words.say("colleagues", "link_over")
    return words.say("colleagues", "link_until", when=times.moment(until, now, zone, running=True))


def _line(link: SignInLink, zone: str, names: Mapping[UUID, str], now: datetime) -> Line:
    state, at = _state(link, now)
    when = times.moment(at, now, zone, running=True) if at else ""
    return Line(
        id=link.id,
        who=names[link.staff_id],
        kind=words.say("sign_in_kinds", link.kind),
        sent=times.moment(link.created_at, now, zone),
        expires=times.moment(link.expires_at, now, zone),
        state=words.say("sign_in_states", state, when=when),
        open=state == "open",
    )


def _state(link: SignInLink, now: datetime) -> tuple[str, datetime | None]:
    if link.revoked_at is not None:
        return "revoked", link.revoked_at
    if link.used_at is not None:
        return "used", link.used_at
    return ("expired", None) if link.expires_at <= now else ("open", None)
