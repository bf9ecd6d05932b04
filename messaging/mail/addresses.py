"""Who is mailed: colleagues who have asked for it and have proved, by a link in a mail, that they read that address.

It is the address they sign in with, which the clinic has given them: nothing is mailed anywhere else.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, runtime
from messaging.mail import spool
from messaging.mail.models import Mail, MailAddress
from messaging.models import Staff

VALID = timedelta(hours=24)
# Asking again sooner than this sends no second mail.
AGAIN_AFTER = timedelta(minutes=2)


def of(session: Session, staff: Staff) -> MailAddress | None:
    """Return what is known of this colleague's address, None where they have asked for no e-mail."""
    return session.scalar(select(MailAddress).where(MailAddress.staff_id == staff.id))


def ask(session: Session, staff: Staff) -> bool:
    """Mail this colleague a link by which they confirm; False where one went just now, or it is confirmed."""
    now, address = clock.now(), of(session, staff)
    if address is not None and address.fault is None and (address.confirmed_at or now - address.asked_at < AGAIN_AFTER):
        return False
    if address is None:
        address = MailAddress(clinic_id=staff.clinic_id, staff_id=staff.id)
        session.add(address)
    token = keys.new_token()
    address.token_hash, address.asked_at, address.expires_at = keys.token_hash(token), now, now + VALID
    address.confirmed_at, address.fault, address.try_after = None, None, now
    session.flush()
    link = f"{runtime.settings().staff_address}/preferences/mail/{token}"
    spool.put(session, staff, "confirm", dedupe=f"confirm:{staff.id}:{db.new_id()}", link=link)
    _write_down(session, staff, "asked")
    return True


def asked_by(session: Session, staff: Staff, token: str) -> MailAddress | None:
    """Return the address that this link confirms, None where it is not this colleague's, too old or used."""
    theirs = select(MailAddress).where(
        MailAddress.staff_id == staff.id,
        MailAddress.token_hash == keys.token_hash(token),
        MailAddress.expires_at > clock.now(),
    )
    return session.scalar(theirs.with_for_update())


def confirm(session: Session, address: MailAddress, staff: Staff, next_digest: datetime) -> None:
    """Take in that this colleague reads the address: from now on they are mailed what they have chosen."""
    address.token_hash, address.confirmed_at, address.try_after = None, clock.now(), next_digest
    _write_down(session, staff, "confirmed")


def stop(session: Session, staff: Staff) -> None:
    """Mail this colleague nothing any more; what waits is dropped as its turn comes."""
    address = of(session, staff)
    if address is not None:
        session.delete(address)
        _write_down(session, staff, "stopped")


def waiting(session: Session, staff: Staff) -> tuple[int, datetime | None]:
    """Return how many mails to this colleague the mail server has not taken though tried, and since when."""
    tried = select(func.count(), func.min(Mail.created_at)).where(
        Mail.staff_id == staff.id, Mail.state == "queued", Mail.last_error.is_not(None)
    )
    count, since = session.execute(tried).one()
    return count, since


def dropped(session: Session, staff: Staff, since: datetime) -> tuple[int, datetime | None]:
    """Return how many mails to this colleague were given up since then as too late, and when the last was."""
    late = select(func.count(), func.max(Mail.ended_at)).where(
        Mail.staff_id == staff.id, Mail.state == "dropped", Mail.why == "late", Mail.ended_at >= since
    )
    count, last = session.execute(late).one()
    return count, last


def _write_down(session: Session, staff: Staff, act: str) -> None:
    actor, about = audit.Actor.staff(staff.id), f"staff:{staff.id}"
    audit.record(session, staff.clinic_id, actor, f"mail.{act}", about)
