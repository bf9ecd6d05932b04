"""Links handed out, and the screens that come back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow

STILL_OPEN = text("state IN ('open', 'verified')")
WAITING = text("look_at IS NOT NULL")
# A link without instruments that leads to what the clinic asks of how it did, on a page of the room above, and is
# answered there. It neither ends a link to questions nor is ended by one.
VIEWS = "views"


class IntakeLink(ClinicRow, Base):
    """A signed link to one or more instruments for one patient.

    state: open -> verified -> answered; open | verified -> expired | withdrawn | locked (five wrong birth dates).
    Only the token's keyed hash is kept, and that of the second token, by which the link is texted once more: either
    opens it, and both count the same tries. GET changes nothing. `place` is "tablet" for a form that staff opened on
    the clinic's own tablet with a code: `code_hash` is its keyed hash until the code is used, `code_until` its end;
    "own" for a link without questions, which leads to the patient's own page and is never "answered"; "views" for
    one to what the clinic asks of how it did.
    """

    __tablename__ = "intake_link"
    __table_args__ = (
        Index("ix_intake_link_second", "second_hash", unique=True),
        Index("ix_intake_link_ends", "expires_at", sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    instruments: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(10), default="open")
    tries: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    place: Mapped[str | None] = mapped_column(String(10))
    code_hash: Mapped[bytes | None] = mapped_column(index=True)
    code_until: Mapped[datetime | None]
    second_hash: Mapped[bytes | None]

    @property
    def for_views(self) -> bool:
        """Whether it leads to what the clinic asks of how it did."""
        return self.place == VIEWS


class LinkSession(ClinicRow, Base):
    """A phone that has passed the birth date of a link: thirty idle minutes, four hours at most."""

    __tablename__ = "link_session"

    link_id: Mapped[UUID] = mapped_column(ForeignKey("intake_link.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Screen(SealedRow, Base):
    """One instrument being answered by one patient: answers and scores are sealed.

    state: started -> submitted -> closed. "scored", "routed" and "acknowledged" of the walk are facts beside it
    (`scored_at`, and the inbox item's `routed_at` and `acknowledged_at`), so that they cannot disagree.
    `owed` is the class of the item it owes a human, in clear like an item's urgency: safety | screen | null.
    `answers` is a JSON list of int or null, one for each scored item; `result` the JSON of its score.
    `event` is unique per (clinic, source): the link's or the vendor's id of this submission.
    `told_total` is the total as an EHR tells it, in digits, whatever answers came with it; `detail.said` since when
    each part of it is so, and `detail.unclear` which parts came as what they cannot be (intake_links.told_results).
    A result that its EHR has taken back, or whose parts are all unclear, is closed without `submitted_at`.
    `look_at` is when a form begun and not handed in must be looked at, because it is positive already.
    """

    __tablename__ = "screen"
    __table_args__ = (
        UniqueConstraint("clinic_id", "source", "event"),
        Index("ix_screen_patient", "patient_id", "instrument", "submitted_at"),
        Index("ix_screen_instrument", "clinic_id", "instrument"),
        Index("ix_screen_clinic_submitted", "clinic_id", "submitted_at"),
        Index("ix_screen_look", "look_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    link_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_link.id"), index=True)
    instrument: Mapped[str] = mapped_column(String(20))
    instrument_version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(60))
    event: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default="started")
    owed: Mapped[str | None] = mapped_column(String(10), index=True)
    answers_ct: Mapped[bytes]
    result_ct: Mapped[bytes | None]
    told_total_ct: Mapped[bytes | None]
    started_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    scored_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)

    answers = Sealed("answers_ct")
    result = Sealed("result_ct")
    told_total = Sealed("told_total_ct")


class FormSource(SealedRow, Base):
    """A form vendor that may post submissions for one clinic, with the secret it signs with (Standard Webhooks)."""

    __tablename__ = "form_source"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(60))
    secret_ct: Mapped[bytes]
    created_at: Mapped[datetime]

    secret = Sealed("secret_ct")
