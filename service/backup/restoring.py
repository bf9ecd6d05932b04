"""Putting a backup in place of the database, so that nobody is texted because the service has lost its memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, inspect, select, update

from config import audit, clock, db, runtime
from messaging.delivery.restored import holding
from messaging.models import Clinic
from service import migrations
from service.backup import envelope, key_ring, making, postgresql, shredded, sqlite
from service.embedded.valkey import ValkeyError, ValkeyServer
from web.models import SignInLink, StaffSession

STILL_BEATS = timedelta(seconds=30)


class Refused(Exception):
    """A restore that could do harm; nothing was changed, and the text says why."""


@dataclass(frozen=True)
class Restored:
    """What a restore did: the backup's head, for how many clinics texts wait, where the database before it lies, how
    many records are on the list of destroyed ones and how many of them were destroyed again."""

    head: envelope.Head
    clinics: int
    before: Path | None
    listed: int
    destroyed: int


def restore(
    file: Path, progress: making.Progress, *, replace: bool, operator: str, lists: Sequence[Path] = ()
) -> Restored:
    """Put a backup in place, and destroy again what was destroyed since, by every list there is: that of the database
    that gives way, those beside the backup and in the data directory, and `lists`.

    Raises Refused, BadBackup and shred_list.BadList before, ToolFailed while anything is changed.
    """
    with file.open("rb") as opened:
        head = envelope.head_of(opened)
    _refuse_what_cannot_be_read(head)
    _refuse_while_something_runs()
    if not replace and (full := _clinics()):
        raise Refused(f"the database here is in use: it holds {full} clinics. With --replace it gives way")
    key_ring.demand_masters(making.verify(file, progress))
    entries = shredded.gather(file, lists)
    with file.open("rb") as opened:
        _, content = envelope.read(opened, key_ring.ring().key)
        before = None
        if head.database == "sqlite":
            before = sqlite.load(content, clock.now())
        else:
            postgresql.load(content)
    migrations.upgrade()
    destroyed = shredded.apply(entries)
    return Restored(head, mark(head.made_at, operator), before, len(entries), destroyed)


def mark(backed_up_at: datetime, operator: str) -> int:
    """Say that the database stands as it was at that moment, and let nobody in by what was open then.

    Returns for how many clinics texts wait until the carrier's list has been read.
    """
    now = clock.now()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(StaffSession).where(StaffSession.ended_at.is_(None)).values(ended_at=now))
        session.execute(update(SignInLink).where(SignInLink.used_at.is_(None)).values(used_at=now, revoked_at=now))
        for clinic_id in session.scalars(select(Clinic.id)).all():
            as_of = backed_up_at.isoformat(timespec="seconds")
            audit.record(session, clinic_id, operator, "restore.done", f"clinic:{clinic_id}", as_of=as_of)
        return holding.begin(session, backed_up_at)


def _refuse_what_cannot_be_read(head: envelope.Head) -> None:
    if head.database != db.engine().dialect.name:
        raise Refused(f"it is a backup of {head.database}, and DATABASE_URL names {db.engine().dialect.name}")
    if head.revision not in migrations.known():
        raise Refused(f"its database is newer than this program ({head.revision}): install version {head.version}")


def _refuse_while_something_runs() -> None:
    """A process that still sends would send what the restored database does not know of."""
    settings = runtime.settings()
    if settings.embedded_queue:
        server = ValkeyServer(settings.data_dir)
        try:
            server.claim()
        except ValkeyError as taken:
            raise Refused(f"the service runs: {taken}. Stop it first") from None
        server.stop()
    with db.engine().connect() as connection:
        if not inspect(connection).has_table(db.Heartbeat.__tablename__):
            return
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        ticked = select(func.max(db.Heartbeat.at)).where(db.Heartbeat.component.like("ticker.%"))
        last = session.scalar(ticked)
    if last is not None and clock.now() - last < STILL_BEATS:
        raise Refused("a ticker has ticked within the last half minute: stop every process first, then wait for that")


def _clinics() -> int:
    with db.engine().connect() as connection:
        if not inspect(connection).has_table(Clinic.__tablename__):
            return 0
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Clinic)) or 0
