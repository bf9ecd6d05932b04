"""The lane that writes to EHRs: each by itself, so that one that hangs or refuses keeps no other waiting.

What an EHR is owed is claimed with its writer, marked as begun, sent with no transaction open, and what came of it is
written down in one. Whoever is killed in between leaves what was begun, and whatever may stand over there is looked for
before it is sent. Whoever pauses or changes a writer meanwhile moves its fence: what is under way is looked for, too.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from config import clock, db, logging
from interchange import engines
from interchange.models import Feed, FeedConnection
from interchange.polling import keys, pacing, poller
from interchange.polling.asking import Access, Asker, Trouble
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.event_webhooks.posting import Way
from messaging.models import Clinic
from records.writing import contents, engine_turns, subjects, trying, turns, writing_down
from records.writing.turns import Piece, Turn

POOL, BATCH = 8, 20
SLICE_SECONDS, LONGEST_SECONDS, LOOK_SECONDS = 5.0, 100.0, 0.25
# A lease outlives a turn, its last request, and the wait for its writing down.
LEASE = timedelta(seconds=150)
# What a token is asked for: nothing that is not ticked, as some EHRs give none where they do not know a scope.
SCOPES = {
    contents.RESPONSE: "QuestionnaireResponse.crs",
    contents.OBSERVATIONS: "Observation.crs",
    contents.DOCUMENT: "DocumentReference.crs",
    "handoff": "ServiceRequest.crus",
    "day": "Communication.crs",
    contents.TASK: "Task.crus",
}


@dataclass(frozen=True)
class Task:
    """One turn: made while a transaction is open, taken when none is. `fresh` are the rows that begin with it."""

    claimed: db.Claim
    clinic_id: UUID
    pieces: list[Piece]
    fresh: frozenset[UUID]
    send: Callable[[Sequence[Piece]], Turn]


def drain(way: Way | None = None) -> int:
    """Write to every EHR that is owed something; return how many things were tried or ended."""
    way, begun, handled = way or poller.the_way(), clock.monotonic(), 0
    running: dict[Future[Turn], Task] = {}
    with ThreadPoolExecutor(POOL, thread_name_prefix="ehr-write") as pool:
        while True:
            # As long as a slow EHR is waited for, the others are written to on.
            if clock.monotonic() - begun < (LONGEST_SECONDS if running else SLICE_SECONDS):
                tasks, ended = _begun(way, POOL - len(running))
                handled += ended
                for task in tasks:
                    running[pool.submit(task.send, task.pieces)] = task
            if not running:
                return handled
            done, _ = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
            for future in done:
                handled += _end(running.pop(future), future)


def _waits(now: datetime) -> ColumnElement[bool]:
    """A row whose time has come, of an EHR that is neither paused here nor as one that is asked."""
    connected = and_(FeedConnection.feed_id == EhrWriter.feed_id, FeedConnection.state == "on")
    mine = and_(EhrWrite.feed_id == EhrWriter.feed_id, EhrWrite.state == "waiting", EhrWrite.try_after <= now)
    owed = select(EhrWrite.id).where(mine).correlate(EhrWriter).exists()
    asked = select(FeedConnection.id).where(connected).correlate(EhrWriter).exists()
    return and_(EhrWriter.state == "on", owed, asked)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits for an EHR that may be written to now."""
    mine = EhrWrite.feed_id == EhrWriter.feed_id
    due = (_waits(now), EhrWriter.try_after <= now, db.free(EhrWriter, now))
    rows = select(func.min(EhrWrite.try_after)).join(EhrWriter, mine)
    return session.scalar(rows.where(*due, EhrWrite.state == "waiting", EhrWrite.try_after <= now))


def _begun(way: Way, most: int) -> tuple[list[Task], int]:
    """Claim the EHRs that are owed something; return their turns, and how many rows ended without one."""
    if most <= 0:
        return [], 0
    tasks, ended = [], 0
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, EhrWriter, _waits(clock.now()), limit=most, lease=LEASE)
        for claimed, writer in zip(claims, db.still_mine(session, EhrWriter, claims), strict=True):
            task, over = _task(session, writer, claimed, way)
            ended += over
            if task is None:
                writer.lease_until, writer.attempts = None, 0
            else:
                tasks.append(task)
    return tasks, ended


def _task(session: Session, writer: EhrWriter, claimed: db.Claim, way: Way) -> tuple[Task | None, int]:
    send = _sender(session, writer, way)
    if send is None:
        writing_down.trouble(writer, Trouble("key_missing"))
        return None, 0
    now = clock.now()
    mine = select(EhrWrite).where(EhrWrite.feed_id == writer.feed_id, EhrWrite.state == "waiting")
    due = mine.where(EhrWrite.try_after <= now).order_by(EhrWrite.try_after, EhrWrite.id).limit(BATCH)
    rows = session.scalars(due.with_for_update().execution_options(populate_existing=True)).all()
    pieces = [piece for row in rows if (piece := _piece(session, writer, row)) is not None]
    fresh = frozenset(row.id for row in rows if row.begun_at is None)
    for row in rows:
        if row.state == "waiting":
            row.begun_at, row.first_tried_at = row.begun_at or now, row.first_tried_at or now
    task = Task(claimed, writer.clinic_id, pieces, fresh, send) if pieces else None
    return task, len(rows) - len(pieces)


def _piece(session: Session, writer: EhrWriter, row: EhrWrite) -> Piece | None:
    """What a row holds; a row with nothing to send ends here, and one that breaks keeps none of the others waiting."""
    try:
        with session.begin_nested():
            subject = subjects.read(session, row, writer, connection_of(session, writer))
    except subjects.Ended as ended:
        writing_down.end(row, ended.state, ended.why)
        return None
    except Exception as error:  # noqa: BLE001 - whatever a bad row raises, the others must be written
        logging.logger().error("cannot be written to an EHR", clinic_id=row.clinic_id, exc_info=error)
        writing_down.end(row, "refused", "ourselves")
        return None
    look_first = trying.may_be_there(row.begun_at, row.created_at, clock.now())
    return Piece(row.id, subject.parts, subject.place, dict(row.parts), look_first, row.edition)


def connection_of(session: Session, writer: EhrWriter) -> FeedConnection:
    """Return how the EHR of a writer is reached."""
    return session.scalars(select(FeedConnection).where(FeedConnection.feed_id == writer.feed_id)).one()


def _sender(session: Session, writer: EhrWriter, way: Way) -> Callable[[Sequence[Piece]], Turn] | None:
    """What takes a turn with this EHR; None where no key signs yet."""
    row = connection_of(session, writer)
    db.load_keys(session, [row.key_id])
    if row.kind == engines.KIND:
        return partial(engine_turns.take, engine=engines.of(row), way=way)
    asker = _asker(session, writer, row, way)
    return partial(turns.take, asker=asker) if asker else None


def _asker(session: Session, writer: EhrWriter, row: FeedConnection, way: Way) -> Asker | None:
    feed, clinic = session.get_one(Feed, writer.feed_id), session.get_one(Clinic, writer.clinic_id)
    key = keys.signing(session, feed)
    if key is None:
        return None
    where = poller.configuration_url(row)
    access = Access(row.base_url, where, row.client_id, key.kid, key.algorithm, key.private or "", scopes_of(writer))
    return Asker(access, None, way, pacing.gap(row.per_minute, clock.now(), poller.zone_of(feed, clinic)))


def scopes_of(writer: EhrWriter) -> str:
    """Return what a token is asked for, to write this EHR what it is written."""
    named = [scope for name, scope in SCOPES.items() if name in (*writer.kinds, *writer.forms)]
    return " ".join(f"system/{scope}" for scope in ("Appointment.rs", *named))


def _end(task: Task, future: Future[Turn]) -> int:
    """Write down what came of a turn; one that broke for a reason of our own is tried later, and logged."""
    failed = future.exception()
    if failed is not None:
        logging.logger().error("an EHR could not be written to", clinic_id=task.clinic_id, exc_info=failed)
    turn = Turn(trouble=Trouble("ourselves")) if failed else future.result()
    with db.unit_of_work(db.EVERY) as session:
        for writer in db.still_mine(session, EhrWriter, [task.claimed]):
            writing_down.turn(session, writer, connection_of(session, writer), turn)
            if failed is None:
                writing_down.untouched(session, task.fresh - set(turn.results))
    return len(turn.results)
