"""What must hold in every hour of a year, judged from what the phones have taken and what stands in the database.

No text at night, none after STOP, none twice, none without its row; each alert on a colleague's phone, or seen by one,
within a minute; each positive answer and each word of a crisis with its item; each text that came in received and
worked on once; nothing half done; a ledger with nothing missing and an audit chain that verifies.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import alert_audit
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Attempt, Message
from tools.faults.evidence import under_way
from tools.faults.oracles import Finding
from tools.year import life
from tools.year.phones import Sent, Typed
from tools.year.town import Town
from webhooks.models import Receipt

# Wider than what is shipped: what the strictest law we know of forbids (see docs/cadences.md).
DAY_BEGINS, DAY_ENDS = 8, 20
ALERT_WITHIN = timedelta(seconds=60)
# What was typed is on its way for so long at most, also where its webhook was lost and the carrier's list is read.
READ_WITHIN = timedelta(hours=1)
# What may follow a revocation: the word that says so, and an answer to words of a crisis.
AFTER_STOP = ("stopped", "crisis")
STOPS, CRISES = frozenset(life.STOPS), frozenset(life.CRISES)


@dataclass(frozen=True)
class Known:
    """What our rows say of a text that was taken."""

    message_id: UUID
    kind: str
    patient_id: UUID | None
    dedupe: str


@dataclass
class Judge:
    """Looks at what is new since it last looked."""

    town: Town
    typed: list[Typed] = field(default_factory=list)
    stopped: dict[tuple[str, str], datetime] = field(default_factory=dict)
    alerts: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    _times: Counter[UUID] = field(default_factory=Counter)
    _said: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _sent: int = 0
    _read: int = 0
    _scored: int = 0
    _items_until: datetime = field(default_factory=clock.now)

    def heard(self, typed: Typed) -> None:
        """Remember what a phone has said; a revocation counts from when it reaches us."""
        self.typed.append(typed)
        between = (typed.to, typed.sender)
        if typed.body in STOPS and not typed.lost:
            self.stopped.setdefault(between, typed.at)
        elif typed.body == "START" or typed.lost:
            self.stopped.pop(between, None)

    def hourly(self) -> list[Finding]:
        """Return what does not hold of the texts that left and the alerts that were raised since the last time."""
        new = self.town.phones.sent[self._sent :]
        self._sent += len(new)
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            known = _known(session, new)
            found = list(chain.from_iterable(self._of_sent(sent, known.get(sent.token)) for sent in new))
            return found + list(self._of_alerts(session))

    def daily(self) -> list[Finding]:
        """Return what does not hold of what came in, and whatever is half done."""
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            found = [*self._of_typed(session), *self._of_screens(session)]
            return found + [Finding("O4", "lost", what) for what in under_way(session)]

    def end(self) -> list[Finding]:
        """Return what does not hold of the whole: the ledger, and the audit chain of every clinic."""
        audit.seal()
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            rows = alert_audit.rows(session)
            found = [Finding("ledger", "lost", f"{row.screen_id} has no item") for row in rows if row.item_id is None]
            for head in session.scalars(select(audit.AuditHead)).all():
                found += [Finding("O6", "wrong", fault) for fault in audit.verify(session, head.clinic_id)]
        return found

    def _of_sent(self, sent: Sent, known: Known | None) -> Iterator[Finding]:
        if known is None:
            yield Finding("O5", "wrong", f"a text of {sent.at} of which no row knows")
            return
        self.kinds[known.kind] += 1
        self._times[known.message_id] += 1
        if self._times[known.message_id] > 1:
            yield Finding("O5", "doubled", f"{self._times[known.message_id]} texts of one {known.kind}")
        if known.kind == "staff_alert":
            return
        stopped = self.stopped.get((sent.sender, sent.to))
        if stopped is not None and sent.at > stopped and known.kind not in AFTER_STOP:
            yield Finding("O8", "wrong", f"a text of kind {known.kind} at {sent.at}, after a revocation at {stopped}")
        if known.kind == "reminder":
            yield from self._of_reminder(sent, known)

    def _of_reminder(self, sent: Sent, known: Known) -> Iterator[Finding]:
        zone = self._zone(known.patient_id)
        hour = sent.at.astimezone(zone).hour
        if not DAY_BEGINS <= hour < DAY_ENDS:
            yield Finding("night", "wrong", f"a reminder at {sent.at.astimezone(zone)} ({zone})")
        before = self._said.get((sent.to, sent.body))
        if before is not None and sent.at - before < timedelta(hours=12):
            yield Finding("O5", "doubled", f"the same reminder at {before} and {sent.at}")
        self._said[sent.to, sent.body] = sent.at

    def _zone(self, patient_id: UUID | None) -> ZoneInfo:
        zones = self.town.zones
        return ZoneInfo(zones[patient_id]) if patient_id in zones else life.CLINIC_ZONE

    def _of_alerts(self, session: Session) -> Iterator[Finding]:
        since, self._items_until = self._items_until, clock.now()
        raised = select(InboxItem.id, InboxItem.created_at, InboxItem.acknowledged_at).where(
            InboxItem.kind == "safety", InboxItem.created_at >= since, InboxItem.created_at < self._items_until
        )
        for item_id, created_at, seen_at in session.execute(raised).all():
            if seen_at is not None and seen_at - created_at <= ALERT_WITHIN:
                continue  # a colleague who looked just then was sooner than any text
            text = select(func.min(Message.sent_at)).where(
                Message.kind == "staff_alert", Message.dedupe.startswith(f"alert:{item_id}:")
            )
            left = session.scalar(text)
            if left is None or left - created_at > ALERT_WITHIN:
                yield Finding("alert", "lost" if left is None else "late", f"item of {created_at}, text at {left}")
            else:
                self.alerts.append((left - created_at).total_seconds())

    def _of_typed(self, session: Session) -> Iterator[Finding]:
        ripe = [typed for typed in self.typed[self._read :] if typed.at < clock.now() - READ_WITHIN]
        self._read += len(ripe)
        sids = [typed.sid for typed in ripe]
        received = Counter(session.execute(select(Receipt.event, Receipt.state).where(Receipt.event.in_(sids))).all())
        for typed in ripe:
            rows = {state: count for (event, state), count in received.items() if event == typed.sid}
            if rows != {"processed": 1}:
                yield Finding("O1", "lost", f"{typed.body!r} at {typed.at}: receipts {rows}")
            elif typed.body in CRISES and not self._told_of(session, typed):
                yield Finding("O2", "lost", f"words of a crisis at {typed.at} have no item")

    def _told_of(self, session: Session, typed: Typed) -> bool:
        text = session.scalars(select(Message).where(Message.provider_sid == typed.sid)).one()
        whose = InboxItem.conversation_id == text.conversation_id
        if text.patient_id is not None:
            whose = or_(whose, InboxItem.patient_id == text.patient_id)
        lasts = or_(InboxItem.done_at.is_(None), InboxItem.done_at > typed.at)
        return session.scalar(select(InboxItem.id).where(InboxItem.kind == "safety", whose, lasts).limit(1)) is not None

    def _of_screens(self, session: Session) -> Iterator[Finding]:
        events = self.town.submitted[self._scored :]
        self._scored += len(events)
        screens = select(Screen.event, Screen.id, Screen.clinic_id).where(Screen.event.in_(events))
        by_event: dict[str, list[tuple[UUID, UUID]]] = {}
        for event, screen_id, clinic_id in session.execute(screens):
            by_event.setdefault(event, []).append((screen_id, clinic_id))
        for event in events:
            scored = by_event.get(event, [])
            if len(scored) != 1:
                yield Finding("O2", "doubled" if scored else "lost", f"{event}: {len(scored)} scores")
            elif event in self.town.alarming and not _has_alarm(session, *scored[0]):
                yield Finding("O2", "lost", f"{event}: a positive answer without its item")


def _has_alarm(session: Session, screen_id: UUID, clinic_id: UUID) -> bool:
    about = and_(InboxItem.clinic_id == clinic_id, InboxItem.about == f"screen:{screen_id}")
    count = session.scalar(select(func.count()).select_from(InboxItem).where(about, InboxItem.kind == "safety"))
    return count == 1


def _known(session: Session, new: Sequence[Sent]) -> dict[str, Known]:
    hashes = {keys.token_hash(sent.token): sent.token for sent in new}
    rows = select(Attempt.token_hash, Message.id, Message.kind, Message.patient_id, Message.dedupe).join(
        Message, Message.id == Attempt.message_id
    )
    found = session.execute(rows.where(Attempt.token_hash.in_(list(hashes)))).all()
    return {hashes[row.token_hash]: Known(row.id, row.kind, row.patient_id, row.dedupe) for row in found}
