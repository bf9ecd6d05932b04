"""Colleagues' e-mail addresses as they have confirmed them, and the mails that wait or have gone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class MailAddress(ClinicRow, Work, Base):
    """That a colleague has asked for e-mail to the address they sign in with, and has proved that they read it.

    asked (`token_hash` of the link that was mailed, good until `expires_at`) -> confirmed (`confirmed_at`) -> stopped:
    then the row is gone. `fault` is why the mail server refuses the address for good, or None. `try_after` is when the
    next morning's digest is due (messaging.inbox.digests).
    """

    __tablename__ = "mail_address"
    __table_args__ = (UniqueConstraint("staff_id"), Index("ix_mail_address_work", "confirmed_at", "try_after"))

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    fault: Mapped[str | None] = mapped_column(String(20))


class Mail(SealedRow, Work, Base):
    """A mail to a colleague, sealed until it has gone.

    state: queued -> sent | dropped; `why` says of a dropped one: late (no use any more), refused (by the mail server,
    for good), stopped (its colleague gets no more mail), broken. `kind` is that of messaging/texts/mail.toml,
    `dedupe` makes one reason one mail, `last_error` is why the last try came to nothing.
    """

    __tablename__ = "mail"
    __table_args__ = (UniqueConstraint("clinic_id", "dedupe"), Index("ix_mail_work", "state", "try_after"))

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(8), default="queued")
    why: Mapped[str | None] = mapped_column(String(8))
    subject_ct: Mapped[bytes]
    body_ct: Mapped[bytes]
    dedupe: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[datetime]
    useful_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    subject = Sealed("subject_ct")
    body = Sealed("body_ct")
