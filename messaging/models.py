"""Clinics and their staff, patients and their numbers, consent, conversations and messages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config import live
from config.db import Base, ClinicRow, Sealed, SealedBytes, SealedRow, Work

PROGRAMMES = ("reminders", "screening", "care_team")


class Clinic(Base):
    """A clinic: whose patients, numbers, words and rules these are. Its name and phones are public.

    `number` is the E.164 number patients text; `phone` the one they call. `rules` holds what the clinic decides:
    deadlines, ladder, quiet hours, fallback (see messaging.inbox.routing.assign.Rules).
    """

    __tablename__ = "clinic"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(60))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    phone: Mapped[str] = mapped_column(String(20))
    messaging_service_sid: Mapped[str | None] = mapped_column(String(34))
    rules: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Staff(SealedRow, live.Shown, Base):
    """A person who works here. `panels` are the clinicians whose patients are hers; roles as in web.permissions.

    `hours` maps a weekday ("mon".."sun") to ["08:00", "17:00"] in the clinic's zone; empty: always on duty. `on_call`
    has the same shape; empty: never on call. `notify` maps a kind of item to "text" | "inbox" (messaging.inbox.staff.roster).
    `phone_fault` is why their phone takes no texts of ours (messaging.people.staff_phones), or None.
    """

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("clinic_id", "email"),)

    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(30))
    languages: Mapped[list[str]]
    panels: Mapped[list[str]]
    hours: Mapped[dict[str, Any]]
    on_call: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notify: Mapped[dict[str, Any]] = mapped_column(default=dict)
    number_ct: Mapped[bytes | None]
    phone_fault: Mapped[str | None] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    number = Sealed("number_ct")

    def topics(self) -> Iterable[str]:
        """What they may do may have changed."""
        return [f"staff:{self.id}"]


class Patient(SealedRow, Base):
    """A person the clinic cares for; every word about them is sealed under a key of their own.

    state: active -> inactive | deceased (both silence everything). `panel` names the clinician whose patient it is;
    `privacy` is generic | place | details (what a text may say); `record_index` finds the clinic's record number.
    `here_until` is until when somebody who has arrived is taken to be in the building. `wishes` is what they said for
    themselves, and no file of the clinic takes back: {"language", "hours": ["09:00", "18:00"]}, each optional.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "record_index"),
        # Who is still to be indexed (messaging.people.name_search): nearly always nobody, asked for every second.
        Index(
            "ix_patient_names_owed",
            "created_at",
            sqlite_where=text("names_indexed = 0"),
            postgresql_where=text("NOT names_indexed"),
        ),
    )

    record_index: Mapped[bytes]
    record_ct: Mapped[bytes]
    first_name_ct: Mapped[bytes]
    last_name_ct: Mapped[bytes]
    birth_date_ct: Mapped[bytes | None]
    language: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str | None] = mapped_column(String(60))
    panel: Mapped[str | None] = mapped_column(String(120))
    sex: Mapped[str | None] = mapped_column(String(10))
    privacy: Mapped[str] = mapped_column(String(10), default="place")
    state: Mapped[str] = mapped_column(String(10), default="active")
    state_by: Mapped[str | None] = mapped_column(String(60))  # an actor; null where nobody has said so
    privacy_by: Mapped[str | None] = mapped_column(String(60))
    names_indexed: Mapped[bool] = mapped_column(default=False)
    here_until: Mapped[datetime | None]
    wishes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]

    record = Sealed("record_ct")
    first_name = Sealed("first_name_ct")
    last_name = Sealed("last_name_ct")
    birth_date = Sealed("birth_date_ct")
    numbers: Mapped[list["PatientNumber"]] = relationship(
        back_populates="patient", order_by="PatientNumber.id"
    )


class PatientNumber(SealedRow, Base):
    """A telephone number of a patient; several patients may share one, and one may have several.

    line: unknown | mobile | landline | dead | wrong_person. Only unknown and mobile are texted.
    """

    __tablename__ = "patient_number"
    __table_args__ = (
        UniqueConstraint("patient_id", "number_index"),
        Index("ix_patient_number_clinic_number", "clinic_id", "number_index"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_index: Mapped[bytes]
    number_ct: Mapped[bytes]
    line: Mapped[str] = mapped_column(String(14), default="unknown")

    number = Sealed("number_ct")
    patient: Mapped[Patient] = relationship(back_populates="numbers")


class PatientName(ClinicRow, Base):
    """A blind index of one word of a patient's name, or of its first letters, so that a name can be searched for.

    See messaging.people.name_search; the words themselves stand nowhere unsealed.
    """

    __tablename__ = "patient_name"
    __table_args__ = (
        UniqueConstraint("patient_id", "token"),
        Index("ix_patient_name_token", "clinic_id", "token", "patient_id"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"))
    token: Mapped[bytes]


class SavedReply(ClinicRow, Base):
    """An answer that is written often: `texts` by language, with the variables of messaging.wording.text_templates.

    It is the clinic's where `staff_id` is null, else one person's own. Retired replies stay for those who look back.
    """

    __tablename__ = "saved_reply"

    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(String(80))
    texts: Mapped[dict[str, Any]]
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class ConsentEntry(SealedRow, Base):
    """One line of the consent ledger: a number, a programme, granted or revoked. The last line decides.

    `source` is import | text | carrier | spoken | staff | form; `words` the verbatim text; nothing is ever updated.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (Index("ix_consent_entry_number", "clinic_id", "number_index", "programme"),)

    number_index: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    programme: Mapped[str] = mapped_column(String(12))
    event: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(12))
    wording: Mapped[str | None] = mapped_column(String(40))
    words_ct: Mapped[bytes | None]
    actor: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]

    words = Sealed("words_ct")


class Conversation(SealedRow, Base):
    """All that was said between the clinic and one number. `patient_id` is null while nobody or several fit it."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("clinic_id", "number_index"),)

    number_index: Mapped[bytes]
    number_ct: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    last_at: Mapped[datetime]
    auto_replies: Mapped[int] = mapped_column(default=0)
    auto_replied_at: Mapped[datetime | None]

    number = Sealed("number_ct")


class Message(SealedRow, Work, live.Shown, Base):
    """One text, in or out.

    inbound:  received
    outbound: queued -> sending -> sent -> delivered | undelivered | failed; queued -> held | cancelled;
              sending -> unknown -> sent | queued | failed.   Ranked: a state never goes down (messaging.delivery.deliver).
    `kind` is reply | reminder | handoff | crisis | automatic | staff_alert; `lane` urgent | bulk. `dedupe` makes sure
    that one reason sends one text. A text to staff has `staff_id` and no conversation. `scheduled_for` is the moment a
    human chose for it to go out, and null where it was to go at once.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("clinic_id", "dedupe"),
        Index("ix_message_conversation_at", "conversation_id", "created_at"),
        Index("ix_message_work", "state", "lane", "try_after"),
    )

    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    direction: Mapped[str] = mapped_column(String(3))
    kind: Mapped[str] = mapped_column(String(12))
    programme: Mapped[str | None] = mapped_column(String(12))
    lane: Mapped[str] = mapped_column(String(8), default="bulk")
    state: Mapped[str] = mapped_column(String(12))
    body_ct: Mapped[bytes]
    media: Mapped[list[Any]] = mapped_column(default=list)
    reading: Mapped[list[str]] = mapped_column(default=list)
    dedupe: Mapped[str] = mapped_column(String(120))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    provider_sid: Mapped[str | None] = mapped_column(String(40), index=True)
    error_code: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    scheduled_for: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]  # its words are no longer kept (messaging.retention)

    body = Sealed("body_ct")

    def topics(self) -> Iterable[str]:
        """The conversation, under both its names. Lists show items, not texts: a thousand reminders stir no list."""
        whose = (("conversation", self.conversation_id), ("patient", self.patient_id))
        return [f"{name}:{found}" for name, found in whose if found is not None and self.staff_id is None]

    attempts_made: Mapped[list["Attempt"]] = relationship(back_populates="message", order_by="Attempt.id")


class Attempt(ClinicRow, Base):
    """One try to send a message, written before the carrier is called: the write-ahead intent.

    state: started -> accepted | refused | unknown. `token_hash` finds the attempt that a status callback speaks of,
    and so proves that the carrier took it even when its answer was lost.
    """

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    fence: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    provider_sid: Mapped[str | None] = mapped_column(String(40), unique=True)
    error_code: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    message: Mapped[Message] = relationship(back_populates="attempts_made")


class Media(SealedRow, Work, Base):
    """A picture or file that came with a text, ours once it is fetched (messaging.media.attachments).

    state: waiting -> held (we have it, the carrier still does) -> kept; waiting -> failed (`last_error`). `place` counts
    from 0 in its text; `carrier_sid` is null where nobody has told us; `type` was found out from the bytes.
    """

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("message_id", "place"), Index("ix_media_work", "state", "try_after"))

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    place: Mapped[int]
    carrier_sid: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))
    type: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int | None]
    # Megabytes: read only where they are shown.
    content_ct: Mapped[bytes | None] = mapped_column(deferred=True)
    created_at: Mapped[datetime]

    content = SealedBytes("content_ct")
