"""What a program was answered, so that asking again does nothing again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, Sealed, SealedRow


class ApiAnswer(SealedRow, Base):
    """One request that a program may send again under the same Idempotency-Key (`token_hash`), kept for a day.

    While it runs `status` is null, and until `lease_until` nobody else may begin it; `claim` says whose turn it is.
    `fingerprint` is the keyed hash of what was asked.
    """

    __tablename__ = "api_answer"
    __table_args__ = (
        UniqueConstraint("api_key_id", "operation", "token_hash"),
        Index("ix_api_answer_at", "created_at"),
    )

    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_key.id"))
    operation: Mapped[str] = mapped_column(String(40))
    token_hash: Mapped[bytes]
    fingerprint: Mapped[bytes]
    claim: Mapped[UUID]
    lease_until: Mapped[datetime]
    status: Mapped[int | None]
    body_ct: Mapped[bytes | None]
    created_at: Mapped[datetime]

    body = Sealed("body_ct")
