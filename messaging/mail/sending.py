"""Works the spool off: to the mail server and not within a transaction, again and again until it is taken or useless.

What became of each mail is written down before the next is begun, and none is begun once the slice is over: the rest
is let go, long before its lease ends and somebody else sends it as well.

A mail server may be away for a day: then what waits is tried every few minutes, and what has become useless meanwhile
is dropped and says so. A worker killed after the server's yes sends that mail twice, with the same Message-ID.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, logging, runtime
from messaging.mail import smtp, spool
from messaging.mail.models import Mail, MailAddress
from messaging.models import Staff

DUE = Mail.state == "queued"
BATCH, SLICE_SECONDS = 50, 10.0
# A lease outlives the slice, and a server that gives each of a dozen answers at the last moment.
LEASE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(minutes=5)
# A server that has taken nothing for so long is told of to the operator.
WORTH_TELLING = timedelta(minutes=5)
# How the error of a mail begins that the server will take later: it spoke about this one address.
ANSWERED = "answered "


@dataclass(frozen=True)
class Outcome:
    """What became of a try: sent, dropped with `why`, to be tried again because of `error`, or `left` untried."""

    sent: bool = False
    left: bool = False
    why: str | None = None
    error: str = ""
    by_address: bool = False


Ready = tuple[db.Claim, EmailMessage | Outcome]


def drain() -> int:
    """Send what waits in the spool; return how many mails were handled."""
    end, handled = clock.monotonic() + SLICE_SECONDS, 0
    while clock.monotonic() < end:
        with db.unit_of_work(db.EVERY) as session:
            claims = db.claim(session, Mail, DUE, limit=BATCH, lease=LEASE)
        if not claims:
            break
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            ready = [(claimed, _ready(session, claimed)) for claimed in claims]
        for claimed, outcome in _outcomes(ready, end):
            _write_down(claimed, outcome)
            handled += not outcome.left
    return handled


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest mail that is due waits."""
    return db.oldest(session, Mail, DUE, now)


def waiting(session: Session) -> int:
    """Return how many mails wait."""
    return session.scalar(select(func.count()).select_from(Mail).where(DUE)) or 0


def stuck_since(session: Session, now: datetime) -> datetime | None:
    """Return since when a mail waits that was tried in vain, where that is long enough to tell the operator.

    A server that has answered takes mail: it is one mailbox that is full, and no reason to alarm anybody.
    """
    in_vain = and_(Mail.last_error.is_not(None), Mail.last_error.not_like(f"{ANSWERED}%"))
    since = session.scalar(select(func.min(Mail.created_at)).where(DUE, in_vain))
    return since if since is not None and now - since > WORTH_TELLING else None


def _ready(session: Session, claimed: db.Claim) -> EmailMessage | Outcome:
    """The mail as it goes out, or why it does not."""
    mail = session.get_one(Mail, claimed.id)
    staff = session.get_one(Staff, mail.staff_id)
    if mail.useful_until <= clock.now():
        return Outcome(why="late")
    if not _still_wanted(session, mail, staff):
        return Outcome(why="stopped")
    try:
        return _composed(mail, staff)
    except (keys.WrongKey, ValueError) as broken:
        logging.logger().error("mail cannot be made", mail_id=mail.id, error_type=type(broken).__name__)
        return Outcome(why="broken")


def _still_wanted(session: Session, mail: Mail, staff: Staff) -> bool:
    address = session.scalar(select(MailAddress).where(MailAddress.staff_id == staff.id))
    if not staff.active or address is None or address.fault is not None:
        return False
    return address.confirmed_at is not None or mail.kind == "confirm"


def _composed(mail: Mail, staff: Staff) -> EmailMessage:
    settings = runtime.settings()
    return smtp.message(
        sender=settings.mail_from,
        to=staff.email,
        subject=mail.subject or "",
        body=mail.body or "",
        message_id=f"<{mail.id}@{settings.mail_from.rpartition('@')[2]}>",
        at=format_datetime(mail.created_at),
    )


def _outcomes(ready: Iterable[Ready], end: float) -> Iterator[tuple[db.Claim, Outcome]]:
    """Say what becomes of each mail as soon as it is known; those not begun by `end` (clock.monotonic) are left."""
    mails = deque[tuple[db.Claim, EmailMessage]]()
    for claimed, made in ready:
        if isinstance(made, Outcome):
            yield claimed, made
        else:
            mails.append((claimed, made))
    url = runtime.settings().smtp_url
    rest = Outcome(left=True)
    try:
        if url is None:
            rest = Outcome(error="no mail server")
        elif mails:
            yield from _tried(smtp.Server.of(url.get_secret_value()), mails, end)
    except smtp.ServerAway as away:
        logging.logger().warning("mail server away", why=away.why, waiting=len(mails))
        rest = Outcome(error=away.why)
    yield from ((claimed, rest) for claimed, _ in mails)


def _tried(
    server: smtp.Server, mails: deque[tuple[db.Claim, EmailMessage]], end: float
) -> Iterator[tuple[db.Claim, Outcome]]:
    """Send one mail after the other over one connection, the first whatever the hour; `mails` keeps the others."""
    name = urlsplit(runtime.settings().public_url).hostname or "localhost"
    with smtp.connected(server, name=name) as connection:
        while True:
            outcome = _try(connection, mails[0][1])
            yield mails.popleft()[0], outcome
            if not mails or clock.monotonic() >= end:
                return


def _try(connection: smtp.Connection, mail: EmailMessage) -> Outcome:
    try:
        connection.send(mail)
    except smtp.Refused as refused:
        return Outcome(why="refused", by_address=refused.by_address)
    except smtp.NotNow as later:
        return Outcome(error=f"{ANSWERED}{later.code}")
    return Outcome(sent=True)


def _write_down(claimed: db.Claim, outcome: Outcome) -> None:
    """Write down what became of a mail, unless somebody else has taken it over meanwhile."""
    with db.unit_of_work(db.EVERY) as session:
        for mail in db.still_mine(session, Mail, [claimed]):
            mail.lease_until = None
            if outcome.left:
                mail.attempts -= 1
            elif outcome.sent:
                spool.end(mail, "sent")
                mail.last_error = None
            elif outcome.why is not None:
                _drop(session, mail, outcome)
            else:
                db.retry_later(mail, outcome.error)
                mail.try_after = min(mail.try_after, clock.now() + LONGEST_PAUSE)


def _drop(session: Session, mail: Mail, outcome: Outcome) -> None:
    spool.end(mail, "dropped", outcome.why)
    if outcome.by_address:
        for address in session.scalars(select(MailAddress).where(MailAddress.staff_id == mail.staff_id)):
            address.fault = "refused"
    actor, about = audit.Actor.system("mail"), f"staff:{mail.staff_id}"
    audit.record(session, mail.clinic_id, actor, "mail.dropped", about, why=outcome.why, kind=mail.kind)
