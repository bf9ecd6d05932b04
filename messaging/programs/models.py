"""The keys of a clinic's programs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow


class ApiKey(ClinicRow, Base):
    """What one program of the clinic signs its requests with; only the token's keyed hash is kept.

    `scopes` as in messaging.programs.scopes; `staff_id` is the colleague in whose name it acts, null for nobody.
    `created_by` and `revoked_by` are actors.
    """

    __tablename__ = "api_key"

    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(60))
