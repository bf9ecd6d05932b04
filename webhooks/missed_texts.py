"""Texts that never reached the door: the carrier's own list is read every minute,
and what is missing is received from it.

What is found becomes a receipt like any other, unique by the carrier's id of the text, so that a webhook that comes
after all changes nothing, and two tickers that look at once find it once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, db, logging, runtime
from messaging.gateways.base import Attached, Came, Listing, OutcomeUnknown, Refused
from messaging.gateways.twilio import gateway
from messaging.models import REAL, Clinic
from webhooks import fields, receipts
from webhooks.inbound_text import priority_of
from webhooks.models import InboundCheck, Receipt

SOURCE = "twilio.sms"
EVERY = timedelta(seconds=50)
# A webhook and the carrier's second try need some seconds; what they bring says more (OptOutType).
YOUNG = timedelta(seconds=15)
# The list may show a text late.
OVERLAP = timedelta(minutes=20)
DEEP_EVERY, DEEP = timedelta(hours=1), timedelta(hours=48)
LONGEST_WAIT = timedelta(minutes=5)
LEASE = timedelta(seconds=90)
MOST = 2000
CLINICS = 10


class Span(NamedTuple):
    """From when until when a clinic's list is to be read."""

    since: datetime
    until: datetime


def look() -> int:
    """Read the list of each clinic whose turn it is; return how many were read."""
    _begin()
    _mistrust_the_future()
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, InboundCheck, _ALL, limit=CLINICS, lease=LEASE)
        checks = db.still_mine(session, InboundCheck, claims)
        known = _clinics(session, checks)
        clinics = {check.id: known[check.clinic_id] for check in checks}
        spans = {check.id: _spans(check, clinics[check.id], clock.now()) for check in checks}
    for claim in claims:
        if claim.id in spans:
            _look(claim, clinics[claim.id], *spans[claim.id])
    return len(claims)


def _clinics(session: Session, checks: Sequence[InboundCheck]) -> dict[UUID, Clinic]:
    """The clinics of these checks by their id, all read at once."""
    ids = {check.clinic_id for check in checks}
    return {clinic.id: clinic for clinic in session.scalars(select(Clinic).where(Clinic.id.in_(ids)))}


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the clinic waits whose list is due longest; a clinic never looked at is due now."""
    if session.scalar(_NEW.limit(1)) is not None:
        return now
    if session.scalar(select(InboundCheck.id).where(_ahead(now)).limit(1)) is not None:
        return now
    return db.oldest(session, InboundCheck, _ALL, now)


_ALL = InboundCheck.fence >= 0
_NEW = select(Clinic).where(REAL, ~exists().where(InboundCheck.clinic_id == Clinic.id))


def _ahead(now: datetime) -> ColumnElement[bool]:
    """The condition for checks that were dated by a clock which stood ahead, and has been set right since."""
    return or_(
        InboundCheck.looked_until > now,
        InboundCheck.deep_at > now,
        InboundCheck.try_after > now + LONGEST_WAIT,
    )


def _mistrust_the_future() -> None:
    """Nobody has looked at what is yet to come: such a clinic's list is read at once, and the last days' as well."""
    now = clock.now()
    anew = {"looked_until": now, "deep_at": now - DEEP_EVERY, "try_after": now}
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(InboundCheck).where(_ahead(now)).values(**anew))


def _begin() -> None:
    """Give each new clinic its row. What was texted before the clinic was here is not ours."""
    with db.unit_of_work(db.EVERY) as session:
        for clinic in session.scalars(_NEW).all():
            now = clock.now()
            row = InboundCheck(
                clinic_id=clinic.id,
                looked_until=clinic.created_at,
                deep_at=now,
                try_after=now,
                attempts=0,
                fence=0,
            )
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                continue  # another ticker was faster


def _spans(check: InboundCheck, clinic: Clinic, now: datetime) -> tuple[Span, Span | None]:
    """What is new since the last look, and what is still owed of earlier ones."""
    if check.deep_at <= now - DEEP_EVERY:
        check.deep_at = now
        check.owed_from = min(check.owed_from or now, now - DEEP)
        check.owed_until = max(check.owed_until or check.looked_until, check.looked_until)
    fresh = Span(max(check.looked_until - OVERLAP, clinic.created_at), now - YOUNG)
    if check.owed_from is None or check.owed_until is None:
        return fresh, None
    return fresh, Span(max(check.owed_from, clinic.created_at), check.owed_until)


def _look(claim: db.Claim, clinic: Clinic, fresh: Span, owed: Span | None) -> None:
    try:
        left = _receive(clinic, fresh)
        rest = _receive(clinic, owed) if owed else None
    except (OutcomeUnknown, Refused) as error:
        logging.logger().warning("the carrier's list cannot be read", error_type=type(error).__name__)
        with db.unit_of_work(db.EVERY) as session:
            for check in db.still_mine(session, InboundCheck, [claim]):
                db.retry_later(check, type(error).__name__)
                check.try_after = min(check.try_after, clock.now() + LONGEST_WAIT)
        return
    with db.unit_of_work(db.EVERY) as session:
        for check in db.still_mine(session, InboundCheck, [claim]):
            # Where the cut lies before the last look, what is behind it was listed then.
            looked = check.looked_until.replace(microsecond=0)  # carriers date by whole seconds
            new = left if left and left.until >= looked else None
            owing = [span for span in (new, rest) if span]
            check.owed_from = min((span.since for span in owing), default=None)
            check.owed_until = max((span.until for span in owing), default=None)
            check.looked_until = max(check.looked_until, fresh.until)
            check.lease_until, check.attempts, check.last_error = None, 0, None
            check.try_after = clock.now() + (timedelta(seconds=1) if owing else EVERY)


def _receive(clinic: Clinic, span: Span) -> Span | None:
    """Receive what is missing of a span, the newest first; return what of the span was too much for one look."""
    # Carriers date by whole seconds: the second in which a span begins belongs to it.
    if span.since.replace(microsecond=0) > span.until:
        return None
    listed = _listed(clinic, span)
    missing = _missing(listed.texts)
    for came in reversed(missing):
        _keep(clinic, came, _attached(came))
    if missing:
        logging.logger().error("texts were found that no webhook brought", count=len(missing))
    return Span(span.since, listed.cut_at) if listed.cut_at else None


def _listed(clinic: Clinic, span: Span) -> Listing:
    """Return the end of a span: what came to the clinic's number,
    and what came by its Messaging Service (RCS and others)."""
    listed = _end(clinic.number, span)
    if clinic.messaging_service_sid is None:
        return listed
    # The carrier's list knows no Messaging Service to ask for, so the whole account is listed and looked through.
    everything = _end(None, span)
    by_service = [came for came in everything.texts if came.to != clinic.number and _is_for(clinic, came)]
    cuts = [cut for cut in (listed.cut_at, everything.cut_at) if cut is not None]
    return Listing(listed.texts + by_service, max(cuts, default=None))


def _is_for(clinic: Clinic, came: Came) -> bool:
    if came.service_sid != clinic.messaging_service_sid:
        return False
    to = fields.number_or_address(came.to)
    texted = receipts.clinic_texted({"To": to, "MessagingServiceSid": clinic.messaging_service_sid or ""})
    return texted is not None and texted.id == clinic.id


def _end(to: str | None, span: Span) -> Listing:
    """Return the end of a span, more of it where a look would not get past one and the same second."""
    limit = MOST
    listed = gateway().came(to, *span, limit)
    while listed.cut_at is not None and listed.cut_at >= span.until.replace(microsecond=0):
        limit *= 4
        listed = gateway().came(to, *span, limit)
    return listed


def _missing(listed: Sequence[Came]) -> list[Came]:
    received: set[str] = set()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for start in range(0, len(listed), 500):
            sids = [came.sid for came in listed[start : start + 500]]
            receipts_of = select(Receipt.event).where(Receipt.source == SOURCE, Receipt.event.in_(sids))
            received |= set(session.scalars(receipts_of))
    return [came for came in listed if came.sid not in received]


def _attached(came: Came) -> list[Attached]:
    try:
        return gateway().attached(came.sid) if came.attached else []
    except (OutcomeUnknown, Refused):
        return []  # the words must not wait for the pictures: messaging.media.attachments asks again


def _keep(clinic: Clinic, came: Came, attached: Sequence[Attached]) -> UUID | None:
    settings = runtime.settings()
    form = {
        "AccountSid": settings.twilio_account_sid,
        "Body": came.body,
        "From": came.sender,
        "MessageSid": came.sid,
        "NumMedia": str(min(came.attached, 10)),
        "To": came.to or clinic.number,
    }
    if came.service_sid:
        form["MessagingServiceSid"] = came.service_sid
    for number, attachment in enumerate(attached):
        form[f"MediaUrl{number}"] = f"/Messages/{came.sid}/Media/{attachment.sid}"
        form[f"MediaContentType{number}"] = attachment.type
    try:
        form = fields.sms(form, settings.twilio_account_sid) | {fields.SENT: came.created_at.isoformat()}
        with db.unit_of_work(clinic.id) as session:
            return receipts.keep(session, SOURCE, came.sid, form, priority=priority_of(form), clinic=clinic)
    except IntegrityError:
        return None  # the webhook came after all, or another ticker has found it
    except fields.BadFields as error:
        logging.logger().error("a listed text cannot be believed", kind=str(error))
        return None
