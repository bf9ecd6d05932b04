"""Visits, what is planned around them, and warm handoffs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, Work

CHANGE_ASKED = text("state = 'change_asked'")


class Appointment(ClinicRow, Base):
    """A visit. Every change of what matters to its texts raises `revision` and re-plans in the same transaction.

    state: booked -> confirmed; booked | confirmed -> change_asked -> booked; any -> cancelled | arrived | no_show.
    `external_id` is the clinic's own id of the visit, unique per source. `kind` is the clinic's own name for a kind of
    visit, by which its cadence may tell them apart; no text to a patient says it. `quiet_at` is since when the patient
    wants no texts about this visit, `quiet_by` who said so (an actor): see reminders.withdrawing.quiet.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        UniqueConstraint("clinic_id", "source", "external_id"),
        Index("ix_appointment_patient", "patient_id", "starts_at"),
        Index("ix_appointment_place", "clinic_id", "place"),
        Index("ix_appointment_clinic_day", "clinic_id", "starts_at"),
        # Who wants another time: few among many, and on the desk's first page.
        Index(
            "ix_appointment_change_asked",
            "clinic_id",
            "starts_at",
            sqlite_where=CHANGE_ASKED,
            postgresql_where=CHANGE_ASKED,
        ),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(80))
    starts_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(60))
    booked_at: Mapped[datetime]
    place: Mapped[str | None] = mapped_column(String(120))
    clinician: Mapped[str | None] = mapped_column(String(120))
    kind: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12), default="booked")
    revision: Mapped[int] = mapped_column(default=1)
    confirmed_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    quiet_at: Mapped[datetime | None]
    quiet_by: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Reminder(ClinicRow, Work, Base):
    """One step of the cadence for one visit, keyed by the visit's revision.

    state: planned -> queued (with its message) -> done; planned -> dropped (`why`) | superseded (by a new revision).
    `try_after` is when it is due. `why` lists reasons as messaging.reasons stores them, oldest first. `codes` are the
    visits' ids by the number that the reminder's own text gave each ("Y1"), null where it gave none.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("appointment_id", "step", "revision"),
        Index("ix_reminder_work", "state", "try_after"),
    )

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"))
    step: Mapped[str] = mapped_column(String(30))
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="planned")
    due_at: Mapped[datetime | None]
    why: Mapped[list[Any]] = mapped_column(default=list)
    codes: Mapped[dict[str, Any] | None]
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))


class FollowUp(ClinicRow, Work, Base):
    """What follows a link that was texted: one more text, then a task for a human, and never more.

    state: waiting -> texted (`message_id`) -> asked (a human has the task) | over; waiting -> asked | over. `why` is
    what ended it, a reason as messaging.reasons stores it.
    `first_message_id` is the text that brought the link; `try_after` when the row is next looked at.
    """

    __tablename__ = "follow_up"
    __table_args__ = (UniqueConstraint("link_id"), Index("ix_follow_up_work", "state", "try_after"))

    link_id: Mapped[UUID] = mapped_column(ForeignKey("intake_link.id"))
    first_message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    why: Mapped[dict[str, Any] | None]


class Replanning(ClinicRow, Work, Base):
    """The coming visits of a clinic being planned again, since its cadence has changed.

    state: waiting -> done | overtaken (a later version plans them all again anyway) | failed. `cursor` is the id of the
    last visit that is done, `done` how many are of the `total` that there were. `edition_id` is that of the cadence.
    """

    __tablename__ = "replanning"
    __table_args__ = (Index("ix_replanning_work", "state", "try_after"),)

    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("edition.id"))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    cursor: Mapped[UUID | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Handoff(ClinicRow, Work, live.Shown, Base):
    """A warm handoff: a patient in the building, and a care manager who goes to meet them.

    state: requested -> accepted -> told -> arrived | not_arrived; requested -> declined | timed out to the next on
    the rota (`offered_to` moves, `tried` grows), and to the clinic's fallback at its end; any -> cancelled by who
    asked. `try_after` is when the present offer runs out. The patient is told only after a human has accepted.
    `reason` is a key of reminders.handoff_texts.reasons, sealed under the patient's key `key_id`.
    """

    __tablename__ = "handoff"
    __table_args__ = (Index("ix_handoff_work", "state", "try_after"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    requested_by: Mapped[str] = mapped_column(String(60))
    place: Mapped[str | None] = mapped_column(String(120))
    key_id: Mapped[UUID | None]
    reason_ct: Mapped[bytes | None]
    urgent: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12), default="requested")
    offered_to: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    tried: Mapped[list[str]] = mapped_column(default=list)
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbox_item.id"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    requested_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(40))

    reason = Sealed("reason_ct")

    def topics(self) -> Iterable[str]:
        """The clinic's lists, which count the handoffs that wait."""
        return ["list"]
