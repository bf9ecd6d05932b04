"""The lane: posts what waits to each endpoint, several at a time, and a slow one keeps nobody waiting but itself.

A delivery is claimed, posted with no transaction open, and what became of it is written down at once. Whoever is
killed in between leaves a lease that runs out: the same event is posted again under the same `webhook-id`. Of one
subject nothing is posted before what came earlier is delivered or given up.
"""

import json
import random
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from config import clock, db, keys, runtime
from messaging.event_webhooks import endpoints, fanning_out, posting, schedule, signing, telling
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.event_webhooks.posting import Answer, Way

POOL, ENOUGH_FREE, PER_ENDPOINT = 48, 16, 4
# A receiver that answers each time within so many milliseconds gets more at once, and what came of it is written down
# together: it is mostly commits that take our time.
QUICK_MILLISECONDS, PER_QUICK = 250, 12
SLICE_SECONDS, LONGEST_SECONDS, LOOK_SECONDS = 5.0, 30.0, 0.25
# A lease outlives a post and the wait for its writing down.
LEASE = timedelta(seconds=45)
DUE = WebhookDelivery.state == "waiting"
NOW, FAR = db.at(lambda: clock.now()), db.at(lambda: clock.now() + db.NO_LEASE)
OURS = bindparam("ours", type_=Uuid())


@dataclass(frozen=True)
class Post:
    """What is posted: made while a transaction is open, sent when none is."""

    claimed: db.Claim
    endpoint_id: UUID
    at: datetime
    url: str
    headers: dict[str, str]
    body: bytes


def drain(way: Way | None = None) -> int:
    """Bring what waits to where it is awaited; return how many deliveries were made or tried."""
    way = way or Way(loopback=runtime.settings().webhooks_to_loopback)
    with ThreadPoolExecutor(POOL, thread_name_prefix="webhook") as pool:
        return _Round(pool, way).run()


class _Round:
    """One drain: what is on its way, until the slice is over and all of that has come back."""

    def __init__(self, pool: ThreadPoolExecutor, way: Way) -> None:
        self._pool, self._way = pool, way
        self._running: dict[Future[Answer], Post] = {}
        self._quick: set[UUID] = set()

    def run(self) -> int:
        begun, looked, handled = clock.monotonic(), 0.0, 0
        while True:
            now = clock.monotonic()
            # As long as a slow receiver is waited for, the others are served on.
            if now - begun < (LONGEST_SECONDS if self._running else SLICE_SECONDS):
                if now - looked > 1:
                    looked, handled = now, handled + fanning_out.fan_out()
                self._begin()
            if not self._running:
                return handled
            done, _ = wait(self._running, LOOK_SECONDS, FIRST_COMPLETED)
            handled += len(done)
            back = [(self._running.pop(future), future.result()) for future in done]
            self._judge(back)
            _write_down(back)

    def _judge(self, back: Collection[tuple[Post, Answer]]) -> None:
        """Remember who answers quickly; whoever was slow a single time has to show it anew."""
        self._quick |= {post.endpoint_id for post, _ in back}
        self._quick -= {post.endpoint_id for post, answer in back if not _is_quick(answer)}

    def _begin(self) -> None:
        """Post as much as each endpoint may have on its way; one that fails is tried with one delivery at a time."""
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            ready = session.execute(_served_longest_ago()).all()
        on_their_way = Counter(post.endpoint_id for post in self._running.values())
        for endpoint_id, failures in ready:
            free = POOL - len(self._running)
            most = self._most(endpoint_id, failures, free)
            # A quick one is served anew when half have come back: one answer alone is not worth a transaction. Whoever
            # is slow gets the next at once.
            still_enough = most // 2 if most == PER_QUICK else most - 1
            if free and on_their_way[endpoint_id] <= still_enough:
                for post in _claimed(endpoint_id, min(most, free)):
                    future = self._pool.submit(posting.post, post.url, post.headers, post.body, self._way)
                    self._running[future] = post

    def _most(self, endpoint_id: UUID, failures: int, free: int) -> int:
        """How many this endpoint may have on its way, while so many of the pool's threads are free."""
        if failures or free <= ENOUGH_FREE:
            return 1
        return PER_QUICK if endpoint_id in self._quick else PER_ENDPOINT


def _is_quick(answer: Answer) -> bool:
    return answer.taken and answer.milliseconds < QUICK_MILLISECONDS


def _is_open(now: db.Instant) -> ColumnElement[bool]:
    return and_(WebhookEndpoint.state == "on", WebhookEndpoint.hold_until <= now)


def _its_turn(now: db.Instant, far: db.Instant | None = None) -> ColumnElement[bool]:
    """A delivery whose time has come, that nobody holds, and before which no other of its subject waits."""
    earlier = aliased(WebhookDelivery)
    before = select(earlier.id).where(
        earlier.endpoint_id == WebhookDelivery.endpoint_id,
        earlier.subject == WebhookDelivery.subject,
        earlier.state == "waiting",
        earlier.seq < WebhookDelivery.seq,
    )
    return and_(DUE, WebhookDelivery.try_after <= now, db.free(WebhookDelivery, now, far), ~before.exists())


def _first_due(now: db.Instant, far: db.Instant | None = None) -> Select[Any]:
    """When the first delivery of an endpoint fell due; of one that is not open only a test does."""
    mine = WebhookDelivery.endpoint_id == WebhookEndpoint.id
    may = or_(_is_open(now), WebhookDelivery.seq.is_(None))
    first = select(WebhookDelivery.try_after).where(mine, may, _its_turn(now, far))
    return first.order_by(WebhookDelivery.try_after).limit(1).correlate(WebhookEndpoint)


@cache  # asked several times a second: to build it takes longer than to run it
def _served_longest_ago() -> "Select[UUID, int]":
    due = WebhookEndpoint.removed_at.is_(None), _first_due(NOW, FAR).exists()
    return select(WebhookEndpoint.id, WebhookEndpoint.failures).where(*due).order_by(WebhookEndpoint.served_at)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits that nobody sees to; a backlog of a slow receiver is being seen to."""
    due = _first_due(now).scalar_subquery()
    rows = session.execute(
        select(WebhookEndpoint.served_at, due).where(WebhookEndpoint.removed_at.is_(None), due.is_not(None))
    )
    waiting = [max(served_at, first) for served_at, first in rows]
    unseen = fanning_out.oldest(session, now)
    return min([*waiting, *([unseen] if unseen else [])], default=None)


@cache
def _on_their_way() -> "Select[int]":
    held = select(func.count()).where(WebhookDelivery.endpoint_id == OURS, DUE)
    return held.where(~db.free(WebhookDelivery, NOW, FAR))


@cache
def _to_claim(*, is_open: bool) -> ColumnElement[bool]:
    """What may be posted to OURS: to an endpoint that is not open only a test."""
    ours = and_(WebhookDelivery.endpoint_id == OURS, _its_turn(NOW, FAR))
    return ours if is_open else and_(ours, WebhookDelivery.seq.is_(None))


def _claimed(endpoint_id: UUID, most: int) -> list[Post]:
    """Claim what this endpoint may have on its way, whoever else posts to it."""
    now = clock.now()
    with db.unit_of_work(db.EVERY) as session:
        endpoint = session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
        ours = {"ours": endpoint_id}
        room = most - (session.scalar(_on_their_way(), ours) or 0)
        which = _to_claim(is_open=endpoint.state == "on" and endpoint.hold_until <= now)
        claims = db.claim(session, WebhookDelivery, which, limit=room, lease=LEASE, given=ours) if room > 0 else []
        if not claims:
            return []
        endpoint.served_at = now
        return _posts(session, endpoint, claims)


def _posts(session: Session, endpoint: WebhookEndpoint, claims: list[db.Claim]) -> list[Post]:
    now = clock.now()
    try:
        url, secrets = endpoint.url or "", endpoints.secrets(endpoint, now)
    except keys.WrongKey:
        url, secrets = "", []  # refused as it is posted, and so it stands with its tries
    rows = db.still_mine(session, WebhookDelivery, claims)
    return [_post(claimed, row, url, secrets, now) for claimed, row in zip(claims, rows, strict=True)]


def _post(claimed: db.Claim, row: WebhookDelivery, url: str, secrets: list[str], now: datetime) -> Post:
    if row.first_tried_at is None:
        row.first_tried_at = now
    body = payload(row)
    headers = signing.headers(message_id(row), int(now.timestamp()), body, secrets)
    return Post(claimed, row.endpoint_id, now, url, {"Content-Type": "application/json", **headers}, body)


def message_id(delivery: WebhookDelivery) -> str:
    """Return what a receiver knows a delivery by, the same at each try."""
    return f"msg_{delivery.id.hex}"


def payload(delivery: WebhookDelivery) -> bytes:
    """Return what is posted: ids and types, as in the list of events; the `id` of a test is 0."""
    data = {"id": delivery.seq or 0, "subject": delivery.subject, "by": delivery.by}
    told = {"type": delivery.type, "timestamp": clock.iso(delivery.at), "data": data}
    return json.dumps(told, separators=(",", ":")).encode()


def _write_down(done: Collection[tuple[Post, Answer]]) -> None:
    """Write down what became of these, unless somebody else has taken one over meanwhile."""
    if not done:
        return
    answers = {post.claimed.id: (post, answer) for post, answer in done}
    with db.unit_of_work(db.EVERY) as session:
        # Endpoints first, as everybody locks them: nobody then waits for a row whose holder waits for theirs.
        concerned = select(WebhookEndpoint).where(WebhookEndpoint.id.in_({post.endpoint_id for post, _ in done}))
        locked = concerned.order_by(WebhookEndpoint.id).with_for_update().execution_options(populate_existing=True)
        by_id = {endpoint.id: endpoint for endpoint in session.scalars(locked)}
        for row in db.still_mine(session, WebhookDelivery, [post.claimed for post, _ in done]):
            _end(session, by_id[row.endpoint_id], row, *answers[row.id])


def _end(session: Session, endpoint: WebhookEndpoint, row: WebhookDelivery, post: Post, answer: Answer) -> None:
    now = clock.now()
    session.add(
        WebhookAttempt(
            clinic_id=row.clinic_id,
            delivery_id=row.id,
            at=post.at,
            milliseconds=answer.milliseconds,
            status=answer.status,
            error=answer.error,
        )
    )
    row.lease_until = None
    endpoint.served_at = now
    is_test = row.seq is None
    if answer.taken:
        row.state, row.ended_at = "delivered", now
        if not is_test and endpoint.failures:
            endpoints.forgive(endpoint)
        return
    _again_or_never(row, answer, is_test=is_test, now=now)
    if not is_test and endpoint.state == "on":
        _count_against(session, endpoint, answer, now)


def _again_or_never(row: WebhookDelivery, answer: Answer, *, is_test: bool, now: datetime) -> None:
    first = row.first_tried_at or now
    after = None if is_test else schedule.shipped().next_try(first, row.attempts, now, random.random())
    if (after is None and not answer.gone) or is_test:
        row.state, row.ended_at = "given_up", now
    else:
        row.try_after = after or now  # of one that is gone everything waits for a person


def _count_against(session: Session, endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> None:
    rules = schedule.shipped()
    endpoint.failures += 1
    since = endpoint.failing_since = endpoint.failing_since or now
    hold = rules.hold(answer.status, answer.retry_after, now)
    if hold is not None:
        endpoint.hold_until = hold
    if answer.gone or rules.is_off(since, endpoint.failures, now):
        endpoints.switch_off(session, endpoint, "gone" if answer.gone else "failing")
        telling.switched_off(session, endpoint)
    elif rules.notices_due(since, now) > endpoint.notices:
        endpoint.notices = rules.notices_due(since, now)
        telling.failing(session, endpoint)
