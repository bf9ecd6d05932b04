"""Invitations and links to a new password as the page of the people lists them: when sent, how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Clinic
from web import times, words
from web.account import signin
from web.models import SignInLink

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
