"""What a clock that stood ahead has put off: once it is set right, texts and alerts wait no longer than they should.

A row's id says by which clock it was written; an alert that was written before and only put off meanwhile is known by
a pause that is longer than any. Only what was to happen at once, or after so and so long, is brought
back; what a person or a plan has dated (a reply for tomorrow at nine, a snooze) stays where it was put.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Message

# No alert is put off for longer by a carrier or by its own settings; who finds one that is, sees a wrong date.
LONGEST_PAUSE = timedelta(minutes=10)
ALERTS = ("staff_alert", "crisis")
COUNTED = ("route", "escalate")


def drain() -> int:
    """Bring back every text and timer that is dated by a clock ahead of this one; return how many."""
    with db.unit_of_work(db.EVERY) as session:
        now = clock.now()
        ahead = db.moments(now, LONGEST_PAUSE)
        late = select(Message.id).where(_texts()).params(ahead)
        at_once = update(Message).where(Message.id.in_(late)).values(try_after=now)
        texts = session.execute(at_once.returning(Message.id)).all()
        timers = session.scalars(select(Timer).where(_timers()).with_for_update(skip_locked=True), ahead).all()
        for timer in timers:
            _bring_back(session, timer, now)
        return len(texts) + len(timers)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return `now` where anything is to be brought back, None where nothing is."""
    ahead = db.moments(now, LONGEST_PAUSE)
    return now if any(session.scalar(rows, ahead) for rows in _any_ahead()) else None


@cache
def _any_ahead() -> tuple[Select[Any], ...]:
    return select(Message.id).where(_texts()).limit(1), select(Timer.id).where(_timers()).limit(1)


def _texts() -> ColumnElement[bool]:
    at_once = db.written_ahead(Message) & (Message.state == "queued") & (Message.try_after <= Message.created_at)
    alert = Message.kind.in_(ALERTS) & (Message.lane == "urgent") & Message.state.in_(("queued", "unknown"))
    in_hand = Message.state.in_(("sending", "unknown"))  # no plan dates these: the carrier is asked within minutes
    return at_once | ((alert | in_hand) & db.put_off_for_longer(Message))


def _timers() -> ColumnElement[bool]:
    return db.written_ahead(Timer) & (Timer.state == "waiting") & Timer.kind.in_(COUNTED)


def _bring_back(session: Session, timer: Timer, now: datetime) -> None:
    """Let it fire as long after now as it was to fire after it was written; its item is due then as well."""
    dated = timer.try_after
    timer.try_after = db.waits_from(now, timer)
    item = session.get_one(InboxItem, timer.item_id)
    if item.answer_by == dated:
        item.answer_by = timer.try_after
