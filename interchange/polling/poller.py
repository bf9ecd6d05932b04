"""The lane that asks EHRs: each by itself, so that one that hangs or refuses keeps no other waiting.

A connection is claimed, asked with no transaction open, and what came of it is written down in one: what is told, how
far it has been read, why it refused. Whoever is killed in between leaves a lease that runs out, and the same slice is
asked again. Whoever pauses, changes or hurries a connection meanwhile moves its fence: what is under way is not written
down, and read again.
"""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db, ehr_settings, logging, runtime
from interchange import feeds
from interchange.models import Feed, FeedConnection, FeedKey, FeedNotice
from interchange.polling import keys, pacing, store, turns
from interchange.polling.asking import ENCOUNTERS, Access, Asker, Token, Trouble
from interchange.polling.turns import Plan, Turn
from messaging.event_webhooks.posting import Way
from messaging.models import Clinic

LANE = "ehr_poll"
POOL, MOST_NOTICES = 8, 20
SLICE_SECONDS, LONGEST_SECONDS, LOOK_SECONDS = 5.0, 60.0, 0.25
# Between two turns of one EHR a drain waits this long itself, and no longer.
LONGEST_PAUSE = 1.0
# A lease outlives a turn of forty requests at the usual pace, and the wait for its writing down.
LEASE = timedelta(seconds=120)
DUE: ColumnElement[bool] = and_(FeedConnection.state == "on", FeedConnection.kind.in_(("fhir", "athena")))


@dataclass(frozen=True)
class Task:
    """One turn: made while a transaction is open, taken when none is."""

    claimed: db.Claim
    plan: Plan
    asker: Asker


def the_way() -> Way:
    """Return how EHRs may be reached: over the internet, and in the networks that the operator names."""
    own = ehr_settings.networks(runtime.settings().ehr_networks)
    return Way(loopback=any(net.is_loopback for net in own), own=own)


def drain(way: Way | None = None) -> int:
    """Ask every EHR whose time has come; return how many turns were taken."""
    way, begun, handled = way or the_way(), clock.monotonic(), 0
    running: dict[Future[Turn], Task] = {}
    with ThreadPoolExecutor(POOL, thread_name_prefix="ehr") as pool:
        while True:
            # As long as a slow EHR is waited for, the others are asked on.
            left = (LONGEST_SECONDS if running else SLICE_SECONDS) - (clock.monotonic() - begun)
            if left > 0:
                for task in _begun(way, POOL - len(running)):
                    running[pool.submit(turns.take, task.plan, task.asker)] = task
            if not running:
                pause = _next_turn_in()
                if pause is None or pause > min(left, LONGEST_PAUSE):
                    return handled
                time.sleep(pause)
                continue
            done, _ = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
            handled += len(done)
            for future in done:
                _end(running.pop(future), future)


def _next_turn_in() -> float | None:
    """In how many seconds the next turn of anybody is, None where nobody has one."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        free = db.free(FeedConnection, clock.now())
        at = session.scalar(select(func.min(FeedConnection.try_after)).where(DUE, free))
    return None if at is None else max((at - clock.now()).total_seconds(), 0.01)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when an EHR should have been asked."""
    return db.oldest(session, FeedConnection, DUE, now)


def _begun(way: Way, most: int) -> list[Task]:
    """Claim what is due. What a queue is asked for is written down before it is asked."""
    if most <= 0:
        return []
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, FeedConnection, DUE, limit=most, lease=LEASE)
        rows = db.still_mine(session, FeedConnection, claims)
        by_id = {row.id: row for row in rows}
        tasks = [(claimed, _task(session, by_id[claimed.id], claimed, way)) for claimed in claims]
        return [task for _, task in tasks if task is not None]


def _task(session: Session, row: FeedConnection, claimed: db.Claim, way: Way) -> Task | None:
    feed, clinic = session.get_one(Feed, row.feed_id), session.get_one(Clinic, row.clinic_id)
    db.load_keys(session, [row.key_id])
    key, now, zone = keys.signing(session, feed), clock.now(), zone_of(feed, clinic)
    if key is None:
        _refused(row, Trouble("key_missing"), now)
        return None
    row.cursor = _next(row, now, zone)
    plan = Plan(clinic.id, feed.id, row.base_url, row.practice, zone.key, row.cursor, _open(session, row))
    access = access_of(row, key)
    return Task(claimed, plan, Asker(access, _token(row), way, pacing.gap(row.per_minute, now, zone)))


def zone_of(feed: Feed, clinic: Clinic) -> ZoneInfo:
    """Return the zone by whose midnights days are asked for."""
    return ZoneInfo(feeds.profile_of(feed.profile, clinic.zone).zone)


def access_of(row: FeedConnection, key: FeedKey) -> Access:
    """Return where an EHR is, and as whom it is asked to be read."""
    also, where = ENCOUNTERS if row.kind == "fhir" else "", configuration_url(row)
    return Access(row.base_url, where, row.client_id, key.kid, key.algorithm, key.private or "", also=also)


def configuration_url(row: FeedConnection) -> str:
    """Return where an EHR says where tokens are."""
    return f"{row.base_url}{'/fhir/r4' if row.kind == 'athena' else ''}/.well-known/smart-configuration"


def _token(row: FeedConnection) -> Token | None:
    if not row.token or row.token_until is None:
        return None
    return Token(row.token, row.token_until, row.granted or "")


def _next(row: FeedConnection, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The cursor as this turn goes by it. What a queue was asked for without being written down is asked for again."""
    if row.kind == "fhir":
        return pacing.begun(row.cursor, now, zone, row.days_ahead)
    cursor = dict(row.cursor)
    if "asked_at" in cursor:
        return cursor | {"again": True}
    is_due = "due" not in cursor or datetime.fromisoformat(cursor["due"]) <= now
    return cursor | ({"asked_at": now.isoformat()} if is_due else {})


def _open(session: Session, row: FeedConnection) -> list[tuple[UUID, str]]:
    told = select(FeedNotice.id, FeedNotice.number).where(FeedNotice.feed_id == row.feed_id)
    rows = session.execute(told.where(FeedNotice.done_at.is_(None)).order_by(FeedNotice.id).limit(MOST_NOTICES))
    return [(notice, number) for notice, number in rows]


def _end(task: Task, future: Future[Turn]) -> None:
    """Write down what came of a turn; one that broke for a reason of our own is tried later, and logged."""
    failed = future.exception()
    if failed is not None:
        logging.logger().error("an EHR could not be asked", clinic_id=task.plan.clinic_id, exc_info=failed)
    turn = Turn(dict(task.plan.cursor), trouble=Trouble("ourselves")) if failed else future.result()
    with db.unit_of_work(db.EVERY) as session:
        for row in db.still_mine(session, FeedConnection, [task.claimed]):
            _write_down(session, row, task, turn)


def _write_down(session: Session, row: FeedConnection, task: Task, turn: Turn) -> None:
    feed, clinic, now = session.get_one(Feed, row.feed_id), session.get_one(Clinic, row.clinic_id), clock.now()
    db.load_keys(session, [row.key_id])
    told = [store.tell(session, clinic, feed, found, turn.began) for found in turn.found]
    for reference, beside in turn.patients:
        store.tell_patient(session, clinic, feed, reference, beside, turn.began)
    for encounter, person in turn.encounters:
        store.tell_encounter(session, clinic, feed, encounter, person, turn.began)
    done = update(FeedNotice).where(FeedNotice.id.in_(turn.noticed), FeedNotice.done_at.is_(None))
    session.execute(done.values(done_at=now))
    row.cursor, row.lease_until, row.attempts = turn.cursor, None, 0
    row.notes = _warned(row.notes, turn.warns, now)
    token = task.asker.token
    row.token, row.token_until = (token.value, token.until) if token else ("", None)
    row.granted = token.granted[:500] if token else row.granted
    if any(told):
        actor = audit.Actor.system(f"ehr.{feed.name}")
        audit.record(session, clinic.id, actor, "feeds.polled", f"feed:{feed.name}", visits=str(sum(told)))
    if turn.trouble is not None:
        _refused(row, turn.trouble, now)
    else:
        _heard(session, row, feed, zone_of(feed, clinic), now)


def _heard(session: Session, row: FeedConnection, feed: Feed, zone: ZoneInfo, now: datetime) -> None:
    row.heard_at, row.refused, row.refused_at, row.failures = now, None, None, 0
    gap = pacing.gap(row.per_minute, now, zone)
    if row.kind == "fhir":
        row.try_after = pacing.next_try(row.cursor, now, gap)
        is_whole = pacing.is_whole(row.cursor)
    else:
        is_whole = "asked_at" not in row.cursor and "due" in row.cursor
        at = datetime.fromisoformat(row.cursor["due"]) if is_whole else now
        row.try_after = max(now + gap, at)
    session.flush()
    if _open(session, row):
        row.try_after = now + gap
    if is_whole:
        row.complete_at = now
        store.forget(session, feed)


def _refused(row: FeedConnection, trouble: Trouble, now: datetime) -> None:
    row.failures += 1
    row.refused, row.refused_at = trouble.why[:30], row.refused_at or now
    # A search whose pages have ended begins anew at once, the first time.
    hasty = trouble.why == "restart" and row.failures == 1
    pause = timedelta(seconds=1) if hasty else pacing.pause(row.failures, trouble.retry_after, stuck=trouble.stuck)
    row.try_after, row.lease_until, row.attempts = now + pause, None, 0


def _warned(notes: dict[str, Any], codes: frozenset[str], now: datetime) -> dict[str, Any]:
    """Since when the EHR warns of what; what it has not warned of for a day is over."""
    fresh = {code: each for code, each in notes.items() if datetime.fromisoformat(each[1]) > now - timedelta(days=1)}
    return fresh | {code: [fresh.get(code, [now.isoformat()])[0], now.isoformat()] for code in sorted(codes)}
