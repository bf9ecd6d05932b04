"""The consent ledger."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, Sealed, SealedRow

PROGRAMMES = ("reminders", "screening", "care_team")
# Few lines revoke: an index of their own finds the numbers. Who asks for it writes the same words.
REVOKED = text("event = 'revoked'")


class ConsentEntry(SealedRow, Base):
    """One line of the consent ledger: a number, a programme, granted or revoked. The last line decides.

    `source` is import | text | carrier | spoken | staff | form; `words` the verbatim text; nothing is ever updated.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (
        Index("ix_consent_entry_number", "clinic_id", "number_index", "programme"),
        Index("ix_consent_entry_revoked", "clinic_id", "number_index", sqlite_where=REVOKED, postgresql_where=REVOKED),
    )

    number_index: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    programme: Mapped[str] = mapped_column(String(12))
    event: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(12))
    wording: Mapped[str | None] = mapped_column(String(40))
    words_ct: Mapped[bytes | None]
    actor: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]

    words = Sealed("words_ct")
