"""Puts a mail to a colleague into the spool, in the transaction of what it tells of; one reason makes one mail."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db, queue, runtime
from messaging.mail import wording
from messaging.mail.models import Mail, MailAddress
from messaging.models import Staff

# How long a mail of a kind is of use; what the mail server takes later than this is not sent any more.
USEFUL = {"digest": timedelta(hours=12), "confirm": timedelta(hours=24)}
USEFUL_OTHERWISE = timedelta(hours=48)


def can_mail() -> bool:
    """Whether this service has a mail server."""
    return runtime.settings().smtp_url is not None


def takes_mail(session: Session, staff: Staff) -> bool:
    """Whether this colleague has confirmed an address that is not known to refuse mail."""
    theirs = select(MailAddress.id).where(
        MailAddress.staff_id == staff.id, MailAddress.confirmed_at.is_not(None), MailAddress.fault.is_(None)
    )
    return can_mail() and session.scalar(theirs) is not None


def put(session: Session, staff: Staff, kind: str, *, dedupe: str, **filled: str | int) -> Mail:
    """Queue a mail of this kind to a colleague; the same `dedupe` queues one only. `filled`: see wording.PLACES."""
    same = select(Mail).where(Mail.clinic_id == staff.clinic_id, Mail.dedupe == dedupe)
    first = session.scalar(same)
    if first is not None:
        return first
    now = clock.now()
    preferences = f"{runtime.settings().staff_address}/preferences"
    words = wording.say(kind, wording.language_of(staff.languages), preferences=preferences, **filled)
    mail = Mail(
        clinic_id=staff.clinic_id,
        key_id=staff.key_id,
        staff_id=staff.id,
        kind=kind,
        state="queued",
        subject=words.subject,
        body=words.body,
        dedupe=dedupe,
        created_at=now,
        useful_until=now + USEFUL.get(kind, USEFUL_OTHERWISE),
        try_after=now,
    )
    session.add(mail)
    session.flush()
    queue.ring(session, "mail")
    return mail


def end(mail: Mail, state: str, why: str | None = None) -> None:
    """Let a mail be over: what it said is kept no longer."""
    mail.state, mail.why, mail.ended_at = state, why, clock.now()
    db.empty(mail, "subject", "body")
