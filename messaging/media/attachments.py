"""Pictures and files that came with texts: fetched from the carrier, kept sealed, and then forgotten by the carrier."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, logging, queue
from messaging.gateways.base import OutcomeUnknown, Refused, TooLarge
from messaging.gateways.twilio import gateway
from messaging.media import file_types, scanning
from messaging.models import Media, Message

LARGEST = file_types.LARGEST
TRIES = 8
BATCH = 8
LEASE = timedelta(seconds=90)
WAITING, HELD = Media.state == "waiting", Media.state == "held"
DUE = Media.state.in_(("waiting", "held"))
# Why a file is not kept that the operator's scanner found something in.
HARMFUL = "harmful"
_IDS = re.compile(r"/Messages/(?:SM|MM)[0-9a-f]{32}/Media/(ME[0-9a-f]{32})\Z")


def expect(session: Session, message: Message, attached: Sequence[Mapping[str, str]]) -> None:
    """Owe the bytes of what came with a text. Of each address only the carrier's own id of the file is believed."""
    now = clock.now()
    for place, file in enumerate(attached):
        match = _IDS.search(file.get("url", ""))
        session.add(
            Media(
                clinic_id=message.clinic_id,
                key_id=message.key_id,
                message_id=message.id,
                place=place,
                carrier_sid=match[1] if match else None,
                state="waiting",
                created_at=now,
                try_after=now,
            )
        )
    if attached:
        queue.ring(session, "media")


def drain() -> int:
    """Fetch what is owed, and let the carrier forget what we hold; return how many were looked at."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Media, DUE, limit=BATCH, lease=LEASE)
        mine = {row.id: row for row in db.still_mine(session, Media, claims)}
        texts = {row.id: session.get_one(Message, row.message_id).provider_sid or "" for row in mine.values()}

    def act(held: Sequence[db.Claim]) -> None:
        for claim in held:
            step = _fetch if mine[claim.id].state == "waiting" else _forget
            step(claim, texts[claim.id], mine[claim.id])

    for claim in claims:
        if claim.id in mine:
            db.apart("media", [claim], act, lambda bad, error: db.put_off(Media, bad, error, _give_up))
    return len(claims)


def _give_up(_session: Session, row: Media) -> None:
    """Say at the text that its file cannot be kept; the carrier is asked to forget one that is held for ever."""
    if row.state == "waiting":
        row.state, row.last_error = "failed", "unreadable"


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the picture waits that has waited longest."""
    return db.oldest(session, Media, DUE, now)


def _fetch(claim: db.Claim, text_sid: str, row: Media) -> None:
    try:
        sid = row.carrier_sid or _named(text_sid, row)
        content = gateway().attachment(text_sid, sid, LARGEST)
    except OutcomeUnknown as unknown:
        _later(claim, type(unknown).__name__, final="unreachable")
        return
    except (Refused, TooLarge, LookupError) as error:
        # A 404 may be a carrier that is not ready yet.
        final = "too large" if isinstance(error, TooLarge) else "gone"
        _later(claim, type(error).__name__, final=final, at_once=isinstance(error, TooLarge))
        return
    try:
        scanning.refuse_harm(content)
    except scanning.NotClean as found:
        final = "not scanned" if found.unknown else HARMFUL
        _later(claim, type(found).__name__, final=final, at_once=not found.unknown)
        return
    with db.unit_of_work(db.EVERY) as session:
        for mine in db.still_mine(session, Media, [claim]):
            db.load_keys(session, [mine.key_id])
            mine.content, mine.size, mine.carrier_sid = content, len(content), sid
            mine.type, mine.state = file_types.kind_of(content).type, "held"
            mine.lease_until, mine.attempts, mine.try_after, mine.last_error = None, 0, clock.now(), None
            audit.record(
                session,
                mine.clinic_id,
                audit.Actor.system("media"),
                "media.kept",
                f"media:{mine.id}",
                size=mine.size,
            )
            queue.ring(session, "media")


def _named(text_sid: str, row: Media) -> str:
    """Return the carrier's id of a file of which nobody has told us. Raises LookupError when the carrier has no more.

    All of a text's files are named at once: the carrier's list grows shorter with each one we let it forget.
    """
    listed = [file.sid for file in gateway().attached(text_sid)]
    with db.unit_of_work(db.EVERY) as session:
        of_text = select(Media).where(Media.message_id == row.message_id).order_by(Media.place).with_for_update()
        rows = session.scalars(of_text).all()
        named = {media.carrier_sid for media in rows}
        free = [sid for sid in listed if sid not in named]
        for media, sid in zip((media for media in rows if media.carrier_sid is None), free, strict=False):
            media.carrier_sid = sid
        mine = next(media for media in rows if media.id == row.id)
    if mine.carrier_sid is None:
        raise LookupError
    return mine.carrier_sid


def _later(claim: db.Claim, error: str, *, final: str, at_once: bool = False) -> None:
    """Try again, more rarely each time; after eight tries the text says that it could not be fetched."""
    with db.unit_of_work(db.EVERY) as session:
        for row in db.still_mine(session, Media, [claim]):
            db.retry_later(row, error)
            if at_once or row.attempts >= TRIES:
                row.state, row.last_error = "failed", final
                logging.logger().error("an attachment could not be fetched", media_id=row.id, kind=final)


def _forget(claim: db.Claim, text_sid: str, row: Media) -> None:
    """Delete at the carrier; tried until it is done, every hour in the end."""
    try:
        gateway().delete_attachment(text_sid, row.carrier_sid or "")
    except (OutcomeUnknown, Refused) as error:
        with db.unit_of_work(db.EVERY) as session:
            for mine in db.still_mine(session, Media, [claim]):
                db.retry_later(mine, type(error).__name__)
        return
    with db.unit_of_work(db.EVERY) as session:
        for mine in db.still_mine(session, Media, [claim]):
            mine.state, mine.lease_until, mine.last_error = "kept", None, None


def of_messages(session: Session, message_ids: Sequence[UUID]) -> dict[UUID, list[Media]]:
    """Return what came with each of these texts, in its order, without the bytes."""
    by_message: dict[UUID, list[Media]] = {}
    if message_ids:
        rows = select(Media).where(Media.message_id.in_(message_ids)).order_by(Media.message_id, Media.place)
        for row in session.scalars(rows):
            by_message.setdefault(row.message_id, []).append(row)
    return by_message
