"""Visits, what is planned around them, and warm handoffs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedRow, Work

CHANGE_ASKED = text("state = 'change_asked'")


class Appointment(ClinicRow, Base):
    """A visit. Every change of what matters to its texts raises `revision` and re-plans in the same transaction.

    state: booked -> confirmed; booked | confirmed -> change_asked -> booked; any -> cancelled | arrived | no_show.
    `external_id` is the clinic's own id of the visit, unique per source. `kind` is the clinic's own name for a kind of
    visit, by which its cadence may tell them apart; no text to a patient says it, and it is sealed under the clinic's
    key, `key_id`. `quiet_at` is since when the patient wants no texts about this visit, `quiet_by` who said so (an
    actor): see reminders.withdrawing.quiet.
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
    key_id: Mapped[UUID | None]
    kind_ct: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(String(12), default="booked")
    revision: Mapped[int] = mapped_column(default=1)
    confirmed_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    quiet_at: Mapped[datetime | None]
    quiet_by: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    kind = Sealed("kind_ct")


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
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"), index=True)


class FollowUp(ClinicRow, Work, Base):
    """What follows a link that was texted: one more text, then a task for a human, and never more.

    state: waiting -> texted (`message_id`) -> asked (a human has the task) | over; waiting -> asked | over. `why` is
    what ended it, a reason as messaging.reasons stores it.
    `first_message_id` is the text that brought the link; `try_after` when the row is next looked at.
    """

    __tablename__ = "follow_up"
    __table_args__ = (UniqueConstraint("link_id"), Index("ix_follow_up_work", "state", "try_after"))

    link_id: Mapped[UUID] = mapped_column(ForeignKey("intake_link.id"))
    first_message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"), index=True)
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
    """A warm handoff: somebody who should meet the care team now, and the colleague who meets them.

    `state` and `stage` (how often its time ran out) live by reminders.handoff.machine, since `state_at`; what `follows`
    at `try_after`, None where only a human moves it. `modality` is in_person | video | call | later (a referral that is
    not warm). `colleague_id` has accepted, and comes at `start_at`; whom it was offered to stands in `HandoffOffer`.
    `reason` holds keys of reminders.handoff.telling.reasons, joined by commas, `note` the requester's own words,
    `place` the room and `door` the address of the video visit, all sealed under the patient's key `key_id`; `door_hash`
    finds the link that leads to it. `site` is the place in the books of the visit they came for, `leaves_at` until when
    they are taken to be in the building. `visit_id` is the follow-up visit that was booked, `contact_by` until when
    somebody must have been in touch after it ended, `contact_at` when somebody was.
    """

    __tablename__ = "handoff"
    __table_args__ = (
        Index("ix_handoff_work", "follows", "try_after"),
        Index("ix_handoff_clinic_requested", "clinic_id", "requested_at"),
        Index("ix_handoff_door_hash", "door_hash", unique=True),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    requested_by: Mapped[str] = mapped_column(String(60))
    site: Mapped[str | None] = mapped_column(String(120))
    modality: Mapped[str] = mapped_column(String(10), default="in_person")
    key_id: Mapped[UUID | None]
    place_ct: Mapped[bytes | None]
    reason_ct: Mapped[bytes | None]
    note_ct: Mapped[bytes | None]
    door_ct: Mapped[bytes | None]
    door_hash: Mapped[bytes | None]
    urgent: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12), default="asked")
    stage: Mapped[int] = mapped_column(default=0)
    state_at: Mapped[datetime | None]
    follows: Mapped[str | None] = mapped_column(String(10))
    colleague_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    requested_at: Mapped[datetime]
    leaves_at: Mapped[datetime | None]
    start_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    nudged_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    contact_by: Mapped[datetime | None]
    contact_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(40))

    place = Sealed("place_ct")
    reason = Sealed("reason_ct")
    note = Sealed("note_ct")
    door = Sealed("door_ct")

    def topics(self) -> Iterable[str]:
        """The clinic's lists, which count the handoffs that wait."""
        return ["list"]


class HandoffOffer(ClinicRow, live.Shown, Base):
    """That a colleague was asked to take a handoff on, and what came of it.

    `answer` is accepted | declined | silent | gone (works here no more) | taken (somebody else was first) | withdrawn |
    released (had accepted), None while it is open; `why` they declined is a key of [handoff_declines] in the staff's
    texts.
    """

    __tablename__ = "handoff_offer"
    __table_args__ = (UniqueConstraint("handoff_id", "staff_id"),)

    handoff_id: Mapped[UUID] = mapped_column(ForeignKey("handoff.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    offered_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(10))
    why: Mapped[str | None] = mapped_column(String(20))
    answered_at: Mapped[datetime | None]

    def topics(self) -> Iterable[str]:
        """The clinic's lists."""
        return ["list"]


class EmergencyVisit(ClinicRow, Base):
    """That a patient was in an emergency department, as a hospital's feed tells it: nothing is planned or texted of it.

    `source` and `external_id` are who tells it and its own id of the visit, by which it is one however often it is
    told; `said_at` since when the newest that was told is so. state: kept | cancelled.
    """

    __tablename__ = "emergency_visit"
    __table_args__ = (
        UniqueConstraint("clinic_id", "source", "external_id"),
        Index("ix_emergency_visit_patient_at", "patient_id", "at"),
        Index("ix_emergency_visit_clinic_at", "clinic_id", "at"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    said_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="kept")


class EmergencyCover(ClinicRow, Base):
    """That a feed knows a patient, since when: had they been in that hospital's emergency department, it could have
    told so. Whoever no feed knows is not counted as having had no visit."""

    __tablename__ = "emergency_cover"
    __table_args__ = (Index("ix_emergency_cover_patient", "patient_id"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    source: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime]


class InpatientStay(ClinicRow, Base):
    """A stay in a hospital as an inpatient or under observation, as a feed tells it: no care minute counts within.

    `source` and `external_id` are who tells it and its own id of the stay. `admitted_at` is None until it is told;
    `discharged_at` None while the stay is open. Beside each of the three that are told stands since when the newest of
    it is so. state: kept | cancelled.
    """

    __tablename__ = "inpatient_stay"
    __table_args__ = (
        UniqueConstraint("clinic_id", "source", "external_id"),
        Index("ix_inpatient_stay_patient_admitted", "patient_id", "admitted_at"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10), default="kept")
    state_since: Mapped[datetime]
    admitted_at: Mapped[datetime | None]
    admitted_since: Mapped[datetime | None]
    discharged_at: Mapped[datetime | None]
    discharged_since: Mapped[datetime | None]


class PatientMerge(SealedRow, Base):
    """That two records were made one, and what is needed to tell them apart again for a day.

    `moved` holds the ids of what followed, by the words of reminders.merging.FOLLOWS; `before` (sealed, JSON) what both
    records knew.
    """

    __tablename__ = "patient_merge"
    __table_args__ = (Index("ix_patient_merge_stays_at", "stays_id", "at"),)

    stays_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    goes_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before_ct: Mapped[bytes]
    undone_at: Mapped[datetime | None]

    before = Sealed("before_ct")
