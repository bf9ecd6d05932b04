"""What waits for a human, why it came to them, and until when."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Computed, ForeignKey, Index, String, UniqueConstraint, and_, literal_column, or_
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedRow, Work

# Urgency in the order a care manager must see it: a smaller number comes first.
# What colleagues ask of each other stands among the replies, by its own time.
URGENCY = {"safety": 0, "screen": 1, "handoff": 2, "reply": 3, "delivery": 4, "task": 3, "mention": 3, "note": 3}
# What nobody has answered comes before what is in somebody's hand, and that before what sleeps: in every order.
RANK = "CASE WHEN snoozed_until IS NOT NULL THEN 2 WHEN acknowledged_at IS NOT NULL THEN 1 ELSE 0 END"
THREAD = "coalesce(patient_id, conversation_id, id)"


class InboxItem(SealedRow, live.Shown, Base):
    """Something that waits for a human.

    state: open -> claimed -> done; open | claimed -> snoozed -> open. Only a named human moves it to done
    (`done_by`); a safety item needs `acknowledged_by` and a disposition first. `level` is the step of the policy it
    has climbed to, `exhausted_at` when everyone on it had been told and nobody had acknowledged. `dedupe` makes one
    reason one item; `reason` says in words, without PHI, why it came to its owner.
    `about` is "<table>:<id>" of what it is about, such as "screen:0190..." or "message:...". `snoozed_for` is
    "appointment:<id>" where it sleeps until a visit, and moves with it. `screened` is the JSON of what routing may ask
    of a screen: its instrument, and every band its total has reached, lowest first. `findings` is the JSON of what a
    summary says that more may be added to, one stored reason after the other (messaging.reasons).
    `topic` is what its texts are about (messaging.reading.topics), the most urgent; `role` whose inbox it stands in
    (messaging.inbox.routing.topics.ROLES) where it was given to a role: any of them on duty may take it.
    `escalated_at` is when others than its owner were first asked: whom, stands in `Told`. `held_by` says until
    `held_until` that they are on it (`held_how`: calling | going), and holds the escalation that long; it acknowledges
    nothing. The database keeps `rank` (0 owed, 1 in hand, 2 asleep) and `thread_id` (whose story it belongs to).
    """

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("clinic_id", "dedupe"),
        Index("ix_inbox_item_about", "clinic_id", "about"),
        Index("ix_inbox_item_kind", "clinic_id", "kind", "created_at"),
    )

    kind: Mapped[str] = mapped_column(String(10))
    urgency: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="open")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    about: Mapped[str] = mapped_column(String(60))
    dedupe: Mapped[str] = mapped_column(String(120))
    summary_ct: Mapped[bytes]
    screened_ct: Mapped[bytes | None]
    findings_ct: Mapped[bytes | None]
    reason: Mapped[list[str]] = mapped_column(default=list)
    topic: Mapped[str | None] = mapped_column(String(24))
    role: Mapped[str | None] = mapped_column(String(20))
    routed_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(default=0)
    exhausted_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    held_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    held_how: Mapped[str | None] = mapped_column(String(8))
    answer_by: Mapped[datetime]
    snoozed_until: Mapped[datetime | None]
    snoozed_for: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    disposition: Mapped[str | None] = mapped_column(String(30))
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    rank: Mapped[int] = mapped_column(Computed(RANK, persisted=True))
    thread_id: Mapped[UUID] = mapped_column(Computed(THREAD, persisted=True))

    summary = Sealed("summary_ct")
    screened = Sealed("screened_ct")
    findings = Sealed("findings_ct")

    @property
    def thread(self) -> str:
        """Whose story the item belongs to: "patient:<id>", where nobody is known "conversation:<id>", else its own."""
        for name, row_id in (("patient", self.patient_id), ("conversation", self.conversation_id)):
            if row_id is not None:
                return f"{name}:{row_id}"
        return f"inbox_item:{self.id}"

    def topics(self) -> Iterable[str]:
        """The clinic's lists, and the item's own page."""
        return ["list", f"inbox_item:{self.id}"]


# Which rows a view holds, said with no value to be filled in: only then do both databases see that an index fits.
# Each takes the item, or a second sight of it under another name.
Item = type[InboxItem]
Holds = Callable[[Item], ColumnElement[bool]]


def _in_state(item: Item, *states: str) -> ColumnElement[bool]:
    named: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in states]
    return item.state.in_(named) if len(named) > 1 else item.state == named[0]


def unfinished(item: Item) -> ColumnElement[bool]:
    """Whether the item is neither done nor asleep."""
    return _in_state(item, "open", "claimed")


def not_done(item: Item) -> ColumnElement[bool]:
    """Whether the item is still somebody's, asleep or not."""
    return item.state != literal_column("'done'")


def owed(item: Item) -> ColumnElement[bool]:
    """Whether the item is unfinished and nobody has acknowledged it."""
    return and_(unfinished(item), item.acknowledged_at.is_(None))


def _waits_for_the_patient(item: Item) -> ColumnElement[bool]:
    replied = item.disposition == literal_column("'replied'")
    return and_(unfinished(item), item.acknowledged_at.is_not(None), replied)


def _in_hand(item: Item) -> ColumnElement[bool]:
    other = or_(item.disposition.is_(None), item.disposition != literal_column("'replied'"))
    return and_(unfinished(item), or_(item.acknowledged_at.is_(None), other))


IN_VIEW: dict[str, Holds] = {
    "mine": _in_hand,
    "unassigned": lambda item: and_(unfinished(item), item.owner_id.is_(None)),
    "waiting": _waits_for_the_patient,
    "snoozed": lambda item: _in_state(item, "snoozed"),
    "done": lambda item: _in_state(item, "done"),
    "everyone": not_done,
}
OF_OWNER = ("mine", "waiting", "snoozed")
BY_DEADLINE = (InboxItem.rank, InboxItem.urgency, InboxItem.answer_by, InboxItem.id)
BY_CLOSING = (InboxItem.done_at, InboxItem.id)
# No views of the list: what has come to the end of its escalation (the board's), what others than its owner were asked
# about, and the safety items that nobody has acknowledged.
EXHAUSTED = and_(owed(InboxItem), InboxItem.exhausted_at.is_not(None))
ESCALATED = and_(owed(InboxItem), InboxItem.escalated_at.is_not(None))
UNSEEN_SAFETY = and_(owed(InboxItem), InboxItem.urgency == literal_column("0"))
# The front desk's own inbox.
OF_THE_DESK = and_(unfinished(InboxItem), InboxItem.role == literal_column("'front_desk'"))


def _index(name: str, held: ColumnElement[bool], *columns: Any) -> None:
    Index(f"ix_inbox_item_{name}", InboxItem.clinic_id, *columns, postgresql_where=held, sqlite_where=held)


# For each an index in its order that holds nothing else: a page and a count read only what they show.
for _view, _holds in IN_VIEW.items():
    _of_owner = (InboxItem.owner_id,) if _view in OF_OWNER else ()
    _index(_view, _holds(InboxItem), *_of_owner, *(BY_CLOSING if _view == "done" else BY_DEADLINE))
_index("exhausted", EXHAUSTED, *BY_DEADLINE)
_index("desk", OF_THE_DESK, *BY_DEADLINE)
_index("escalated", ESCALATED, *BY_DEADLINE)
_index("unseen_safety", UNSEEN_SAFETY, InboxItem.answer_by, InboxItem.id)
# What leads a patient's row is looked up for each row that is shown. Without the clinic, which a patient implies, so
# that no database takes another index for as good.
Index(
    "ix_inbox_item_thread",
    InboxItem.thread_id,
    *BY_DEADLINE,
    postgresql_where=not_done(InboxItem),
    sqlite_where=not_done(InboxItem),
)


class Told(ClinicRow, live.Shown, Base):
    """That the escalation of an item asked a colleague, for the first time at `at`, by text or in their list alone."""

    __tablename__ = "told"
    __table_args__ = (UniqueConstraint("item_id", "staff_id"),)

    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]

    def topics(self) -> Iterable[str]:
        """The clinic's lists."""
        return ["list"]


class Timer(ClinicRow, Work, Base):
    """Something that must happen at `try_after` unless an item is settled before: waiting -> fired | cancelled.

    kind: route (choose the owner now) | escalate (take the next step) | wake (end a snooze) | due_soon (tell
    the owner).
    Created in the transaction that creates the need.
    """

    __tablename__ = "timer"
    __table_args__ = (Index("ix_timer_work", "state", "kind", "try_after"),)

    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="waiting")


class ItemEvent(ClinicRow, live.Shown, Base):
    """One line of an item's history: who did what to it and when. `detail` holds ids, states and rule names."""

    __tablename__ = "item_event"

    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    event: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)

    def topics(self) -> Iterable[str]:
        """The clinic's lists, and the item's own page."""
        return ["list", f"inbox_item:{self.item_id}"]


class Contact(SealedRow, live.Shown, Base):
    """What a colleague wrote down about a patient or a number: a note, or a call that was made. Never sent to anybody.

    kind: note | call. `outcome` of a call is a key of [calls] in messaging/texts/staff.toml; `minutes` how long it was,
    `next_try_at` when its author means to try again.
    A line is never changed; its author may strike it, and it stays readable as struck. `answers_id` is the note that
    this one answers, `corrects_id` the struck one in whose place it stands; who pinned a fact is `pinned_by`.
    """

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_patient_at", "patient_id", "at"),
        Index("ix_contact_conversation_at", "conversation_id", "at"),
        Index("ix_contact_clinic_at", "clinic_id", "at"),
    )

    kind: Mapped[str] = mapped_column(String(8))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id"))
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str | None] = mapped_column(String(20))
    minutes: Mapped[int | None]
    next_try_at: Mapped[datetime | None]
    words_ct: Mapped[bytes | None]
    at: Mapped[datetime]
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    answers_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"), index=True)
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"), index=True)
    pinned_at: Mapped[datetime | None]
    pinned_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))

    words = Sealed("words_ct")

    def topics(self) -> Iterable[str]:
        """Every page on which the line stands."""
        where = (
            ("patient", self.patient_id),
            ("conversation", self.conversation_id),
            ("inbox_item", self.item_id),
        )
        return [f"{name}:{row_id}" for name, row_id in where if row_id is not None]


class Absence(ClinicRow, Work, Base):
    """A colleague who is away from `starts_at` to `ends_at`, and who covers (messaging.inbox.staff.absences).

    Planned -> begun (`begun_at`: their items have moved) -> ended (`ended_at`; also where it was taken back). The
    next of these is due at `try_after`.
    """

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_work", "ended_at", "try_after"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    cover_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
